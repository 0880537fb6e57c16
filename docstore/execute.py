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
from indexing.local_index import View
from indexing.query import Query
from indexing.search import Pass, Searches, Sort

PARALLEL_POSTINGS = 40_000
"""Postings from which a second thread is worth its 60 µs: they take about 300 µs to score."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches in order, how many match in all, and milliseconds per stage."""

    total: int
    ranked: list[Ranked]
    notes: tuple[str, ...]
    search_ms: float
    merge_ms: float


def search(
    query: Query,
    views: dict[int, View],
    key_text: Callable[[Any], str],
    sort: Sort | None,
    offset: int,
    limit: int,
    pool: Executor,
) -> Found:
    """The matches from `offset` on, at most `limit`, in the order of `sort` or of the score."""
    began = time.perf_counter()
    searches = Searches(query, views, key_text)
    passes = searches.by_score() if sort is None else searches.by_field(sort)
    # A document with values of several kinds is found once per column.
    wanted = (offset + limit) * max(map(len, passes.values()), default=1)
    runs = [each for of_shard in passes.values() for each in of_shard]
    if searches.postings < PARALLEL_POSTINGS or len(runs) < 2:
        _run(runs, wanted)
    else:
        other_half = pool.submit(_run, runs[1::2], wanted)
        _run(runs[::2], wanted)
        other_half.result()
    total = (
        searches.counted()
        if any(len(of_shard) > 1 for of_shard in passes.values())
        else sum(each.total for of_shard in passes.values() for each in of_shard)
    )
    searched = time.perf_counter()
    ranked = merged(passes, sort, offset, limit, wanted)
    done = time.perf_counter()
    return Found(total, ranked, searches.notes, (searched - began) * 1000, (done - searched) * 1000)


def _run(passes: list[Pass], wanted: int) -> None:
    for each in passes:
        each.run(wanted)
