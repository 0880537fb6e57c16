"""What a field's value is when it is compared: one reading for documents and for questions.

The same as the local indexes': a value that its field's kind cannot hold is none, and neither is a
string beyond KEYWORD_BYTES_MAX. Dates are microseconds since 1970.
"""

import datetime
import math
from typing import Any

from docstore.queries.ordering import order_key
from indexing.flatten import kind_of
from indexing.layout import KEYWORD_BYTES_MAX
from indexing.schema import Kind
from indexing.values import stored_microseconds

_SURELY_SHORT = KEYWORD_BYTES_MAX // 4
"""A character is at most four bytes."""
_STRINGS = (Kind.STRING, Kind.KEYWORD, Kind.TEXT)


def comparable(value: Any, kind: Kind) -> Any:
    """A scalar as a field of a kind (ANY: by its own type) compares it; None for no value."""
    if type(value) is str and kind is not Kind.DATETIME and kind is not Kind.FLOAT:
        if kind in _STRINGS or kind is Kind.ANY:
            is_short = len(value) <= _SURELY_SHORT
            return value if is_short or len(value.encode()) <= KEYWORD_BYTES_MAX else None
        return None
    try:
        if kind is Kind.DATETIME:
            is_date = isinstance(value, datetime.date)
            return stored_microseconds(value.isoformat() if is_date else value)
        if kind is Kind.FLOAT:
            number = float(value) + 0.0
            return number if math.isfinite(number) else None
        if type(value) not in (bool, int, float):
            return None
        found = kind_of(value)
        if kind is not Kind.ANY:
            return value if found is kind else None
        return float(value) + 0.0 if found is Kind.FLOAT else value
    except (ValueError, TypeError, OverflowError):
        return None


def all_comparable(value: Any, kind: Kind) -> Any:
    """The same of what a posting carries: a scalar, a list of several, or None."""
    if type(value) is not list:
        return None if value is None else comparable(value, kind)
    found = [each for one in value if (each := comparable(one, kind)) is not None]
    return found if len(found) > 1 else found[0] if found else None


def order_value(value: Any, *, descending: bool) -> Any:
    """What a comparable sorts by: of a list the best of the first ones of each type."""
    if type(value) is not list:
        return value
    firsts: dict[type, Any] = {}
    for each in value:
        firsts.setdefault(type(each), each)
    return min(firsts.values(), key=lambda each: order_key(each, descending))
