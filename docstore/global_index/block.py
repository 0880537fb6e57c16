"""Neighbouring postings of one index partition in memory: what a lookup works on.

What was read from disk is immutable arrays in order of term and key. A change marks what it
replaces as dead and puts what is new beside them (`fresh`), so a change costs a bisection; when
many have come, they are merged into new arrays (`renewing`), beside who searches and changes the
block. Not safe by itself: who holds blocks holds a lock.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from docstore.global_index.column import Column, Mask, Numbers, Places
from docstore.global_index.extracting import Extractor
from docstore.global_index.postings import SEVERAL, payloads
from docstore.global_index.readings import order_value
from docstore.global_index.wanted import Held, Wanted

CHANGED_MIN = 2000
"""Changes below which they are not merged, however small the block is."""

Row = tuple[bytes, bytes, bytes]
"""A posting's stored term, its key, and its packed value."""
Late = tuple[bytes, bytes, bytes | None]
"""A posting that was put, or with None taken away, while its block is made anew."""


class Block:
    """The postings with lower <= term < upper of one partition (upper None: to its end)."""

    def __init__(
        self, lower: bytes, upper: bytes | None, rows: Sequence[Row], of: Extractor
    ) -> None:
        self.lower = lower
        self.upper = upper
        self.of = of
        self.used = self.used_before = 0
        counts = Counter([term for term, _, _ in rows])
        packed = [row for _, _, row in rows]
        self.fill(counts, [key for _, key, _ in rows], packed, several_of(packed), {})

    def fill(
        self,
        counts: Mapping[bytes, int],
        keys: list[bytes],
        packed: list[bytes],
        several: Mask,
        columns: dict[str, Column],
    ) -> None:
        """Be rows in order, of which each term has so many."""
        self.terms = sorted(counts)
        self.starts = [0, *accumulate(map(counts.__getitem__, self.terms))]
        self.keys = keys
        self.packed = packed
        self.several = several
        self.has_several = bool(several.any())
        self.alive: Mask = np.ones(len(packed), np.bool_)
        self.dead = 0
        self.fresh: dict[bytes, dict[bytes, bytes]] = {}
        self.fresh_count = 0
        self.columns = columns
        self._payloads: list[list[Any]] | None = None
        self.late: list[Late] | None = None
        """What changed since one is made anew of it."""

    def __len__(self) -> int:
        return len(self.keys) + self.fresh_count

    @property
    def is_changed(self) -> bool:
        """Whether anything changed since it was made."""
        return self.fresh_count + self.dead > 0

    @property
    def is_read(self) -> bool:
        """Whether it was asked for since it was read, or made anew."""
        return self.used > self.used_before

    @property
    def is_worn(self) -> bool:
        """Whether so much changed that it is worth merging."""
        return self.fresh_count + self.dead > max(CHANGED_MIN, len(self.keys) // 8)

    @property
    def is_renewed(self) -> bool:
        """Whether one is made anew of it just now."""
        return self.late is not None

    def place_of(self, term: bytes, key: bytes) -> int:
        """The place of the first posting that does not come before a term and key."""
        place = bisect_left(self.terms, term)
        if place == len(self.terms) or self.terms[place] != term:
            return self.starts[place]
        return bisect_left(self.keys, key, self.starts[place], self.starts[place + 1])

    def column(self, path: str) -> Column:
        """A covered field of all postings that are not fresh; made when first asked for."""
        column = self.columns.get(path)
        if column is None:
            if self._payloads is None:
                self._payloads = payloads(self.packed)
            values = self.of.compared(path, self._payloads)
            column = self.columns[path] = Column(values)
        return column

    @cached_property
    def key_ranks(self) -> Places:
        """The place of every key among all of them."""
        ranks = np.empty(len(self.keys), np.int64)
        ranks[sorted(range(len(self.keys)), key=self.keys.__getitem__)] = np.arange(len(self.keys))
        return ranks

    def raw(self, path: str, places: Sequence[int]) -> list[Any]:
        """A covered field of some postings, as documents hold it."""
        reader = self.of.value_reader(path)
        return list(map(reader, payloads([self.packed[at] for at in places])))

    def kill(self, term: bytes, key: bytes) -> None:
        """Take a document from under a term, if it is there."""
        if self.late is not None:
            self.late.append((term, key, None))
        fresh = self.fresh.get(term)
        if fresh is not None and fresh.pop(key, None) is not None:
            self.fresh_count -= 1
        place = bisect_left(self.terms, term)
        if place < len(self.terms) and self.terms[place] == term:
            last = self.starts[place + 1]
            at = bisect_left(self.keys, key, self.starts[place], last)
            if at < last and self.keys[at] == key and self.alive[at]:
                self.alive[at] = False
                self.dead += 1

    def put(self, term: bytes, key: bytes, row: bytes) -> None:
        """Put a document under a term, from where it was taken before."""
        if self.late is not None:
            self.late.append((term, key, row))
        self.fresh.setdefault(term, {})[key] = row
        self.fresh_count += 1

    def find(self, wanted: Wanted, tests: Sequence[tuple[str, Held]]) -> "list[Slice | Loose]":
        """The living postings that are wanted and meet all conditions."""
        found: list[Slice | Loose] = []
        for term in wanted.terms:
            place = bisect_left(self.terms, term)
            if place < len(self.terms) and self.terms[place] == term:
                self._add(found, self.starts[place], self.starts[place + 1], tests, True)
            if term in self.fresh:
                self._add_fresh(found, [term], tests)
        for lower, upper in wanted.ranges:
            first, last = bisect_left(self.terms, lower), bisect_left(self.terms, upper)
            if first < last:
                self._add(found, self.starts[first], self.starts[last], tests, last == first + 1)
            self._add_fresh(found, [term for term in self.fresh if lower <= term < upper], tests)
        return found

    def _add(
        self,
        found: "list[Slice | Loose]",
        first: int,
        last: int,
        tests: Sequence[tuple[str, Held]],
        is_one: bool,
    ) -> None:
        mask: Mask | None = None
        for path, test in tests:
            each = self.column(path).mask(test, first, last)
            mask = each if mask is None else mask & each
        if self.dead:
            alive = self.alive[first:last]
            mask = alive if mask is None else mask & alive
        places = np.arange(first, last) if mask is None else np.flatnonzero(mask) + first
        if len(places):
            found.append(Slice(self, places, is_ordered=is_one))

    def _add_fresh(
        self,
        found: "list[Slice | Loose]",
        terms: Sequence[bytes],
        tests: Sequence[tuple[str, Held]],
    ) -> None:
        readers = [(self.of.compared_reader(path), test) for path, test in tests]
        rows: list[Row] = []
        for term in terms:
            those = self.fresh[term]
            carried = payloads(list(those.values())) if readers else [[]] * len(those)
            for (key, row), payload in zip(those.items(), carried, strict=True):
                if all(test.holds(reader(payload)) for reader, test in readers):
                    rows.append((term, key, row))
        if rows:
            found.append(Loose(rows, self.of))

    def term_at(self, place: int) -> bytes:
        """The term of a posting."""
        return self.terms[np.searchsorted(self.starts, place, "right") - 1]


def several_of(rows: Sequence[bytes]) -> Mask:
    """Which postings are of documents that are under several terms."""
    return np.fromiter((row[0] & SEVERAL for row in rows), np.bool_, len(rows))


class Slice:
    """Some postings of a block as it was; `is_ordered`: by key, for they are of one term."""

    def __init__(self, block: Block, places: Places, *, is_ordered: bool) -> None:
        self._block = block
        self._places = places
        self._is_ordered = is_ordered

    def __len__(self) -> int:
        return len(self._places)

    def several(self) -> list[tuple[bytes, bytes, int]]:
        """(key, term, place) of the documents that are under several terms."""
        block = self._block
        if not block.has_several:
            return []
        return [
            (block.keys[at], block.term_at(at), at)
            for at in self._places[block.several[self._places]].tolist()
        ]

    def without(self, places: set[int]) -> "Slice":
        """The rest of them."""
        kept = [at not in places for at in self._places.tolist()]
        return Slice(self._block, self._places[kept], is_ordered=self._is_ordered)

    def among(self, holds: Callable[[bytes], bool]) -> "Slice":
        """Those of some keys."""
        keys = self._block.keys
        kept = [holds(keys[at]) for at in self._places.tolist()]
        return Slice(self._block, self._places[kept], is_ordered=self._is_ordered)

    def first(self, most: int, sort: str | None, *, descending: bool) -> list[tuple[Any, Row]]:
        """What each of the first ones sorts by, and its row; unordered, more when there are ties.

        Without `sort` by key.
        """
        places = self._places
        if sort is not None:
            column = self._block.column(sort)
            places = column.first(places, most, descending=descending)
            return [
                (order_value(column.values[at], descending=descending), self._row(at))
                for at in places.tolist()
            ]
        chosen = places.tolist() if most >= len(places) else self._first_keys(most)
        return [(None, self._row(at)) for at in chosen]

    def _first_keys(self, most: int) -> list[int]:
        if self._is_ordered:
            found: list[int] = self._places[:most].tolist()
            return found
        ranks = self._block.key_ranks[self._places]
        chosen: list[int] = self._places[np.argpartition(ranks, most)[:most]].tolist()
        return chosen

    def _row(self, at: int) -> Row:
        return b"", self._block.keys[at], self._block.packed[at]

    def all_keys(self) -> list[bytes]:
        """The keys, in no order."""
        keys = self._block.keys
        return [keys[at] for at in self._places.tolist()]

    def counts(self, path: str) -> dict[Any, int]:
        """Documents per value of a covered field."""
        return self._block.column(path).counts(self._places)

    def numbers(self, path: str) -> Numbers | None:
        """A covered field's numbers, None where floats would not be exact."""
        return self._block.column(path).floats(self._places)

    def values(self, path: str) -> list[tuple[bytes, Any]]:
        """The key and a covered field of each, as documents hold it."""
        places = self._places.tolist()
        keys = [self._block.keys[at] for at in places]
        return list(zip(keys, self._block.raw(path, places), strict=True))


class Loose:
    """Some postings that are not in arrays."""

    def __init__(self, rows: list[Row], of: Extractor) -> None:
        self._rows = rows
        self.of = of

    def __len__(self) -> int:
        return len(self._rows)

    def several(self) -> list[tuple[bytes, bytes, int]]:
        """(key, term, place) of the documents that are under several terms."""
        return [
            (key, term, at) for at, (term, key, row) in enumerate(self._rows) if row[0] & SEVERAL
        ]

    def without(self, places: set[int]) -> "Loose":
        """The rest of them."""
        return Loose([row for at, row in enumerate(self._rows) if at not in places], self.of)

    def among(self, holds: Callable[[bytes], bool]) -> "Loose":
        """Those of some keys."""
        return Loose([row for row in self._rows if holds(row[1])], self.of)

    def first(self, most: int, sort: str | None, *, descending: bool) -> list[tuple[Any, Row]]:
        """All of them, each with what it sorts by."""
        if sort is None:
            return [(None, row) for row in self._rows]
        column = self._column(sort)
        places = column.first(np.arange(len(self._rows)), most, descending=descending)
        return [
            (order_value(column.values[at], descending=descending), self._rows[at])
            for at in places.tolist()
        ]

    def _column(self, path: str) -> Column:
        return Column(self.of.compared(path, payloads([row for _, _, row in self._rows])))

    def all_keys(self) -> list[bytes]:
        """The keys, in no order."""
        return [key for _, key, _ in self._rows]

    def counts(self, path: str) -> dict[Any, int]:
        """Documents per value of a covered field."""
        return self._column(path).counts(np.arange(len(self._rows)))

    def numbers(self, path: str) -> Numbers | None:
        """A covered field's numbers, None where floats would not be exact."""
        return self._column(path).floats(np.arange(len(self._rows)))

    def values(self, path: str) -> list[tuple[bytes, Any]]:
        """The key and a covered field of each, as documents hold it."""
        reader = self.of.value_reader(path)
        values = map(reader, payloads([row for _, _, row in self._rows]))
        return list(zip([key for _, key, _ in self._rows], values, strict=True))
