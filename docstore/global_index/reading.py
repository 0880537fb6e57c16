"""Reading a global index: which postings answer, as of which moment, in which order.

Invariant: a `current` answer is that of the documents at a moment after the call began. Postings
are read with the checkpoints they are of; every document that has an entry after them is taken as
it is now instead. So nothing waits, and no posting needs to be confirmed. `any` takes postings as
they are. The order is that of all searches: by value, missing ones last, then by key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.postings import Checkpoint, Posting
from docstore.global_index.terms import (
    TERM_BYTES_MAX,
    asked_term,
    kind_range,
    partition_of,
    prefix_range,
    term_of,
)
from docstore.ordering import order_key
from docstore.records import Record
from indexing.errors import Closed, InvalidQuery, Unavailable

TAIL_BATCH = 2000
_AFTER = b"\xff"
"""Above every number of a document (which begins with 0), so after all postings of a term."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whole terms asked for: lower <= term < upper in any of `ranges`; one term alone is exact."""

    ranges: tuple[tuple[bytes, bytes], ...]
    terms: tuple[bytes, ...] = ()

    def holds(self, term: bytes) -> bool:
        """Whether a whole term is wanted."""
        return term in self.terms or any(lower <= term < upper for lower, upper in self.ranges)

    def stored(self) -> list[tuple[bytes, bytes]]:
        """The ranges of posting keys that can hold them."""
        cut = {term[:TERM_BYTES_MAX] for term in self.terms}
        return [
            *((term, term + _AFTER) for term in sorted(cut)),
            *((lo[:TERM_BYTES_MAX], up[:TERM_BYTES_MAX] + _AFTER) for lo, up in self.ranges),
        ]

    def partitions(self, count: int) -> list[int]:
        """The index partitions that can hold them."""
        if self.ranges:
            return list(range(count))
        return sorted({partition_of(term, count) for term in self.terms})


def wanted_of(index: LiveIndex, values: Sequence[Any] | None, bounds: dict[str, Any]) -> Wanted:
    """What a caller asks for: some values, or one range by gt, gte, lt, lte, or a prefix."""
    if values is not None:
        terms = {asked_term(value, is_date=index.is_date) for value in values}
        return Wanted((), tuple(sorted(terms)))
    if "prefix" in bounds:
        prefix = bounds["prefix"]
        if not isinstance(prefix, str) or index.is_date:
            raise InvalidQuery(
                f"{prefix!r} is not a prefix", hint="give a string to a string field"
            )
        return Wanted((prefix_range(prefix),))
    asked = {name: asked_term(value, is_date=index.is_date) for name, value in bounds.items()}
    lower, upper = kind_range(next(iter(asked.values())))
    if any(term[:1] != lower for term in asked.values()):
        raise InvalidQuery("the bounds are of two kinds", hint="give two numbers, or two strings")
    # No whole term begins another, so what follows a term directly is itself with one more byte.
    for name, term in asked.items():
        bound = term + b"\0" if name in ("gt", "lte") else term
        if name in ("gt", "gte"):
            lower = max(lower, bound)
        else:
            upper = min(upper, bound)
    return Wanted(((lower, upper),))


@dataclass(frozen=True, slots=True)
class Read:
    """Every matching document once, and how fresh it was: entries overlaid, partitions asked."""

    postings: list[Posting]
    pending: int
    partitions: list[int]


def read(index: LiveIndex, wanted: Wanted, numbers: Sequence[int], *, current: bool) -> Read:
    """The documents with a wanted value; raises Unavailable while the index is filled."""
    asked = wanted.partitions(index.definition.partitions)
    found: dict[bytes, Posting] = {}
    seen: list[dict[int, Checkpoint]] = []
    for place in asked:
        try:
            postings, checkpoints = index.partitions[place].find(wanted.stored())
        except Closed as error:
            raise _unready(index) from error
        seen.append(checkpoints)
        for posting in postings:
            if _is_wanted(index, wanted, posting):
                _keep(index, found, posting)
    _check_filled(index, numbers, seen)
    pending = _overlay(index, wanted, found, numbers, seen) if current and asked else 0
    return Read(list(found.values()), pending, asked)


def _check_filled(
    index: LiveIndex, numbers: Sequence[int], seen: list[dict[int, Checkpoint]]
) -> None:
    for number in numbers:
        for each in seen:
            if number not in each or each[number].filled is not None:
                raise _unready(index)


def _overlay(
    index: LiveIndex,
    wanted: Wanted,
    found: dict[bytes, Posting],
    numbers: Sequence[int],
    seen: list[dict[int, Checkpoint]],
) -> int:
    """Replace what was found of documents with later entries by what they are now.

    The logs' ends are taken after the postings were read: no posting is newer than they are.
    """
    pending = 0
    for number in numbers:
        for key, record in _tail(index, number, min(each[number].seq for each in seen)):
            pending += 1
            found.pop(key, None)
            if record is None:
                continue
            for postings in index.postings_of(key, number, record).values():
                for posting in postings:
                    if _is_wanted(index, wanted, posting):
                        _keep(index, found, posting)
    return pending


def _tail(index: LiveIndex, number: int, after: int) -> Iterator[tuple[bytes, Record | None]]:
    """Every document with an entry after a seq, as it is now."""
    shard = index.shard_of(number)
    head = shard.head
    if after > head:  # the shard was restored from an older copy
        raise _unready(index)
    while after < head:
        tail = shard.tail(after, TAIL_BATCH)
        if not tail or tail[0][0].seq != after + 1:
            raise _unready(index)
        after = tail[-1][0].seq
        yield from {entry.key: record for entry, record in tail}.items()


def _is_wanted(index: LiveIndex, wanted: Wanted, posting: Posting) -> bool:
    term = term_of(posting.value, is_date=index.is_date)
    return term is not None and wanted.holds(term)


def _keep(index: LiveIndex, found: dict[bytes, Posting], posting: Posting) -> None:
    """A document with several wanted values counts once, with the least."""
    held = found.get(posting.key)
    term = term_of(posting.value, is_date=index.is_date) or b""
    if held is None or term < (term_of(held.value, is_date=index.is_date) or b""):
        found[posting.key] = posting


def _unready(index: LiveIndex) -> Unavailable:
    return Unavailable(
        f"the index {index.definition.name!r} is being filled from the documents",
        hint="search without it, or ask again later",
        retryable=True,
    )


def ordered(
    index: LiveIndex, postings: list[Posting], sort: str | None, *, descending: bool
) -> list[Posting]:
    """The postings by an included field or the indexed one, equal values by key; else by key."""
    postings = sorted(postings, key=lambda posting: posting.key)
    if sort is None:
        return postings
    value_of = _value_of(index.definition, sort)
    return sorted(postings, key=lambda posting: order_key(value_of(posting), descending))


def _value_of(definition: GlobalIndex, sort: str) -> Callable[[Posting], Any]:
    if sort == definition.field:
        return lambda posting: posting.value
    if sort not in definition.include:
        raise InvalidQuery(
            f"the index {definition.name!r} does not include {sort!r}",
            hint=f"sort by one of: {', '.join((definition.field, *definition.include))}",
        )
    place = definition.include.index(sort)
    return lambda posting: posting.included[place]
