"""Values of a query as the values of a column: typed, checked, and turned into Tantivy queries.

A string may ask for a number, a date or an address; what cannot be read as the column's kind is
`None` here, and the caller decides whether that is an error (a declared field) or no match.
"""

import ipaddress
import math
from collections.abc import Callable
from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query

from indexing import patterns
from indexing.errors import InvalidQuery
from indexing.layout import KEYWORD_BYTES_MAX, Column, ColumnKind
from indexing.query import Range
from indexing.values import address_of, microseconds_of

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


def typed_value(column: Column, value: Any) -> Any:
    """The value as the column stores it, or None when it cannot be one."""
    try:
        return _READERS[column.kind](value)
    except (ValueError, TypeError, OverflowError):
        return None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    number = int(value) if isinstance(value, str) else value
    whole = int(number)
    return whole if whole == number and _INT_MIN <= whole <= _INT_MAX else None


def _real(value: Any) -> float | None:
    number = None if isinstance(value, bool) else float(value)
    # Adding zero makes -0.0 the same value as 0.0, which Tantivy would sort before it.
    return number + 0.0 if number is not None and math.isfinite(number) else None


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _moment(value: Any) -> int | None:
    return microseconds_of(value) if isinstance(value, str) else None


def _address(value: Any) -> str | None:
    return str(address_of(value)) if isinstance(value, str) else None


_READERS: dict[ColumnKind, Callable[[Any], Any]] = {
    ColumnKind.TEXT: _text,
    ColumnKind.KEYWORD: _text,
    ColumnKind.INT: _whole,
    ColumnKind.FLOAT: _real,
    ColumnKind.BOOL: _truth,
    ColumnKind.DATETIME: _moment,
    ColumnKind.IP: _address,
}


def check_length(column: Column, value: str) -> None:
    """Refuse a whole-value query that is longer than any indexed whole value."""
    if column.kind is ColumnKind.KEYWORD and len(value.encode("utf-8", "replace")) > (
        KEYWORD_BYTES_MAX
    ):
        raise InvalidQuery(
            f"a value for {column.path!r} is longer than {KEYWORD_BYTES_MAX} bytes; "
            "values of that length are indexed by their words only",
            hint="use match or match_phrase",
            path=column.path,
        )


def network_range(column: Column, value: Any) -> Range | None:
    """The addresses of a network such as 10.0.0.0/8, or None when the value is not one."""
    if column.kind is not ColumnKind.IP or not isinstance(value, str) or "/" not in value:
        return None
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    return Range(column.path, gte=str(network[0]), lte=str(network[-1]))


def range_query(schema: tantivy.Schema, column: Column, asked: Range) -> Query | None:
    """The query for a range over one column; None when a bound cannot be of the column's kind."""
    bounds = [
        (bound, inclusive)
        for bound, inclusive in (_tighter(asked.gte, asked.gt), _tighter(asked.lte, asked.lt))
    ]
    (low, low_inclusive), (high, high_inclusive) = bounds
    if column.kind in (ColumnKind.KEYWORD, ColumnKind.TEXT):
        return _string_range(schema, column, asked)
    if column.kind is ColumnKind.INT:
        return _int_range(schema, column, asked)
    if column.kind is ColumnKind.BOOL:
        return None
    values = [None if bound is None else typed_value(column, bound) for bound in (low, high)]
    if any(
        bound is not None and value is None
        for bound, value in zip((low, high), values, strict=True)
    ):
        return None
    field_type = {
        ColumnKind.FLOAT: FieldType.Float,
        ColumnKind.DATETIME: FieldType.Integer,
        ColumnKind.IP: FieldType.IpAddr,
    }[column.kind]
    if values[0] is None and values[1] is None:
        return Query.exists_query(column.name)
    return Query.range_query(
        schema,
        column.name,
        field_type,
        values[0],
        values[1],
        low_inclusive or values[0] is None,
        high_inclusive or values[1] is None,
    )


def _tighter(inclusive: Any, exclusive: Any) -> tuple[Any, bool]:
    return (exclusive, False) if exclusive is not None else (inclusive, True)


def _int_range(schema: tantivy.Schema, column: Column, asked: Range) -> Query | None:
    """Integer bounds, rounded inwards, so that > 2.5 means >= 3."""
    low, high = _INT_MIN, _INT_MAX
    for bound, is_lower, strict in (
        (asked.gte, True, False),
        (asked.gt, True, True),
        (asked.lte, False, False),
        (asked.lt, False, True),
    ):
        if bound is None:
            continue
        number = _number(bound)
        if number is None:
            return None
        if is_lower:
            low = max(low, math.floor(number) + 1 if strict else math.ceil(number))
        else:
            high = min(high, math.ceil(number) - 1 if strict else math.floor(number))
    if low > high:
        return Query.empty_query()
    return Query.range_query(schema, column.name, FieldType.Integer, low, high)


def _number(bound: Any) -> int | float | None:
    """A bound as a number; text that is a whole number stays exact beyond 53 bits."""
    if isinstance(bound, bool):
        return None
    for read in (int, float) if isinstance(bound, str) else ():
        try:
            bound = read(bound)
            break
        except ValueError:
            continue
    return bound if isinstance(bound, int) else _real(bound) if isinstance(bound, float) else None


def _string_range(schema: tantivy.Schema, column: Column, asked: Range) -> Query | None:
    bounds = (asked.gte, asked.gt, asked.lte, asked.lt)
    gte, gt, lte, lt = (bound if isinstance(bound, str) else None for bound in bounds)
    if (gte, gt, lte, lt) != bounds:
        return None
    low, low_inclusive = _innermost(gte, gt, max)
    high, high_inclusive = _innermost(lte, lt, min)
    if low is not None and high is not None:
        alternatives = patterns.between(
            low,
            high,
            low_inclusive=low_inclusive,
            high_inclusive=high_inclusive,
            path=column.path,
        )
    elif low is not None:
        alternatives = patterns.above(low, inclusive=low_inclusive, path=column.path)
    elif high is not None:
        alternatives = patterns.below(high, inclusive=high_inclusive, path=column.path)
    else:
        return Query.exists_query(column.name)
    return _union(schema, column, alternatives)


def _innermost(
    inclusive: str | None, exclusive: str | None, choose: Callable[[str, str], str]
) -> tuple[str | None, bool]:
    """The narrower of two bounds of one side, and whether it is inside itself."""
    if inclusive is None or exclusive is None:
        return (exclusive, False) if inclusive is None else (inclusive, True)
    narrower = choose(inclusive, exclusive)
    return narrower, narrower != exclusive


def _union(schema: tantivy.Schema, column: Column, alternatives: list[str]) -> Query:
    if not alternatives:
        return Query.empty_query()
    return Query.boolean_query(
        [
            (Occur.Should, Query.regex_query(schema, column.name, pattern))
            for pattern in dict.fromkeys(alternatives)
        ]
    )


def equal_query(schema: tantivy.Schema, column: Column, value: Any) -> Query:
    """Documents that hold exactly one stored value, as a sort returned it."""
    if column.kind in (ColumnKind.INT, ColumnKind.DATETIME):
        return Query.range_query(schema, column.name, FieldType.Integer, value, value)
    if column.kind is ColumnKind.FLOAT:
        return Query.range_query(schema, column.name, FieldType.Float, value, value)
    return Query.term_query(schema, column.name, value)
