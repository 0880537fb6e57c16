"""Running a search over the views of some shards: all that match are counted, the first are found.

A dear search uses both of a pool's threads; what the shards find is merged into one page. Nothing
here touches documents or logs.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from docstore.merge import Ranked, merged
from indexing.errors import DeadlineExceeded, InvalidQuery
from indexing.local_index import View
from indexing.query import Query
from indexing.search import Pass, Searches, Sort

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
    """When a search stops: it fails then, or answers from the shards it has searched so far.

    `at` is of the clock `time.perf_counter`. A shard's search is not cut short.
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


def search(
    query: Query,
    views: dict[int, View],
    key_text: Callable[[Any], str],
    sort: Sort | None,
    offset: int,
    limit: int,
    pool: Executor,
    deadline: Deadline | None = None,
) -> Found:
    """The matches from `offset` on, at most `limit`, in the order of `sort` or of the score."""
    began = time.perf_counter()
    searches = Searches(query, views, key_text)
    passes = searches.by_score() if sort is None else searches.by_field(sort)
    # A document with values of several kinds is found once per column.
    wanted = (offset + limit) * max(map(len, passes.values()), default=1)
    runs = list(passes.items())
    if searches.postings < PARALLEL_POSTINGS or len(runs) < 2:
        missing = _run(runs, wanted, deadline)
    else:
        other_half = pool.submit(_run, runs[1::2], wanted, deadline)
        missing = _run(runs[::2], wanted, deadline) + other_half.result()
    for shard in missing:
        del passes[shard]
    total = (
        searches.counted(passes)
        if any(len(of_shard) > 1 for of_shard in passes.values())
        else sum(each.total for of_shard in passes.values() for each in of_shard)
    )
    searched = time.perf_counter()
    ranked = merged(passes, sort, offset, limit, wanted)
    done = time.perf_counter()
    return Found(
        total,
        ranked,
        searches.notes,
        (searched - began) * 1000,
        (done - searched) * 1000,
        tuple(sorted(missing)),
    )


def _run(runs: list[tuple[int, list[Pass]]], wanted: int, deadline: Deadline | None) -> list[int]:
    """Run the passes of some shards; returns the shards that there was no time for."""
    missing: list[int] = []
    for shard, passes in runs:
        if deadline is not None and time.perf_counter() > deadline.at:
            if not deadline.is_partial:
                raise DeadlineExceeded(
                    "the search was not done within its time",
                    hint="narrow it, allow it more time, or ask for what is found by then",
                )
            missing.append(shard)
            continue
        for each in passes:
            each.run(wanted)
    return missing
