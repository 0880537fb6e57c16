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
from indexing.local_index import View
from indexing.query import Query
from indexing.search import Pass, Searches, Sort


class Ranked(NamedTuple):
    """A match in the final order: what it was ordered by, its key, and its shard."""

    order: tuple[Any, ...]
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
            # One more than wanted tells whether the last value goes on.
            each.run(wanted + 1)
    total = (
        searches.counted()
        if any(len(of_shard) > 1 for of_shard in passes.values())
        else sum(each.total for of_shard in passes.values() for each in of_shard)
    )
    searched = time.perf_counter()
    descending = sort is None or sort.descending
    pages = _pages(passes, descending, wanted)
    ranked = merge_pages(pages, lambda match: match[:2], offset, limit)
    merged = time.perf_counter()
    return Found(
        total, ranked, searches.notes, (searched - began) * 1000, (merged - searched) * 1000
    )


def _pages(passes: dict[int, list[Pass]], descending: bool, wanted: int) -> list[list[Ranked]]:
    """Each shard's entries that can be on the page, ordered and with their keys."""
    if wanted == 0:
        return []
    boundary = _boundary(passes, descending, wanted)
    pages = []
    for shard, of_shard in passes.items():
        page: dict[str, Ranked] = {}
        for each in of_shard:
            if boundary is not None and each.ends_inside(boundary[1]):
                each.complete(boundary[1], wanted)
            kept = [
                (order, value, entry)
                for entry in each.entries
                if (order := order_key(value := each.value_of(entry), descending))
                and (boundary is None or not boundary[0] < order)
            ]
            keys = each.keys([entry for _, _, entry in kept])
            for (order, value, _), key in zip(kept, keys, strict=True):
                # A document with values of two kinds is in two passes: its better place counts.
                held = page.get(key)
                if held is None or order < held.order:
                    page[key] = Ranked(order, key, shard, value)
        pages.append(sorted(page.values(), key=lambda match: match[:2]))
    return pages


def _boundary(
    passes: dict[int, list[Pass]], descending: bool, wanted: int
) -> tuple[tuple[Any, ...], Any] | None:
    """The last value of the page, as (order, value), or None when all entries are on the page."""
    values = [
        (order_key(value, descending), value)
        for of_shard in passes.values()
        for each in of_shard
        for value in (each.value_of(entry) for entry in each.entries)
    ]
    if len(values) <= wanted:
        return None
    values.sort(key=lambda pair: pair[0])
    return values[wanted - 1]
