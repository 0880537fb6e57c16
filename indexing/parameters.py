"""Readers of a request body's values: each takes a raw value and its place, and returns it checked.

Invariants: what a reader returns is finite, valid Unicode and of the type its node declares, so
that nothing behind it has to ask; dates and addresses become the text that JSON would have held.
"""

import datetime
import decimal
import enum
import ipaddress
import math
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from indexing import minimum
from indexing.place import Place
from indexing.query import Value

Reader = Callable[[Any, Place], Any]

VALUES_MAX = 65_536
"""Values in one list, as Elasticsearch has it: beyond, a join is wanted, not a query."""
BOOST_MAX = 1e9
"""Tantivy's scores are 32-bit floats: a few such boosts multiplied must stay finite."""
COUNT_MAX = 2**31 - 1
"""Slop and prefix lengths are 32-bit numbers in Tantivy."""
_FLOAT_BITS_MAX = 1023
"""A larger integer is no float, and no field holds it."""


def value_of(raw: Any, place: Place) -> Value:
    """A scalar: text, a finite number, a truth value; what JSON has not, as a model writes it."""
    if isinstance(raw, enum.Enum):
        raw = raw.value
    if isinstance(raw, str):
        return _unicode(raw, place)
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int | float):
        return _number(raw, place)
    if isinstance(raw, datetime.date):  # a datetime is a date too
        return raw.isoformat()
    if isinstance(raw, ipaddress.IPv4Address | ipaddress.IPv6Address | uuid.UUID):
        return str(raw)
    if isinstance(raw, decimal.Decimal):
        return _number(float(raw), place)
    hint = "use text, a number, true, false, a date or an address"
    if raw is None:
        hint = "a missing field is asked for with exists inside must_not"
    elif isinstance(raw, list | tuple | set | frozenset):
        hint = "several values are asked for with terms, in a filter with in"
    raise place.wrong_type("one value", raw, hint)


def bound_of(raw: Any, place: Place) -> Value:
    """A bound of a range: a value that has an order."""
    if raw is None:
        raise place.wrong_type("a bound", raw, "leave the bound out to keep that side open")
    if isinstance(raw, bool):
        raise place.wrong_type("a bound", raw, "truth values have no order: use term")
    return value_of(raw, place)


def text_of(raw: Any, place: Place) -> str:
    """Text to analyze; a number, truth value, date or address is taken as it is written."""
    value = value_of(raw, place)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def string_of(raw: Any, place: Place) -> str:
    """Text and nothing else."""
    if not isinstance(raw, str):
        raise place.wrong_type("text", raw)
    return _unicode(raw, place)


def field_of(raw: Any, place: Place) -> str:
    """The path of a field: text that is not empty."""
    if not isinstance(raw, str) or not raw:
        raise place.wrong_type("the name of a field", raw)
    return _unicode(raw, place)


def boost_of(raw: Any, place: Place) -> float:
    """A factor of the score, from 0 to BOOST_MAX."""
    return _between(raw, place, BOOST_MAX)


def tie_breaker_of(raw: Any, place: Place) -> float:
    """The share of the lesser scores that counts, from 0 to 1."""
    return _between(raw, place, 1.0)


def count_of(raw: Any, place: Place) -> int:
    """A whole number from 0."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= COUNT_MAX:
        raise place.wrong_type("a whole number from 0", raw)
    return raw


def flag_of(raw: Any, place: Place) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise place.wrong_type("true or false", raw)
    return raw


def fuzziness_of(raw: Any, place: Place) -> int | str:
    """0, 1, 2 or "auto", also as Elasticsearch clients write them: "AUTO", "1"."""
    known: dict[Any, int | str] = {0: 0, 1: 1, 2: 2, "0": 0, "1": 1, "2": 2, "auto": "auto"}
    asked = raw.lower() if isinstance(raw, str) else raw
    if isinstance(asked, bool) or not isinstance(asked, int | str) or asked not in known:
        raise place.wrong_type('0, 1, 2 or "auto"', raw)
    return known[asked]


def minimum_of(raw: Any, place: Place) -> int | str:
    """How many optional clauses must match."""
    minimum.check(raw, place.path)
    checked: int | str = raw
    return checked


def one_of(*names: str) -> Reader:
    """A reader for one of some names, in any case."""

    def read(raw: Any, place: Place) -> str:
        if not isinstance(raw, str):
            raise place.wrong_type(" or ".join(map(repr, names)), raw)
        if raw.lower() not in names:
            raise place.unknown("choice", raw, names)
        return raw.lower()

    return read


def items_of(raw: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    """The items of a list with their places."""
    if not isinstance(raw, list | tuple):
        raise place.wrong_type("a list", raw)
    if len(raw) > VALUES_MAX:
        raise place.refused(
            f"a list of {len(raw):,} items, at most {VALUES_MAX:,} are allowed",
            "ask in several requests",
        )
    return ((each, place.item(number)) for number, each in enumerate(raw))


def values_of(raw: Any, place: Place) -> tuple[Value, ...]:
    """A list of scalars."""
    return tuple(value_of(each, at) for each, at in items_of(raw, place))


def _unicode(text: str, place: Place) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise place.refused(
            f"the text is not valid Unicode at character {error.start}",
            "remove the lone surrogate from it",
        ) from error
    return text


def _number(raw: int | float, place: Place) -> int | float:
    if isinstance(raw, int):
        if raw.bit_length() > _FLOAT_BITS_MAX:
            raise place.wrong_type("a number of usual size", raw)
    elif not math.isfinite(raw):
        raise place.wrong_type(
            "a finite number", raw, "leave a bound out to keep its side of a range open"
        )
    return raw


def _between(raw: Any, place: Place, most: float) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= most:
        raise place.wrong_type(f"a number from 0 to {most:g}", raw)
    return float(raw)
