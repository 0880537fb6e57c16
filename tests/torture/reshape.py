"""A process that writes while it splits and merges, and says what is acknowledged; to be killed.

`python -m tests.torture.reshape DATA SCHEME` puts numbered documents and prints the last that is
acknowledged; another thread changes the partitions all the time.
"""

import random
import sys
import threading
from typing import Any

from docstore import Collection, InvalidRequest, NotFound, Range, Store
from tests.torture.load import document_of


def main(data: str, scheme: str) -> None:
    """Write and reshape until killed."""
    with Store.open(data) as store:
        try:
            things = store.collection("things")
        except NotFound:
            things = (
                store.create_collection("things", partitioning=Range())
                if scheme == "range"
                else store.create_collection("things", partitions=2)
            )
        threading.Thread(target=reshape, args=(things,), daemon=True).start()
        number = things.count()
        while True:
            assert not things.put_many([document_of(number), document_of(number + 1)]).errors
            things.put(document_of(number + 2))
            number += 3
            print(number, flush=True)


def reshape(things: Collection[Any]) -> None:
    """Split while there are few partitions, merge while there are many."""
    rng = random.Random()
    while True:
        numbers = things.partitions.numbers
        try:
            if len(numbers) > rng.randint(1, 4):
                place = rng.randrange(len(numbers) - 1)
                things.merge(numbers[place], numbers[place + 1])
            else:
                things.split(rng.choice(numbers))
        except InvalidRequest:
            continue  # nothing to split there yet


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
