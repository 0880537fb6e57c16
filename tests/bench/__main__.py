"""`python -m tests.bench`: the store beside bare tantivy-py, as a table of ratios.

Both do the same on the same documents in the same run and take turns, because a machine's speed
drifts; medians are shown. Without the real listings the project's own fixtures are used.
"""

import argparse
import gc
import gzip
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from pydantic import create_model
from rich.console import Console
from rich.table import Table

from docstore import Schema, Store
from indexing.schema import Kind
from tests.bench.bare import Bare
from tests.conftest import LISTINGS, ROOT

REAL = ROOT.parent / "shared" / "data" / "cars.jsonl.gz"
BATCH = 2_000
REPETITIONS = 300
SEARCHES: dict[str, dict[str, Any]] = {
    "term": {"q": "ford"},
    "two words": {"q": "ford f-150"},
    "filter + sort": {"filter": {"color": "red", "price": {"lt": 20_000}}, "sort": "price"},
    "phrase": {"q": '"grand cherokee"'},
}

OPENED = """
import sys, time, psutil
from docstore import Store
began = time.perf_counter()
store = Store.open(sys.argv[1])
cars = store.collection("cars")
opened = time.perf_counter()
cars.search("ford")
searched = time.perf_counter()
for q in ("ford f-150", '"grand cherokee"', "red honda"):
    cars.search(q)
cars.search(filter={"color": "red"}, sort="price")
for document in cars.scan(limit=1000):
    cars.get(document.key)
print(opened - began, searched - began, psutil.Process().memory_info().rss)
store.close()
"""


def read_listings(limit: int | None) -> list[dict[str, Any]]:
    """The real listings beside the repository, or the project's own."""
    data = gzip.decompress(REAL.read_bytes()) if REAL.exists() else LISTINGS.read_bytes()
    documents = [orjson.loads(line) for line in data.splitlines()[:limit]]
    if not REAL.exists():
        flat = ("id", "make", "model", "year", "price", "mileage", "color", "fuel", "title")
        documents = [{name: car[name] for name in flat if name in car} for car in documents]
    return documents


def load(directory: Path, schema: Schema, documents: list[dict[str, Any]]) -> float:
    """Put all documents in batches; the seconds until all are durable and searchable."""
    shutil.rmtree(directory, ignore_errors=True)
    with Store.open(directory) as store:
        cars = store.create_collection("cars", schema)
        began = time.perf_counter()
        for start in range(0, len(documents), BATCH):
            assert not cars.put_many(documents[start : start + BATCH]).errors
        cars.refresh()
        return time.perf_counter() - began


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def compared(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median microseconds of two calls that take turns."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(REPETITIONS)]
    mine, other = zip(*pairs, strict=True)
    return statistics.median(mine) * 1e6, statistics.median(other) * 1e6


def measure(documents: list[dict[str, Any]], work: Path, rounds: int, table: Table) -> None:
    """Run everything, adding a row per figure."""
    inferred = Schema.infer(documents)
    # Both leave alone what has no one kind (a list in some listings, a string in others).
    schema = Schema(
        tuple((name, each) for name, each in inferred.fields if each.kind is not Kind.ANY), "ignore"
    )
    data = work / "data"
    loads = []
    for _ in range(rounds):
        bare = Bare(work / "bare", schema)
        loads.append((load(data, schema, documents), bare.load(documents)))
    ours, theirs = (len(documents) / statistics.median(each) for each in zip(*loads, strict=True))
    row(
        table,
        "load, durable and indexed",
        f"{ours:,.0f} docs/s",
        f"{theirs:,.0f} docs/s",
        ours / theirs,
        ours / theirs >= 0.5,
        ">= 0.5",
    )
    with Store.open(data) as store:
        cars = store.collection("cars")
        latencies = []
        bare_searches = bare.searches()
        for name, asked in SEARCHES.items():
            assert cars.search(**asked, operator="or").total == bare_searches[name]()
            mine, other = compared(partial(cars.search, **asked), bare_searches[name])
            latencies.append((mine, other))
            row(table, f"search: {name}", f"{mine:,.0f} µs", f"{other:,.0f} µs", mine / other)
        mine, other = (statistics.mean(each) for each in zip(*latencies, strict=True))
        row(
            table,
            "mean of the four searches",
            f"{mine:,.0f} µs",
            f"{other:,.0f} µs",
            mine / other,
            mine / other <= 1.5,
            "<= 1.5",
        )
        keys = [document["id"] for document in documents[:: max(1, len(documents) // 20_000)]]
        get = seconds(lambda: [cars.get(key) for key in keys]) / len(keys) * 1e6
        row(table, "get, as dict", f"{get:.1f} µs", "", None, get <= 10, "<= 10 µs")
    fields: dict[str, Any] = dict.fromkeys(documents[0], (Any, None))
    model = create_model("Listing", **fields)
    with Store.open(work / "typed") as store:
        typed = store.create_collection("cars", model)
        typed.put_many(documents[:5_000])
        keys = [document["id"] for document in documents[:5_000]]
        get = seconds(lambda: [typed.get(key) for key in keys]) / len(keys) * 1e6
        row(table, "get, as a model", f"{get:.1f} µs", "", None, get <= 10, "<= 10 µs")
    ran = subprocess.run(
        [sys.executable, "-c", OPENED, str(data)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    opened, searched, resident = map(float, ran.stdout.split())
    row(table, "open", f"{opened * 1e3:.0f} ms", "", None, opened < 0.3, "< 300 ms")
    row(table, "open and first search", f"{searched * 1e3:.0f} ms", "", None)
    row(
        table,
        "resident, reopened and searched",
        f"{resident / 1e6:.0f} MB",
        "",
        None,
        resident < 300e6,
        "< 300 MB",
    )


def row(
    table: Table,
    what: str,
    ours: str,
    theirs: str,
    ratio: float | None,
    is_met: bool | None = None,
    target: str = "",
) -> None:
    """One figure."""
    said = "" if is_met is None else "[green]met[/]" if is_met else "[red]missed[/]"
    table.add_row(what, ours, theirs, "" if ratio is None else f"{ratio:.2f}", target, said)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--documents", type=int, help="how many documents, all by default")
    parser.add_argument("--rounds", type=int, default=3, help="loads of each")
    options = parser.parse_args()
    documents = read_listings(options.documents)
    # Whoever loads listings does not hold all of them: the collector need not walk these each time.
    gc.freeze()
    source = "real listings" if REAL.exists() else "the project's own listings, for lack of others"
    table = Table(
        "what", "store", "bare tantivy", "ratio", "target", "", title=f"{len(documents):,} {source}"
    )
    for column in table.columns[1:4]:
        column.justify = "right"
    with tempfile.TemporaryDirectory(prefix="docstore-bench-") as work:
        measure(documents, Path(work), options.rounds, table)
    Console().print(table)


if __name__ == "__main__":
    main()
