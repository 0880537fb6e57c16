"""A process that damages a page of a store, and uses it: `… KIND FILES SEED…`.

For each seed a store of its own is copied from DATA, a page of one of the files that the pattern
FILES names is damaged, and the store is opened, asked, followed and checked. What is not as it
should be ends the process; LMDB, where it reads such a page, would end it too.
"""

import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docstore import Collection, Corruption, GlobalIndex, Store

PAGE_BYTES = 4096
COUNT = 600
COLORS = ["red", "blue", "green"]
KINDS = ("zeros", "noise", "copied", "swapped", "cut", "emptied")


def make(data: Path) -> None:
    """A store whose files have pages of every kind."""
    with Store.open(data) as store:
        indexes = [
            GlobalIndex("color", include="all", partitions=1),
            GlobalIndex("price", by="range", partitions=2),
        ]
        cars = store.create_collection("cars", partitions=2, indexes=indexes)
        for first in range(0, 2 * COUNT, COUNT // 4):
            cars.put_many(document(number % COUNT) for number in range(first, first + COUNT // 4))
            cars.indexes.catch_up()


def document(number: int) -> dict[str, Any]:
    """Some are long, and what they say follows from the number."""
    text = "word " * (2000 if number % 50 == 0 else 3)
    color = COLORS[number % len(COLORS)]
    return {"id": f"{number:04d}", "color": color, "price": number, "text": text}


def damage(path: Path, kind: str, rng: random.Random) -> None:
    """Put something in the place of a page."""
    stored = bytearray(path.read_bytes())
    pages: Sequence[int] = range(len(stored) // PAGE_BYTES)
    if kind in ("copied", "swapped"):
        # Not inside a long value: it would be another one, and look like any.
        pages = [each for each in pages if says_it_is(stored, each)]
    page, other = (each * PAGE_BYTES for each in rng.sample(pages, 2))
    was, instead = stored[page : page + PAGE_BYTES], stored[other : other + PAGE_BYTES]
    if kind == "zeros":
        stored[page : page + PAGE_BYTES] = bytes(PAGE_BYTES)
    elif kind == "noise":
        stored[page : page + PAGE_BYTES] = rng.randbytes(PAGE_BYTES)
    elif kind in ("copied", "swapped"):
        stored[page : page + PAGE_BYTES] = instead
        if kind == "swapped":
            stored[other : other + PAGE_BYTES] = was
    else:
        del stored[0 if kind == "emptied" else page + rng.randrange(PAGE_BYTES) :]
    path.write_bytes(stored)


def says_it_is(stored: bytearray, page: int) -> bool:
    """Whether a page begins with its number."""
    at = page * PAGE_BYTES
    return int.from_bytes(stored[at : at + 8], sys.byteorder) == page


def use_index(data: Path) -> None:
    """Answers are those of the documents all along, and the indexes as before in the end."""
    with Store.open(data) as store:
        cars: Collection[dict[str, Any]] = store.collection("cars")
        assert cars.search(filter={"color": "red"}, sort="price").total == COUNT / 3
        assert cars.count(filter={"price": {"lt": 100}}) == 100
        cars.put({**document(0), "color": "blue"})
        told = []
        for _ in range(3):
            cars.indexes.catch_up()
            try:
                for name, asked, total in (
                    ("color", {"color": "red"}, COUNT // 3 - 1),
                    ("price", {"price": {"gte": 100}}, COUNT - 100),
                ):
                    found = cars.search(filter=asked, sort="price", index=name, limit=COUNT)
                    assert found.total == len(found.hits) == total
            except Corruption as error:
                told.append(error.message)  # inside a long value: it is filled again now
            else:
                break
        assert len(told) < 3, told
        assert list(store.check()) == []


def use_shard(data: Path) -> None:
    """Documents are read as they were, or the file is named; `check` tells which."""
    with Store.open(data) as store:
        violations = list(store.check())
        cars: Collection[dict[str, Any]] = store.collection("cars")
        for number in range(COUNT) if violations == [] else ():
            assert cars.get(f"{number:04d}") == document(number)
        if violations:
            assert {each.rule for each in violations} == {"corruption"}, violations
            told = []
            try:
                list(cars.scan())
            except Corruption as error:
                told.append(error.message)
            assert told, "what is damaged was read"


def main(data: Path, kind: str, pattern: str, seeds: list[str]) -> None:
    """Damage and use one store after the other."""
    for seed in seeds:
        print(seed, flush=True)
        rng = random.Random(f"{kind} {seed}")
        copy = Path(tempfile.mkdtemp(dir=data.parent)) / "data"
        shutil.copytree(data, copy)
        damage(rng.choice(sorted(copy.glob(pattern))), kind, rng)
        (use_shard if "shards" in pattern else use_index)(copy)
        shutil.rmtree(copy)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
