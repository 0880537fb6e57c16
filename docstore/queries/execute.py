"""Running a search over the views of some shards: all that match are counted, the first are found.

A dear search uses both of a pool's threads; what the shards find is merged into one page. Nothing
here touches documents or logs.
"""

import time
from concurrent.futures import Executor
from dataclasses import dataclass

from docstore.queries.merge import Ranked, merged
from indexing.errors import DeadlineExceeded, InvalidQuery
from indexing.local_index import View
from indexing.passes import Run, Sort, unsure
from indexing.search import Ready

PARALLEL_POSTINGS = 40_000
"""Postings from which a second thread is worth its 60 µs: they take about 300 µs to score."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches in order, how many match in all, and milliseconds per stage.

    `missing` are the shards that there was no time for.
    """

    total: int
    ranked: list[Ranked]
    notes: tuple[str, ...]
    search_ms: float
    merge_ms: float
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a search stops: it fails then, or answers with what it has found and counted so far.

    `at` is of the clock `time.perf_counter`. What is asked of one shard is not cut short.
    """

    at: float
    is_partial: bool

    @classmethod
    def after(cls, seconds: float | None, *, is_partial: bool) -> "Deadline | None":
        """So many seconds from now; raises InvalidQuery for what is no time."""
        if seconds is None:
            return None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise InvalidQuery(
                f"timeout is {seconds!r}", hint="give seconds, more than none", path="timeout"
            )
        return cls(time.perf_counter() + seconds, is_partial)

    def stops(self) -> bool:
        """Whether to stop with what there is; raises DeadlineExceeded unless that will do."""
        if not self.is_partial:
            self.check()
        return time.perf_counter() > self.at

    def check(self) -> None:
        """Raise DeadlineExceeded when there is no time left."""
        if time.perf_counter() > self.at:
            raise DeadlineExceeded(
                "the search was not done within its time",
                hint="narrow it, allow it more time, or ask for what is found by then",
            )


def search(
    ready: Ready,
    views: dict[int, View],
    sort: Sort | None,
    offset: int,
    limit: int,
    pool: Executor,
    deadline: Deadline | None = None,
) -> Found:
    """The matches from `offset` on, at most `limit`, in the order of `sort` or of the score."""
    began = time.perf_counter()
    runs = {
        number: [Run(views[number], each) for each in passes]
        for number, passes in ready.passes.items()
    }
    # A document with values of several kinds is found once per column.
    wanted = (offset + limit) * max(map(len, runs.values()), default=1)
    shards = list(runs.items())
    if ready.postings < PARALLEL_POSTINGS or len(shards) < 2:
        missing = _find(shards, wanted, deadline)
    else:
        other_half = pool.submit(_find, shards[1::2], wanted, deadline)
        missing = _find(shards[::2], wanted, deadline) + other_half.result()
    for shard in missing:
        del runs[shard]
    found = [run for each in runs.values() for run in each]
    for run in unsure(found, wanted):
        if deadline is not None and not deadline.is_partial:
            deadline.check()
        run.widen(wanted)
    if ready.plain:
        total = sum(views[shard].count(ready.plain[shard]) for shard in runs)
    else:
        total = sum(run.total for (run,) in runs.values())
    searched = time.perf_counter()
    ranked = merged(runs, sort, offset, limit, wanted)
    done = time.perf_counter()
    return Found(
        total,
        ranked,
        ready.notes,
        (searched - began) * 1000,
        (done - searched) * 1000,
        tuple(sorted(missing)),
    )


def _find(shards: list[tuple[int, list[Run]]], wanted: int, deadline: Deadline | None) -> list[int]:
    """Search some shards; returns those that there was no time for."""
    missing: list[int] = []
    for shard, runs in shards:
        if deadline is not None and deadline.stops():
            missing.append(shard)
            continue
        for run in runs:
            run.find(wanted)
    return missing
