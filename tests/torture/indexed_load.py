"""A process that writes documents under global indexes, made to be killed at any moment.

`python -m tests.torture.indexed_load DATA SEED` puts, replaces and deletes numbered documents, has
an index dropped and made anew or rebuilt now and then, and prints a line after each round. With an
odd seed another process writes the indexes' files.
"""

import random
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from docstore import GlobalIndex, NotFound, Store, Unavailable
from docstore.global_index import applying_apart, flushing, postings, shadows

NUMBERS = 400
BATCH = 40
COLOR = GlobalIndex("color", include=["price"], partitions=3)
PRICE = GlobalIndex("price", include=["color"], partitions=2, by="range")


def await_applier(store: Store) -> None:
    """Have another process apply whatever there is, from now on."""
    applying_apart.FIRST_DOCUMENTS_MIN = applying_apart.DOCUMENTS_MIN = 0
    applier = store._resources.applier
    applier.apply(Path("/no/such/place"), (0, 0), {}, {})
    assert applier._other is not None
    select.select([applier._other._socket], [], [], 30)
    assert applier._other.is_ready


def main(data: str, seed: int) -> None:
    """Write until killed."""
    rng = random.Random(seed)
    flushing.BUSY_DOCUMENTS = flushing.FLUSH_DOCUMENTS = BATCH
    shadows.POSTINGS_MIN = 50  # so that the index by ranges is cut while it is written to
    postings.SHARED_BYTES_MIN = 0  # and postings of a list share what they carry
    with Store.open(data) as store:
        try:
            cars = store.collection("cars")
        except NotFound:
            cars = store.create_collection("cars", partitions=4, indexes=[COLOR, PRICE])
        if seed % 2:
            await_applier(store)
        print("open", flush=True)
        while True:
            cars.put_many(document_of(rng) for _ in range(BATCH))
            cars.delete_many(str(rng.randrange(NUMBERS)) for _ in range(BATCH // 4))
            cars.put(document_of(rng))
            turn = rng.randrange(40)
            if turn == 0:
                cars.indexes.rebuild("color")
            elif turn == 1:
                # A kill between these two leaves it dropped.
                if "price" in [index.name for index in cars.indexes]:
                    cars.indexes.drop("price")
                cars.indexes.create(PRICE)
            elif turn == 2:
                cars.indexes.catch_up()
            elif turn < 8:
                with suppress(NotFound, Unavailable):  # nobody has it now, or it is being filled
                    cars.indexes.salt("color", rng.choice(["red", "blue"]), rng.choice([1, 2]))
            print("written", flush=True)


def document_of(rng: random.Random) -> dict[str, Any]:
    """Some document, of few keys and values, so that most replace one."""
    return {
        "id": str(rng.randrange(NUMBERS)),
        "color": rng.choice(["red", "blue", ["red", "green"], None]),
        "price": rng.randrange(50),
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
