"""What global indexes cost and give: `python -m tests.bench.global_index [LISTINGS]`.

Over 64 shards: searches through an index beside scatter searches, pending postings, writes with and
without three indexes, and how far behind the indexes are while 16 threads put 2,000 documents a
second, one by one as a service does, beside 50 searches a second. What is compared takes turns in
one run. LISTINGS is a file of JSON lines, .gz or not; without it the project's fixtures are
repeated under other keys. `--seconds` is how long the paced writes last.
"""

import argparse
import gc
import gzip
import itertools
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from docstore import Collection, GlobalIndex, Store
from docstore.global_index.wanted import Between, Condition, Values
from tests.conftest import LISTINGS

SHARDS = 64
DOCUMENTS_MAX = 226_079
WRITTEN = 60_000
BATCH = 1000
WRITES_PER_SECOND, WRITERS = 2000, 16
SEARCHES_PER_SECOND = 50
PENDING = 1000
QUERY = {"color": "white", "make": "ford", "price": {"lt": 20_000}}
Cars = Collection[dict[str, Any]]
Row = tuple[str, str, str, bool]


def indexes() -> list[GlobalIndex]:
    """The three indexes of the benchmark."""
    return [
        GlobalIndex("color", include=["make", "price"]),
        GlobalIndex("make", include=["price"]),
        GlobalIndex("price", by="range"),
    ]


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listings", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    documents = list(_listings(asked.listings))
    gc.freeze()  # the documents to write are no part of what is measured
    table = Table("what", "measured", "wanted", "")
    with tempfile.TemporaryDirectory() as data, Store.open(data) as store:
        cars = store.create_collection("cars", partitions=SHARDS)
        for first in range(0, len(documents), 4 * BATCH):
            assert not cars.put_many(documents[first : first + 4 * BATCH]).errors
        cars.refresh()
        rows = [*_filling(cars, len(documents)), *_reading(cars), *_overlay(cars, documents)]
        rows += _paced(cars, documents, asked.seconds)
    rows += _writing(documents[:WRITTEN])
    for what, measured, wanted, is_met in rows:
        table.add_row(what, measured, wanted, "[green]met[/]" if is_met else "[red]missed[/]")
    console = Console()
    console.print(f"{len(documents):,} documents, load {os.getloadavg()[0]:.1f} at the end")
    console.print(table)


def _listings(path: Path | None) -> Iterator[dict[str, Any]]:
    if path is None:
        lines = LISTINGS.read_bytes().splitlines()
        for number in range(60_000):
            document = orjson.loads(lines[number % len(lines)])
            yield {**document, "id": f"{document['id']}-{number}"}
        return
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from map(orjson.loads, itertools.islice(file, DOCUMENTS_MAX))


def _taken(*calls: Callable[[], object], rounds: int = 100) -> list[float]:
    """Median seconds of each, which take turns."""
    seconds: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for call, mine in zip(calls, seconds, strict=True):
            began = time.perf_counter()
            call()
            mine.append(time.perf_counter() - began)
    return list(map(statistics.median, seconds))


def _filling(cars: Cars, documents: int) -> list[Row]:
    rows = []
    for index in indexes():
        began = time.perf_counter()
        cars.indexes.create(index)
        cars.indexes.catch_up()
        rate = documents / (time.perf_counter() - began)
        rows.append((f"filling {index.name}", f"{rate:,.0f} docs/s", "20,000", rate >= 20_000))
    return rows


def _reading(cars: Cars) -> list[Row]:
    conditions = [
        Condition("make", Values((QUERY["make"],))),
        Condition("price", Between(lt=20_000)),
    ]

    def covered() -> int:
        wanted = cars.indexes.wanted("color", [Values((QUERY["color"],))])
        found = cars.indexes.candidates("color", wanted, conditions, sort="price", freshness="any")
        found.page(0, 10)
        assert len(found.index_partitions) == 1
        return found.total

    def search(index: str | None, freshness: Any, select: list[str] | None = None) -> int:
        return cars.search(
            filter=QUERY, sort="price", index=index, freshness=freshness, select=select
        ).total

    fields = ["color", "make", "price"]
    assert covered() == search(None, "current") == search("color", "current")
    scatter, bare, routed, current = _taken(
        lambda: search(None, "any", fields),
        covered,
        lambda: search("color", "any", fields),
        lambda: search("color", "current"),
    )
    return [
        ("scatter over 64 shards", f"{scatter * 1000:.2f} ms", "", True),
        ("covered, any: the index alone", f"{scatter / bare:.1f} x", "5 x", scatter / bare >= 5),
        ("covered, any: as a search", f"{scatter / routed:.1f} x", "5 x", scatter / routed >= 5),
        ("confirmed, current", f"{scatter / current:.1f} x", "2 x", scatter / current >= 2),
    ]


