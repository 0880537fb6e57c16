"""What a global index answers: matching documents as of one moment, in order, page by page.

Invariant: a snapshot; what changes in the index afterwards does not change it. Every document is in
it once, also when it is under several of the wanted terms: then under the least. Nothing is decoded
but the rows of a page and, for counts, nothing at all.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from docstore.global_index.block import Loose, Row, Slice
from docstore.global_index.column import Numbers, count_in
from docstore.global_index.extracting import Extractor
from docstore.global_index.postings import unpacked
from docstore.queries.ordering import order_key

Segments = Sequence[Slice | Loose]


class Candidate(NamedTuple):
    """A document as the index knows it.

    `value` is what was indexed (a list when of several fields); `included` what is, in order: with
    `include="all"` the document.
    """

    key: bytes
    shard: int
    version: int
    seq: int
    value: Any
    included: tuple[Any, ...]
    is_plain: bool = False
    """Whether the document has each of them under its name, as the one value it is."""


@dataclass(frozen=True)
class Candidates:
    """Documents with a wanted value that meet all conditions; `total` is exact.

    `pending` entries had to be read for it; `overlay` documents were not yet in the index's files.
    """

    segments: Segments
    of: Extractor
    sort: str | None = None
    descending: bool = False
    index_partitions: tuple[int, ...] = ()
    pending: int = 0
    overlay: int = 0
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(map(len, self.segments)))

    def page(self, offset: int, limit: int) -> list[Candidate]:
        """The candidates from `offset` on, at most `limit`: by `sort`, equal ones by key."""
        if not limit or not self.segments:
            return []
        included = len(self.of.definition.include) + (1 if self.of.definition.covers_all else 0)
        page = []
        for key, row in self._ordered(offset + limit)[offset : offset + limit]:
            posting = unpacked(b"", key, row)
            value, *carried = posting.payload[: 1 + included]
            page.append(
                Candidate(
                    key,
                    posting.shard,
                    posting.version,
                    posting.seq,
                    value,
                    tuple(carried),
                    posting.is_plain,
                )
            )
        return page

    def _ordered(self, most: int) -> list[tuple[bytes, bytes]]:
        """Key and row of the first ones."""
        found: list[tuple[Any, Row]] = []
        for segment in self.segments:
            found += segment.first(most, self.sort, descending=self.descending)
        if self.sort is None:
            rows = sorted((key, row) for _, (_, key, row) in found)
            return rows[:most]
        keyed = sorted(
            (order_key(value, self.descending), key, row) for value, (_, key, row) in found
        )
        return [(key, row) for _, key, row in keyed[:most]]

    def keys(self) -> list[bytes]:
        """The encoded keys of all, in the order of pages."""
        if self.sort is None:
            return sorted(key for segment in self.segments for key in segment.all_keys())
        return [key for key, _ in self._ordered(self.total)]

    def restricted(self, keys: Set[bytes]) -> "Candidates":
        """Those of some keys only: what another index found too."""
        segments = [segment.among(keys.__contains__) for segment in self.segments]
        return replace(self, segments=[each for each in segments if len(each)])

    def counts(self, path: str) -> list[tuple[Any, int]]:
        """How many of them hold each value of a covered field; a list counts under each of its.

        Dates are microseconds since 1970; True is not 1, 7 and 7.0 are one value.
        """
        self.of.check_covers(path)
        found: dict[Any, int] = {}
        for segment in self.segments:
            for name, count in segment.counts(path).items():
                count_in(found, name, count)
        return [(value, count) for (_, value), count in found.items()]

    def numbers(self, path: str) -> Numbers | None:
        """A covered field's numbers (dates as microseconds since 1970), in no order.

        None where a value is a string or a list, or not exact as a float.
        """
        self.of.check_covers(path)
        found = [segment.numbers(path) for segment in self.segments]
        exact = [numbers for numbers in found if numbers is not None]
        if len(exact) < len(found):
            return None
        return np.concatenate([np.empty(0, np.float64), *exact])

    def values(self, path: str) -> list[Any]:
        """A covered field of each as documents hold it, None where missing, in order of `keys`."""
        self.of.check_covers(path)
        found = dict(pair for segment in self.segments for pair in segment.values(path))
        return [found[key] for key in self.keys()]


def once_each(segments: list[Slice | Loose]) -> list[Slice | Loose]:
    """Every document once, under the least of its terms."""
    least: dict[bytes, tuple[bytes, int, int]] = {}
    repeated: dict[int, set[int]] = {}
    for number, segment in enumerate(segments):
        for key, term, at in segment.several():
            held = least.get(key)
            if held is None or term < held[0]:
                if held is not None:
                    repeated.setdefault(held[1], set()).add(held[2])
                least[key] = (term, number, at)
            else:
                repeated.setdefault(number, set()).add(at)
    kept = [
        segment.without(repeated[number]) if number in repeated else segment
        for number, segment in enumerate(segments)
    ]
    return [segment for segment in kept if len(segment)]


def under_all(segments: Segments, others: Segments) -> list[Slice | Loose]:
    """Those of the documents of some segments that are in others too."""
    keys = {key for segment in others for key in segment.all_keys()}
    kept = [segment.among(keys.__contains__) for segment in segments]
    return [segment for segment in kept if len(segment)]
