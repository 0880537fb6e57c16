"""What a global index saves a search over 64 shards: colour, make and price, each way in turn.

`python -m tests.bench.routing [LISTINGS]` loads listings (those of the fixtures, twenty times,
unless a file of JSON lines is named, plain or gzip), asks the same questions by scatter and by
index, and prints the median of each way beside the scatter of the same freshness.
"""

import gzip
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from docstore import Collection, GlobalIndex, Schema, Store
from tests.conftest import LISTINGS

SHARDS = 64
COPIES = 20
BATCH = 5_000
SECONDS = 10.0
INDEX = GlobalIndex("color", include=["make", "price"])
_CARRIED = {"select": ("make", "price")}
WAYS: tuple[tuple[str, dict[str, Any], str, float], ...] = (
    ("scatter, any", {"index": None, "freshness": "any", **_CARRIED}, "", 0.0),
    ("scatter, current", {"index": None}, "", 0.0),
    (
        "index, any, all selected included",
        {"index": "color", "freshness": "any", **_CARRIED},
        "scatter, any",
        5.0,
    ),
    ("index, current, hits read", {"index": "color"}, "scatter, current", 2.0),
    ("chosen, current", {}, "scatter, current", 2.0),
)
"""Each way, what it is held against, and how many times as fast it must be."""


def main() -> None:
    """Load, measure, print."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as data, Store.open(data) as store:
        listings = _listings(file)
        sample = list(itertools.islice(listings, BATCH))
        schema = Schema.infer(sample)
        cars = store.create_collection("cars", schema, partitions=SHARDS, indexes=[INDEX])
        rest = itertools.chain(sample, listings)
        while batch := list(itertools.islice(rest, BATCH)):
            assert not cars.put_many(batch).errors
        cars.refresh()
        cars.indexes.catch_up()
        taken = _measured(cars)
        documents = cars.count()
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    table = Table("way", "searches/s", "times as fast", "", title=f"{documents:,} listings")
    for name, _, beside, least in WAYS:
        times = medians[beside] / medians[name] if beside else 1.0
        met = "[green]met[/]" if times >= least else "[red]missed[/]"
        table.add_row(name, f"{1 / medians[name]:,.0f}", f"{times:.1f}", met if beside else "")
    Console().print(table)


def _listings(file: Path | None) -> Iterator[dict[str, Any]]:
    if file is None:
        lines = LISTINGS.read_bytes().splitlines()
        for copy in range(COPIES):
            for line in lines:
                listing = orjson.loads(line)
                yield {**listing, "id": f"{listing['id']}-{copy}"}
        return
    opened = gzip.open if file.suffix == ".gz" else Path.open
    with opened(file, "rb") as stream:
        yield from map(orjson.loads, stream)


def _measured(cars: Collection[Any]) -> dict[str, list[float]]:
    """Seconds per search, by way; the ways take turns, and every question is a new one."""
    (color,) = cars.search(limit=0, facets={"color": 1}).facets["color"]
    (make,) = cars.search(limit=0, facets={"make": 1}).facets["make"]
    taken: dict[str, list[float]] = {name: [] for name, *_ in WAYS}
    ends = time.perf_counter() + SECONDS
    prices = itertools.count(20_000)
    while time.perf_counter() < ends:
        asked = {"color": color.value, "make": make.value, "price": {"lt": next(prices)}}
        for name, how, _, _ in WAYS:
            began = time.perf_counter()
            cars.search(filter=asked, **how)
            taken[name].append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    main()
