"""Histograms as they are asked for, their buckets, and the aggregations that fill them.

A bucket holds the documents with a value v, low <= v < high: the same that a filter finds. Pure
apart from the errors about what was asked.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from indexing.counts import Bucket, Histogram
from indexing.edges import (
    BUCKETS_MAX,
    UNITS,
    Edges,
    date_edges,
    edges_of,
    nice_date_edges,
    nice_edges,
)
from indexing.errors import InvalidQuery
from indexing.facets import asked_fields, size_of
from indexing.fields import Fields
from indexing.layout import Column, ColumnKind, Layout
from indexing.parameters import bound_of
from indexing.place import Budget, Place
from indexing.values import microseconds_of

BUCKETS_DEFAULT = 20
BUCKETS_MIN = 2
"""Values on both sides of zero cannot be in one bucket."""
_EXACT = 2**53
"""Beyond, Tantivy's extremes are rounded."""
_INT_LIMIT = 2**63
_PARAMETERS = ("interval", "buckets", "min", "max")
_DRAWN = (ColumnKind.INT, ColumnKind.FLOAT, ColumnKind.DATETIME)


@dataclass(frozen=True, slots=True)
class HistogramAsked:
    """Buckets of one `interval` (a number or a unit), or at most so many `buckets` of a nice one.

    `low` and `high` are in the first and the last bucket; None is the field's own extreme.
    """

    path: str
    interval: float | str | None = None
    buckets: int = BUCKETS_DEFAULT
    low: Any = None
    high: Any = None


def parse_histograms(raw: Any) -> tuple[HistogramAsked, ...]:
    """`{"price": {"interval": 1000, "min": 0, "max": 50000}}`, `{"price": {"buckets": 20}}` or 20.

    Raises InvalidQuery with its path.
    """
    place = Place(Budget(), "histograms")
    return tuple(
        _asked(path, given, at) for path, given, at in asked_fields(raw, place, "histograms")
    )


def _asked(path: str, given: Any, place: Place) -> HistogramAsked:
    if given is None:
        return HistogramAsked(path)
    if not isinstance(given, Mapping):
        return HistogramAsked(path, buckets=size_of(given, place, BUCKETS_MAX, BUCKETS_MIN))
    for name in given:
        if name not in _PARAMETERS:
            raise place.unknown("parameter", name, _PARAMETERS)
    if "interval" in given and "buckets" in given:
        raise place.refused("interval and buckets", "give one of them")
    buckets, interval = BUCKETS_DEFAULT, None
    if "buckets" in given:
        buckets = size_of(given["buckets"], place.under("buckets"), BUCKETS_MAX, BUCKETS_MIN)
    if "interval" in given:
        interval = _interval(given["interval"], place.under("interval"))
    low, high = (
        None if given.get(name) is None else bound_of(given[name], place.under(name))
        for name in ("min", "max")
    )
    return HistogramAsked(path, interval, buckets, low, high)


def _interval(given: Any, place: Place) -> float | str:
    if isinstance(given, str):
        if given not in UNITS:
            raise place.unknown("unit", given, UNITS)
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise place.wrong_type("a number or a unit", given, 'write 1000, or "month" for dates')
    if not 0 < given <= 1e300:
        raise place.wrong_type("a number above zero", given)
    return given


def drawn_columns(layout: Layout, fields: Fields, path: str) -> list[Column]:
    """The columns with a field's numbers or dates; raises InvalidQuery where it has none."""
    columns = fields.columns(path)
    found = [column for column in columns if column.kind in _DRAWN]
    if columns and not found and path in layout.schema.paths:
        raise InvalidQuery(
            f"field {path!r} holds neither numbers nor dates",
            hint="count its values as a facet",
            path=path,
        )
    return found


def extremes_asked(column: Column) -> dict[str, Any]:
    """The aggregation that finds a column's smallest and largest value."""
    return {"stats": {"field": column.name}}


