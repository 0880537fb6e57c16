"""A process that writes while its partitions change, and says what is acknowledged; to be killed.

`python -m tests.torture.reshape DATA SCHEME` puts numbered documents and prints the last that is
acknowledged, with the map's epoch. Meanwhile another thread changes the partitions all the time: it
splits and merges (hash, range, and apart: the new shards made by another process), salts, or sets
the limits of a policy that does it (auto).
"""

import random
import sys
import threading
from typing import Any

from docstore import AutoSplit, Collection, InvalidRequest, Key, NotFound, Range, Store
from docstore.growing import deciding, growth
from docstore.map_changes import moving_apart
from tests.torture.load import document_of

MADE: dict[str, dict[str, Any]] = {
    "hash": {"partitions": 2},
    "apart": {"partitions": 2},
    "range": {"partitioning": Range()},
    "salt": {"partitions": 4, "key": Key("text", "id")},
    "auto": {"partitions": 1},
}
WORDS = 7
"""Different texts of the documents, which are the partition keys where keys are salted."""


def main(data: str, scheme: str) -> None:
    """Write and reshape until killed."""
    if scheme == "apart":
        moving_apart.DOCUMENTS_MIN = 1
    growth.LOOK_SECONDS, deciding.REST_SECONDS = 0.01, 0.05
    with Store.open(data, auto_split=scheme == "auto") as store:
        try:
            things = store.collection("things")
        except NotFound:
            things = store.create_collection("things", **MADE[scheme])
        changes = {"salt": salt, "auto": set_limits}.get(scheme, reshape)
        threading.Thread(target=changes, args=(things,), daemon=True).start()
        number = things.count()
        while True:
            assert not things.put_many([document_of(number), document_of(number + 1)]).errors
            things.put(document_of(number + 2))
            number += 3
            epoch = things.partitions.definition.partition_map.epoch
            sys.stdout.write(f"{number} {epoch}\n")
            sys.stdout.flush()


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


def salt(things: Collection[Any]) -> None:
    """Change the fan of one key after another."""
    rng = random.Random()
    while True:
        try:
            things.salt((document_of(rng.randrange(WORDS))["text"],), 2 ** rng.randrange(4))
        except NotFound:
            continue  # nothing under that key yet


def set_limits(things: Collection[Any]) -> None:
    """Have the policy split for a while, then merge."""
    rng = random.Random()
    pause = threading.Event()
    while True:
        things.set_auto_split(AutoSplit(documents=rng.choice([30, 100, 100_000])))
        pause.wait(rng.uniform(0.1, 0.6))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
