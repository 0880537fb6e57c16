"""Running a search over the views of some shards and merging what they find into one page.

The order is total: by score or by a field's value, equal values by key. Tantivy breaks ties as it
likes, so the page's last value is looked at in every shard whose entries end inside that tie, and
the tie is completed there and ordered by key. That is what makes answers independent of the number
of shards. Nothing here touches documents or logs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from docstore.merge import merge_pages, order_key
from indexing.local_index import Entry, View
from indexing.query import Query
from indexing.search import Pass, Searches, Sort

Order = tuple[Any, ...]
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
) -> Found:
    """The matches from `offset` on, at most `limit`, in the order of `sort` or of the score."""
    began = time.perf_counter()
    searches = Searches(query, views, key_text)
    passes = searches.by_score() if sort is None else searches.by_field(sort)
    # A document with values of several kinds is found once per column.
    wanted = (offset + limit) * max(map(len, passes.values()), default=1)
    for of_shard in passes.values():
        for each in of_shard:
            each.run(wanted)
    total = (
        searches.counted()
        if any(len(of_shard) > 1 for of_shard in passes.values())
        else sum(each.total for of_shard in passes.values() for each in of_shard)
    )
    searched = time.perf_counter()
    pages = _pages(passes, _score_order if sort is None else _field_order(sort), wanted)
    ranked = merge_pages(pages, lambda match: match[:2], offset, limit)
    merged = time.perf_counter()
    return Found(
        total, ranked, searches.notes, (searched - began) * 1000, (merged - searched) * 1000
    )


def _score_order(score: float) -> Order:
    return (-score,)


def _field_order(sort: Sort) -> Callable[[Any], Order]:
    descending = sort.descending
    return lambda value: order_key(value, descending)


def _pages(
    passes: dict[int, list[Pass]], order_of: Callable[[Any], Order], wanted: int
) -> list[list[Ranked]]:
    """Each shard's entries that can be on the page, ordered and with their keys."""
    if wanted == 0:
        return []
    boundary = _boundary(passes, order_of, wanted)
    pages = []
    for shard, of_shard in passes.items():
        page: dict[str, Ranked] = {}
        for each in of_shard:
            kept = _kept(each, boundary, order_of, wanted)
            keys = each.keys([entry for _, _, entry in kept])
            for (order, value, _), key in zip(kept, keys, strict=True):
                # A document with values of two kinds is in two passes: its better place counts.
                held = page.get(key)
                if held is None or order < held.order:
                    page[key] = Ranked(order, key, shard, value)
        pages.append(sorted(page.values(), key=lambda match: match[:2]))
    return pages


def _boundary(
    passes: dict[int, list[Pass]], order_of: Callable[[Any], Order], wanted: int
) -> Order | None:
    """The order of the page's last value, or None when all entries are on the page."""
    orders = [
        order_of(each.value_of(entry))
        for of_shard in passes.values()
        for each in of_shard
        for entry in each.entries[:wanted]
    ]
    if len(orders) < wanted:
        return None
    orders.sort()
    return orders[wanted - 1]


def _kept(
    each: Pass, boundary: Order | None, order_of: Callable[[Any], Order], wanted: int
) -> list[tuple[Order, Any, Entry]]:
    """A pass's entries up to the boundary, and all of those that are equal to it."""
    while True:
        kept: list[tuple[Order, Any, Entry]] = []
        value: Any = None
        for entry in each.entries[:wanted] if each.constant else each.entries:
            value = each.value_of(entry)
            order = order_of(value)
            if boundary is not None and boundary < order:
                return kept
            kept.append((order, value, entry))
        if not each.goes_on:
            return kept
        each.look_further(value, wanted)