def _overlay(cars: Cars, documents: list[dict[str, Any]]) -> list[Row]:
    """A lookup right after 1,000 writes, and those after it, beside one without pending ones."""

    def lookup() -> float:
        began = time.perf_counter()
        cars.indexes.lookup("color", "white")
        return (time.perf_counter() - began) * 1000

    without = statistics.median(lookup() for _ in range(50))
    changed = [{**each, "color": "white"} for each in documents[:PENDING]]
    assert not cars.put_many(changed).errors
    first = lookup()
    after = statistics.median(lookup() for _ in range(50))
    cars.indexes.catch_up()
    return [
        ("first lookup after 1,000 writes", f"{first:.1f} ms", "", True),
        (
            "1,000 pending postings add",
            f"{after - without:.2f} ms",
            "2 ms",
            after - without < 2,
        ),
    ]


def _paced(cars: Cars, documents: list[dict[str, Any]], seconds: float) -> list[Row]:
    """Lag, sampled while writes come in at a pace and one thread searches."""
    cars.indexes.catch_up()
    began = time.perf_counter()
    ends = began + seconds
    written: list[int] = []

    def paced(rate: float, turn: Callable[[], object]) -> int:
        turns = 0
        while (now := time.perf_counter()) < ends:
            if turns < (now - began) * rate:
                turn()
                turns += 1
            else:
                time.sleep(0.001)
        return turns

    def write(writer: int) -> None:
        chosen = random.Random(writer)

        def put() -> None:
            cars.put({**chosen.choice(documents), "price": chosen.randrange(50_000)})

        written.append(paced(WRITES_PER_SECOND / WRITERS, put))

    def search() -> None:
        paced(SEARCHES_PER_SECOND, lambda: cars.indexes.lookup("color", "red", sort="price"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    threads.append(threading.Thread(target=search))
    for each in threads:
        each.start()
    lags: list[float] = []
    while time.perf_counter() < ends:
        # Of the index that nobody reads with `current`, which would bring it up to date.
        offer = next(each for each in cars.indexes.offers() if each.definition.name == "make")
        lags.append(offer.lag_ms)
        time.sleep(0.01)
    for each in threads:
        each.join()
    p50, p99 = statistics.median(lags), statistics.quantiles(lags, n=100)[98]
    rate = sum(written) / seconds
    return [
        (
            f"paced writes, {SEARCHES_PER_SECOND} searches/s",
            f"{rate:,.0f} /s",
            "2,000",
            rate >= 0.95 * 2000,
        ),
        ("lag p50", f"{p50:.0f} ms", "20 ms", p50 < 20),
        ("lag p99", f"{p99:.0f} ms", "100 ms", p99 < 100),
    ]


def _writing(documents: list[dict[str, Any]]) -> list[Row]:
    rates: dict[bool, list[float]] = {False: [], True: []}
    caught: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(8):
        is_indexed = turn % 4 in (1, 2)
        with tempfile.TemporaryDirectory() as data:
            with Store.open(data) as store:
                declared = indexes() if is_indexed else []
                cars = store.create_collection("cars", partitions=SHARDS, indexes=declared)
                cars.indexes.catch_up()
                began = time.perf_counter()
                for first in range(0, len(documents), BATCH):
                    assert not cars.put_many(documents[first : first + BATCH]).errors
                rates[is_indexed].append(len(documents) / (time.perf_counter() - began))
                if is_indexed and turn < 4:
                    caught[False].append(_caught_up(cars))
            if is_indexed and turn >= 4:
                with Store.open(data) as store:
                    caught[True].append(_caught_up(store.collection("cars")))
    with_indexes, without = statistics.median(rates[True]), statistics.median(rates[False])
    ratio, beside, alone = with_indexes / without, *map(statistics.median, caught.values())
    return [
        ("acknowledged writes, no index", f"{without:,.0f} docs/s", "", True),
        ("the same with three indexes", f"{ratio:.2f} of it", "0.8", ratio >= 0.8),
        ("catching up, while shards index too", f"{beside:,.0f} docs/s", "", True),
        ("catching up, three indexes", f"{alone:,.0f} docs/s", "20,000", alone >= 20_000),
    ]


def _caught_up(cars: Cars) -> float:
    """Documents a second that the indexes take of what they are behind."""
    behind = max(offer.lag for offer in cars.indexes.offers())
    began = time.perf_counter()
    cars.indexes.catch_up()
    return behind / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
