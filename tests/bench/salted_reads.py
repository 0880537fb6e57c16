"""What a read by key costs where its partition key is spread: shards asked, and microseconds.

`python -m tests.bench.salted_reads` puts documents of one hot partition key over 64 partitions and
reads them by their keys under each fan in turn, beside a scan of the key, which asks every place.
How many shards a read asks is what its plan says that it touched, over keys of all places.
"""

import itertools
import statistics
import tempfile
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from docstore import Collection, Key, Store

PARTITIONS = 64
DOCUMENTS = 12_800
FANS = (1, 8, 64)
READS, ROUNDS = 5_000, 9
SHARDS_MAX = 1


def main() -> None:
    """Load, spread, read, print."""
    table = Table(
        *("fan", "shards with documents", "shards a read asks", "µs a read", "shards a scan asks"),
        title=f"{DOCUMENTS:,} documents of one partition key, {PARTITIONS} partitions",
    )
    with tempfile.TemporaryDirectory() as data, Store.open(data) as store:
        sales = store.create_collection("sales", key=Key("seller", "n"), partitions=PARTITIONS)
        assert not sales.put_many({"seller": "big", "n": n} for n in range(DOCUMENTS)).errors
        for fan in FANS:
            sales.salt("big", fan)
            holding = sum(1 for n in sales.partitions.numbers if sales.partitions.shard(n).count())
            asked = _shards_asked(sales)
            scan = len(sales.explain(filter={"seller": "big"}).chosen.shards)
            read = f"{_seconds(sales) * 1e6:.1f}"
            table.add_row(str(fan), str(holding), str(asked), read, str(scan))
            assert asked <= SHARDS_MAX
    Console().print(table)


def _shards_asked(sales: Collection[Any]) -> int:
    """The most shards that a read by key touched, over keys of all places."""
    asked = (
        sales.search(query={"ids": {"values": [["big", n]]}}).shards_touched
        for n in range(0, DOCUMENTS, DOCUMENTS // 256)
    )
    return max(asked)


def _seconds(sales: Collection[Any]) -> float:
    """Of one `get`: the median of some rounds."""
    taken = []
    numbers = itertools.cycle(n * 7919 % DOCUMENTS for n in range(READS))
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for n in itertools.islice(numbers, READS):
            sales.get(("big", n))
        taken.append((time.perf_counter() - began) / READS)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
