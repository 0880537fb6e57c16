"""Running a search over the views of some shards and merging what they find into one page.

The order is total: by score or by a field's value, equal values by key. Tantivy breaks ties as it
likes, so the page's last value is looked at in every shard whose entries end inside that tie, and
the tie is completed there and ordered by key. That is what makes answers independent of the number
of shards. Nothing here touches documents or logs.
"""

import time
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, NamedTuple

from docstore.ordering import order_key
from indexing.local_index import View
from indexing.query import Query
from indexing.search import Pass, Searches, Sort

PARALLEL_POSTINGS = 25_000
"""Postings from which a second thread is worth its 60 µs: they take about 200 µs to score."""

_STEP = 16
"""Entries beyond the page that are looked at together while a tie goes on."""

Order = Any
"""What a value sorts by, ascending; missing values last."""


class Ranked(NamedTuple):
    """A match in the final order: what it was ordered by, its key, and its shard."""

    order: Order
    key_text: str
    shard: int
    value: Any


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
    order_of = _score_order if sort is None else _field_order(sort)
    matches = _matches(passes, order_of, wanted)
    matches.sort(key=_BY_ORDER_AND_KEY)
    ranked = matches[offset : offset + limit]
    merged = time.perf_counter()
    return Found(
        total, ranked, searches.notes, (searched - began) * 1000, (merged - searched) * 1000
    )


def _run(passes: list[Pass], wanted: int) -> None:
    for each in passes:
        each.run(wanted)


_BY_ORDER_AND_KEY = itemgetter(0, 1)


def _score_order(score: float) -> Order:
    return -score


def _field_order(sort: Sort) -> Callable[[Any], Order]:
    descending = sort.descending
    return lambda value: order_key(value, descending)


def _matches(
    passes: dict[int, list[Pass]], order_of: Callable[[Any], Order], wanted: int
) -> list[Ranked]:
    """Everything that can be on the page: up to its last value, and all that equals it."""
    if wanted == 0:
        return []
    firsts = [
        (shard, each, list(map(order_of, each.values(0, wanted))))
        for shard, of_shard in passes.items()
        for each in of_shard
    ]
    orders = sorted(chain.from_iterable(first for _, _, first in firsts))
    boundary = orders[wanted - 1] if len(orders) >= wanted else None
    matches: list[Ranked] = []
    for shard, each, first in firsts:
        kept = _up_to(each, first, boundary, order_of, wanted)
        values = each.values(0, len(kept))
        keys = each.keys(each.entries[: len(kept)])
        matches += map(Ranked, kept, keys, repeat(shard), values)
    if len(firsts) > len(passes):
        matches = _once_each(matches)
    return matches


def _up_to(
    each: Pass,
    orders: list[Order],
    boundary: Order | None,
    order_of: Callable[[Any], Order],
    wanted: int,
) -> list[Order]:
    """The orders of a pass's entries up to and with the boundary, all that equal it included."""
    if boundary is None:
        return orders
    kept = bisect_right(orders, boundary)
    while kept == len(orders) and kept and not each.constant:
        if len(orders) == len(each.entries):
            if not each.goes_on:
                break
            each.look_further(each.values(kept - 1, kept)[0], wanted)
            orders = list(map(order_of, each.values(0, len(each.entries))))
        else:
            orders = orders + list(map(order_of, each.values(kept, kept + _STEP)))
        kept = bisect_right(orders, boundary)
    return orders[:kept]


def _once_each(matches: list[Ranked]) -> list[Ranked]:
    """A document with values of several kinds is in several passes: its best place counts."""
    best: dict[str, Ranked] = {}
    for match in matches:
        held = best.get(match.key_text)
        if held is None or match.order < held.order:
            best[match.key_text] = match
    return list(best.values())