def chosen_edges(
    asked: HistogramAsked, columns: Iterable[Column], extremes: Iterable[dict[str, Any]]
) -> Edges | None:
    """The buckets for these extremes of all indexes; None when no document has a value.

    Raises InvalidQuery when they would be too many, or the interval is not one for the field.
    """
    kinds = {column.kind for column in columns}
    are_dates = ColumnKind.DATETIME in kinds
    low = _bound(asked, "min", asked.low, are_dates)
    high = _bound(asked, "max", asked.high, are_dates)
    if low is not None and high is not None and low > high:
        raise _refused(asked, "min is above max", "exchange them")
    found = [(each["min"], each["max"]) for each in extremes if each["min"] is not None]
    if found and low is None:
        low = min(_outwards(least, -math.inf) for least, _ in found)
    if found and high is None:
        high = max(_outwards(most, math.inf) for _, most in found)
    if low is None or high is None or low > high:
        return None
    if are_dates:
        return _date_edges(asked, int(low), int(high))
    return _number_edges(asked, low, high, whole=kinds == {ColumnKind.INT})


def _date_edges(asked: HistogramAsked, low: int, high: int) -> Edges:
    if asked.interval is None:
        return nice_date_edges(asked.buckets, low, high)
    if not isinstance(asked.interval, str):
        raise _refused(asked, "the field holds dates", 'use a unit, like "month"')
    return date_edges(asked.interval, low, high, _place(asked).path)


def _number_edges(asked: HistogramAsked, low: float, high: float, *, whole: bool) -> Edges:
    if asked.interval is None:
        return nice_edges(asked.buckets, low, high, whole=whole, path=_place(asked).path)
    if isinstance(asked.interval, str):
        raise _refused(asked, "the field holds numbers", "use a number as interval")
    return edges_of(asked.interval, low, high, _place(asked).path)


def _bound(asked: HistogramAsked, name: str, given: Any, are_dates: bool) -> float | None:
    if given is None:
        return None
    try:
        if are_dates:
            return microseconds_of(given)
        if not isinstance(given, str):
            return float(given)
    except (ValueError, TypeError, OverflowError):
        pass
    wanted = "a date" if are_dates else "a number"
    raise _refused(asked, f"{name} is {given!r}", f"give {wanted}, as the field holds them")


def _place(asked: HistogramAsked) -> Place:
    return Place(Budget(), "histograms").under(asked.path)


def _refused(asked: HistogramAsked, message: str, hint: str) -> InvalidQuery:
    return _place(asked).refused(message, hint)


def _outwards(extreme: float, direction: float) -> float:
    return extreme if abs(extreme) < _EXACT else math.nextafter(extreme, direction)


def buckets_asked(column: Column, edges: Edges) -> dict[str, Any] | None:
    """The aggregation that fills the buckets from one column; None when none can hold a value."""
    whole = column.kind is not ColumnKind.FLOAT
    ranges: list[dict[str, Any]] = []
    for place, (low, high) in enumerate(pairwise(edges.at)):
        if whole:
            # A whole number is at or above a bound when it is so of the next whole number.
            low, high = math.ceil(low), math.ceil(high)  # noqa: PLW2901
        if low >= high or (whole and (high <= -_INT_LIMIT or low >= _INT_LIMIT)):
            continue
        bounds: dict[str, Any] = {"key": str(place)}
        if not whole or low > -_INT_LIMIT:
            bounds["from"] = float(low)
        if not whole or high < _INT_LIMIT:
            bounds["to"] = float(high)
        ranges.append(bounds)
    return {"range": {"field": column.name, "ranges": ranges}} if ranges else None


def filled(answer: dict[str, Any]) -> dict[int, int]:
    """How many documents each bucket that is not empty has, by its place."""
    return {
        int(bucket["key"]): bucket["doc_count"]
        for bucket in answer["buckets"]
        if bucket["doc_count"] and bucket["key"].isdecimal()
    }


def drawn(edges: Edges, documents: Mapping[int, int]) -> Histogram:
    """The histogram of some buckets."""
    buckets = tuple(
        Bucket(low, high, documents.get(place, 0))
        for place, (low, high) in enumerate(pairwise(edges.shown()))
    )
    return Histogram(edges.interval, buckets)
