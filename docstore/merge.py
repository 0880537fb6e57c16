"""Merging what shards return: one total order over sort values, and one page out of many.

Invariants:
1. The order is total over None, bools, numbers and strings, whatever mix the documents hold: None
   last in both directions, kinds in the order bool, number, string, reversed when descending.
2. Merging gives what sorting all pages together would give; equal items keep the order of their
   pages, so a caller that wants a fixed order puts the key last in its order.

Pure: no shard, index or hit is known here.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from indexing.errors import InvalidQuery

T = TypeVar("T")

_PRESENT, _MISSING = 0, 1
_BOOL, _NUMBER, _STRING = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Reversed:
    """A string that compares the other way round; strings cannot be negated."""

    value: str

    def __lt__(self, other: "Reversed") -> bool:
        return other.value < self.value


def order_key(value: Any, descending: bool) -> tuple[Any, ...]:
    """A tuple that sorts ascending into the order asked for; compare only those of one direction.

    `value` is None, a bool, an int, a float or a str; NaN counts as None, for it has no place in
    an order. Raises InvalidQuery for any other type.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return (_MISSING,)
    if isinstance(value, bool):
        kind = _BOOL
    elif isinstance(value, int | float):
        kind = _NUMBER
    elif isinstance(value, str):
        return (_PRESENT, -_STRING, Reversed(value)) if descending else (_PRESENT, _STRING, value)
    else:
        raise InvalidQuery(
            f"cannot sort by a {type(value).__name__}",
            hint="sort by a field that holds one string, number or boolean",
        )
    return (_PRESENT, -kind, -value) if descending else (_PRESENT, kind, value)


def merge_pages(
    pages: Sequence[Sequence[T]], order: Callable[[T], Any], offset: int, limit: int
) -> list[T]:
    """Items offset to offset + limit of all pages together; each page is sorted by `order` already.

    Costs offset + limit steps, whatever the pages hold. Raises InvalidQuery if either is negative.
    """
    if offset < 0 or limit < 0:
        raise InvalidQuery(
            "a page cannot begin or end before the first result",
            hint="use an offset and a limit of 0 or more",
        )
    total = sum(map(len, pages))  # also keeps absurd limits within what islice can count
    merged = heapq.merge(*pages, key=order)
    return list(islice(merged, min(offset, total), min(offset + limit, total)))
