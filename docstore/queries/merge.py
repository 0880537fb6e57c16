"""Merging what several shards found into one page, in one total order.

The order is by score or by a field's value, equal values by key. Tantivy breaks ties as it likes,
so the page's last value is looked at in every shard whose entries end inside that tie, and the tie
is completed there and ordered by key. That is what makes answers independent of the number of
shards. Nothing here plans, or touches documents or logs.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

from docstore.queries.ordering import number_orders, order_key
from indexing.layout import ColumnKind
from indexing.local_index import Entry
from indexing.passes import Run, Sort

_STEP = 16
"""Entries beyond the page that are looked at together while a tie goes on."""
_LONG_TIE = 12
"""So many more equal entries than needed are narrowed by rank, which costs 8 µs, not by key."""

_NUMBERS = frozenset((ColumnKind.INT, ColumnKind.FLOAT, ColumnKind.DATETIME))

Order = Any
"""What a value sorts by, ascending; missing values last."""
Ordering = Callable[[list[Any]], list[Order]]
"""What values sort by; the same for all that is merged."""

Ranked = tuple[Order, str, int, Any]
"""A match in the final order: what it was ordered by, its key's text, its shard, and the value."""
_BY_ORDER_AND_KEY = itemgetter(0, 1)


def merged(
    runs: Mapping[int, list[Run]], sort: Sort | None, offset: int, limit: int, wanted: int
) -> list[Ranked]:
    """The page of matches from `offset` on; every run has found at least `wanted` entries."""
    if wanted == 0:
        return []
    ordering = _ordering(runs, sort)
    fronts = [_Front(shard, run, ordering, wanted) for shard, each in runs.items() for run in each]
    matches = _matches(fronts, wanted)
    if len(fronts) > len(runs):
        matches = _once_each(matches)
    matches.sort(key=_BY_ORDER_AND_KEY)
    return matches[offset : offset + limit]


def _ordering(runs: Mapping[int, list[Run]], sort: Sort | None) -> Ordering:
    """The best score first, or as a field is asked for."""
    if sort is None:
        return _by_score
    columns = (run.by.column for each in runs.values() for run in each)
    if all(column is not None and column.kind in _NUMBERS for column in columns):
        return partial(number_orders, descending=sort.descending)
    return lambda values: [order_key(value, sort.descending) for value in values]


def _by_score(scores: list[float]) -> list[float]:
    return [-score for score in scores]


class _Front:
    """The entries of one run as far as they were looked at: their values, and their orders."""

    __slots__ = ("ordering", "orders", "run", "shard", "values")

    def __init__(self, shard: int, run: Run, ordering: Ordering, wanted: int) -> None:
        self.shard = shard
        self.run = run
        self.ordering = ordering
        self.values = run.values(0, wanted)
        self.orders = ordering(self.values)

    def _look(self, more: int) -> None:
        start = len(self.values)
        values = self.run.values(start, start + more)
        self.values += values
        self.orders += self.ordering(values)

    def complete(self, boundary: Order, wanted: int) -> None:
        """Look at the first `wanted` of all that equals the boundary.

        No run's entries end before it: each has shown the first `wanted`, or all it has.
        """
        run = self.run
        while self.orders and self.orders[-1] == boundary and not run.by.constant:
            if len(self.orders) < len(run.entries):
                self._look(_STEP)
            elif run.goes_on:
                run.look_further(self.values[-1], wanted)
                self.values, self.orders = [], []
                self._look(len(run.entries))
            else:
                return

    def ranked(self, start: int, end: int) -> list[Ranked]:
        """The matches in a range of entries, with their keys read."""
        return self.of(self.run.entries[start:end], start, end)

    def of(self, entries: list[Entry], start: int, end: int) -> list[Ranked]:
        """The matches of some entries, whose orders and values are those of a range."""
        keys = self.run.keys(entries)
        return list(zip(self.orders[start:end], keys, repeat(self.shard), self.values[start:end]))


def _matches(fronts: list[_Front], wanted: int) -> list[Ranked]:
    """Everything that can be on the page: what is before its last value, and the first of that."""
    orders = sorted(chain.from_iterable(front.orders for front in fronts))
    if len(orders) < wanted:
        return [match for front in fronts for match in front.ranked(0, len(front.orders))]
    boundary = orders[wanted - 1]
    matches: list[Ranked] = []
    ties: list[tuple[_Front, int, int]] = []
    for front in fronts:
        front.complete(boundary, wanted)
        start, end = bisect_left(front.orders, boundary), bisect_right(front.orders, boundary)
        if start:
            matches += front.ranked(0, start)
        if end > start:
            ties.append((front, start, end))
    needed = wanted - len(matches)
    for front, start, end in ties:
        matches += _first_of(front, start, end, needed)
    return matches


def _first_of(front: _Front, start: int, end: int, needed: int) -> list[Ranked]:
    """Of a run's part of a tie, the matches that can be among the tie's first `needed` by key.

    Ranks are those of one index: they cannot be compared with another's.
    """
    entries = front.run.entries[start:end]
    if front.run.by.constant or len(entries) <= needed + _LONG_TIE:
        return front.of(entries, start, end)
    ranks = front.run.ranks(entries)
    last = sorted(ranks)[needed - 1]
    kept = [entry for entry, rank in zip(entries, ranks, strict=True) if rank <= last]
    return front.of(kept, start, start + len(kept))


def _once_each(matches: list[Ranked]) -> list[Ranked]:
    """A document with values of several kinds is in several passes: its best place counts."""
    best: dict[str, Ranked] = {}
    for match in matches:
        order, key_text, _, _ = match
        held = best.get(key_text)
        if held is None or order < held[0]:
            best[key_text] = match
    return list(best.values())
