"""What a split costs those who use the store: failures, waiting, and how long it takes.

`python -m tests.bench.splits` loads 226,079 listings into one partition, then splits it while 500
writes and 200 searches a second go on, and merges the halves again. Milliseconds are counted from
when a request was due, so who waits in a queue counts; "writers waited" is how long the change of
the map kept writers at the door. The listings that are asked with are this program's, and kept out
of the garbage collector's sight: to look through them all stops every thread for 0.1 s. A busy
machine answers less than it is asked in the row "before" already: what follows says nothing then,
nor where others took a core.
"""

import argparse
import gc
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import psutil  # type: ignore[import-untyped]  # it has no stubs
from rich.console import Console
from rich.table import Table

from docstore import Collection, DocstoreError, Schema, Store
from tests.bench.__main__ import read_listings

WRITES, SEARCHES = 500, 200
"""Per second, at fixed times: who is late does not ask less."""
WRITERS, SEARCHERS = 16, 32
"""Threads: enough that who is late does not keep the next one waiting, as clients do not that know
nothing of each other. A current search waits for the commit after the one under way, some 50 ms
beside writers, so of 200 a second about ten wait at any moment; sixteen threads could ask no more
than 200 a second then, and never made up for a pause."""
QUIET_SECONDS = 3.0
PAUSE_MS_MAX, SECONDS_MAX = 50.0, 20.0
WIDTH = 165
"""Cells that the table needs, whatever the terminal has."""


class Load:
    """Threads that ask at fixed times; of each answer when it was due, when it came, and the ms."""

    def __init__(self, rate: float, threads: int, ask: Callable[[int], object]) -> None:
        self.taken: list[tuple[float, float, float]] = []
        self.failed: list[DocstoreError] = []
        self._rate = rate
        self._ask = ask
        self._numbers = itertools.count()
        self._began = time.perf_counter()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while True:
            number = next(self._numbers)
            due = self._began + number / self._rate
            if self._done.wait(max(0.0, due - time.perf_counter())):
                return
            try:
                self._ask(number)
            except DocstoreError as error:
                self.failed.append(error)
            now = time.perf_counter()
            self.taken.append((due, now, (now - due) * 1000))

    def stop(self) -> None:
        """Ask no more."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    def between(self, begin: float, end: float) -> tuple[int, list[float]]:
        """How many answers came in a time, and the milliseconds of those that were due in it."""
        taken = tuple(self.taken)
        came = sum(begin <= at < end for _, at, _ in taken)
        return came, sorted(ms for due, _, ms in taken if begin <= due < end)


def main(
    documents: int, freshness: Literal["current", "any"], writers: int, searchers: int
) -> None:
    """Load, split under load, merge, print."""
    with tempfile.TemporaryDirectory() as data, Store.open(data) as store:
        listings = _numbered(documents)
        cars = store.create_collection("cars", Schema.infer(listings[:3_000]), partitions=1)
        for first in range(0, len(listings), 4_000):
            assert not cars.put_many(listings[first : first + 4_000]).errors
        cars.refresh()
        table = Table(
            "", "documents", "seconds", "writers waited ms", "failed", *_COLUMNS, "others' cores"
        )
        writes = Load(
            WRITES, writers, lambda number: cars.put(listings[number * 7 % len(listings)])
        )
        gc.collect()
        gc.freeze()
        words = [word for each in listings[:500] for word in str(each.get("model", "")).split()]
        searches = Load(
            SEARCHES,
            searchers,
            lambda number: cars.search(words[number % len(words)], freshness=freshness),
        )
        try:
            began, others = time.perf_counter(), Others()
            time.sleep(QUIET_SECONDS)
            shown = _shown(writes, searches, began)
            table.add_row("before", "", "", "", "", *shown, f"{others.cores():.1f}")
            for name, change in _changes(cars):
                began, others = time.perf_counter(), Others()
                made = change()
                table.add_row(
                    name,
                    f"{made.documents:,}",
                    f"{made.seconds:.1f}",
                    f"{made.pause_ms:.1f}",
                    str(len(writes.failed) + len(searches.failed)),
                    *_shown(writes, searches, began),
                    f"{others.cores():.1f}",
                )
        finally:
            writes.stop()
            searches.stop()
        console = Console()
        console.width = max(console.width, WIDTH)
        console.print(table)
        assert not list(store.check())
    Console().print(
        f"wanted: no failure, p99 of writes below {PAUSE_MS_MAX:g} ms, split in {SECONDS_MAX:g} s"
    )


class Others:
    """How many cores other programs have taken since it was made."""

    def __init__(self) -> None:
        self._began, self._taken = time.perf_counter(), self._seconds()

    @staticmethod
    def _seconds() -> float:
        machine, ours = psutil.cpu_times(), os.times()
        return float(sum(machine) - machine.idle - machine.iowait - sum(ours[:4]))

    def cores(self) -> float:
        """The mean; of a process under way that this one started, the time counts as others'."""
        return (self._seconds() - self._taken) / (time.perf_counter() - self._began)


_COLUMNS = ("writes/s", "p50 ms", "p99 ms", "max ms", "searches/s", "p50 ms", "p99 ms", "max ms")


def _changes(cars: Collection[Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "split", lambda: cars.split(0)
    yield "merge", lambda: cars.merge(*cars.partitions.numbers)


def _shown(writes: Load, searches: Load, began: float) -> list[str]:
    ended = time.perf_counter()
    shown: list[str] = []
    for load in (writes, searches):
        came, taken = load.between(began, ended)
        shown.append(f"{came / (ended - began):.0f}")
        shown += [f"{taken[len(taken) * share // 100]:.1f}" if taken else "" for share in (50, 99)]
        shown.append(f"{taken[-1]:.1f}" if taken else "")
    return shown


def _numbered(documents: int) -> list[dict[str, Any]]:
    found = read_listings(documents)
    made = itertools.cycle(found[:3_000])
    more = ({**next(made), "id": f"more-{n:06d}"} for n in range(documents - len(found)))
    return [*found, *more]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=226_079)
    parser.add_argument("--freshness", choices=("current", "any"), default="current")
    parser.add_argument("--writers", type=int, default=WRITERS)
    parser.add_argument("--searchers", type=int, default=SEARCHERS)
    given = parser.parse_args()
    main(given.documents, given.freshness, given.writers, given.searchers)
