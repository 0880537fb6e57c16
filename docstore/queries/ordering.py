"""One total order over sort values of any kind.

Invariant: the order is total over None, bools, numbers and strings, whatever mix the documents
hold: None last in both directions, kinds in the order bool, number, string, reversed when
descending. Equal values compare equal, so a caller that wants a fixed order puts the key last.
Pure: no shard, index or hit is known here.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from indexing.errors import InvalidQuery

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
    if type(value) is int:
        return (_PRESENT, -_NUMBER, -value) if descending else (_PRESENT, _NUMBER, value)
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


def number_orders(values: Iterable[float | None], descending: bool) -> list[float]:
    """What numbers sort by where there is nothing but numbers and None: the same order, faster."""
    if descending:
        return [math.inf if each is None or each != each else -each for each in values]  # noqa: PLR0124  NaN
    return [math.inf if each is None or each != each else each for each in values]  # noqa: PLR0124  NaN
