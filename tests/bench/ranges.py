"""How fast a scan of neighbouring keys is over 64 key ranges, beside one.

`python -m tests.bench.ranges` puts 64,000 documents under one and under 64 partitions, reads 1,000
neighbours at many places of each in turn, and prints scans per second and shards asked.
"""

import random
import statistics
import tempfile
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from docstore import Collection, Range, Store

DOCUMENTS = 64_000
SCANNED = 1_000
PLACES = 200
SPEED_MIN = 0.8
"""Of the same scan on one partition."""


def main() -> None:
    """Load, measure, print."""
    body = {"make": "ford", "price": 9500, "description": "runs like new, two owners " * 8}
    with tempfile.TemporaryDirectory() as data, Store.open(data) as store:
        made: dict[int, Collection[Any]] = {}
        for count in (1, 64):
            bounds = [f"{DOCUMENTS * each // count:08d}" for each in range(1, count)]
            made[count] = store.create_collection(f"cars{count}", partitioning=Range(bounds))
            for first in range(0, DOCUMENTS, 4_000):
                batch = ({"id": f"{first + each:08d}", **body} for each in range(4_000))
                assert not made[count].put_many(batch).errors
            made[count].refresh()
        taken = _measured(made)
    table = Table("partitions", "scans/s", "shards asked", "of one partition", "")
    whole = statistics.median(taken[1][0])
    for count, (seconds, asked) in taken.items():
        share = whole / statistics.median(seconds)
        table.add_row(
            str(count),
            f"{1 / statistics.median(seconds):,.0f}",
            f"{min(asked)} to {max(asked)}",
            f"{share:.2f}",
            "[green]met[/]" if share >= SPEED_MIN else "[red]missed[/]",
        )
    Console().print(table)


def _measured(made: dict[int, Collection[Any]]) -> dict[int, tuple[list[float], list[int]]]:
    """Seconds per scan and shards asked, by number of partitions; the two take turns."""
    places = random.Random(7)
    taken: dict[int, tuple[list[float], list[int]]] = {count: ([], []) for count in made}
    for _ in range(PLACES):
        first = places.randrange(DOCUMENTS - SCANNED)
        low, high = f"{first:08d}", f"{first + SCANNED:08d}"
        for count, cars in made.items():
            began = time.perf_counter()
            assert sum(1 for _ in cars.scan(low, high)) == SCANNED
            taken[count][0].append(time.perf_counter() - began)
            ranges = cars.partitions.definition.partition_map
            assert ranges.is_range
            taken[count][1].append(len(ranges.overlapping(low.encode(), high.encode())))
    return taken


if __name__ == "__main__":
    main()
