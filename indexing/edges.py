"""Where the buckets of a histogram begin and end, for numbers and for dates. Pure.

Edges are multiples of the interval, so they do not depend on the values and charts can be compared.
Products are made in decimal and rounded once: the edges of 0.1 are 0.1, 0.2, 0.3. Invariant: edges
rise strictly, the first is at most `low`, the last above `high`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from indexing.errors import InvalidQuery
from indexing.values import microseconds_of_month, month_of, text_of_microseconds

BUCKETS_MAX = 1_000
"""More bars than any screen has room for."""
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_MONDAY = 4 * _DAY
"""1970 began on a Thursday."""
_NICE = (1, 2, 5)
_SMALLEST, _LARGEST = Fraction(1e-300), Fraction(1e300)
"""Widths of which a logarithm can be taken."""
_TOO_MANY = f"more than {BUCKETS_MAX:,} buckets"


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of buckets side by side, as stored values, and their width as a person says it."""

    interval: float | str
    at: tuple[float, ...]
    are_dates: bool = False

    def shown(self) -> list[float | str]:
        """The edges as an answer has them: numbers, whole where they can be, or dates as text."""
        if self.are_dates:
            return [text_of_microseconds(int(edge)) for edge in self.at]
        if all(edge.is_integer() and abs(edge) < 2**53 for edge in self.at):
            return [int(edge) for edge in self.at]
        return list(self.at)


def edges_of(interval: float, low: float, high: float, path: str) -> Edges:
    """Buckets of one width that hold low to high; raises InvalidQuery when that takes too many."""
    found = _numbers(Fraction(str(interval)), low, high, BUCKETS_MAX)
    if found is None:
        raise InvalidQuery(
            f"{path}: buckets of {interval:g} from {low:g} to {high:g} are {_TOO_MANY}",
            hint="use a larger interval, buckets instead of one, or min and max",
            path=path,
        )
    return Edges(interval, found)


def nice_edges(buckets: int, low: float, high: float, *, whole: bool, path: str) -> Edges:
    """At most so many buckets, of the smallest width 1, 2 or 5 times a power of ten that does.

    `whole` says that all values are integers. The idea of nice numbers is Heckbert's (Graphics
    Gems, 1990).
    """
    for width in _nice_widths((Fraction(high) - Fraction(low)) / buckets, whole=whole):
        found = _numbers(width, low, high, buckets)
        if found is not None:
            return Edges(int(width) if width.denominator == 1 else float(width), found)
    raise InvalidQuery(
        f"{path}: the values are too large to be drawn",
        hint="give min and max",
        path=path,
    )


def _nice_widths(least: Fraction, *, whole: bool) -> Iterator[Fraction]:
    power = math.floor(math.log10(min(max(least, _SMALLEST), _LARGEST))) if least else 0
    for exponent in range(max(power, 0) if whole else power, 309):
        for each in _NICE:
            yield each * Fraction(10) ** exponent


def _numbers(width: Fraction, low: float, high: float, most: int) -> tuple[float, ...] | None:
    """The edges, or None when there are more buckets than allowed, or no floats between them."""
    first = math.floor(Fraction(low) / width)
    last = math.floor(Fraction(high) / width)
    if last - first >= most:
        return None
    try:
        edges = [float(number * width) for number in range(first, last + 3)]
    except OverflowError:
        return None
    # Rounding may have moved an edge down onto a value that stands just below it.
    start = 1 if edges[1] <= low else 0
    end = len(edges) if edges[-2] <= high else len(edges) - 1
    edges = edges[start:end]
    rising = all(one < other for one, other in pairwise(edges))
    return tuple(edges) if rising and len(edges) - 1 <= most else None


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit of the calendar: so many months, or so many microseconds counted from `origin`."""

    months: int = 0
    microseconds: int = 0
    origin: int = 0

    def number(self, moment: int) -> int:
        """Which unit a moment is in."""
        if not self.months:
            return (moment - self.origin) // self.microseconds
        return month_of(moment) // self.months

    def begin(self, number: int) -> int:
        """When a unit begins; the calendar ends with the year 9999."""
        if not self.months:
            return number * self.microseconds + self.origin
        return microseconds_of_month(number * self.months)


_YEARS = tuple(count * 10**power for power in range(4) for count in _NICE)[1:]
UNITS = {
    "second": _Unit(microseconds=_SECOND),
    "minute": _Unit(microseconds=60 * _SECOND),
    "hour": _Unit(microseconds=3600 * _SECOND),
    "day": _Unit(microseconds=_DAY),
    "week": _Unit(microseconds=7 * _DAY, origin=_MONDAY),
    "month": _Unit(months=1),
    "quarter": _Unit(months=3),
    "year": _Unit(months=12),
    **{f"{count} years": _Unit(months=12 * count) for count in _YEARS},
}
"""Units of the calendar from the shortest to the longest. Weeks begin on Monday; all are in UTC."""


def date_edges(unit: str, low: int, high: int, path: str) -> Edges:
    """Buckets of one unit that hold low to high (microseconds since 1970); raises InvalidQuery."""
    found = _moments(UNITS[unit], low, high, BUCKETS_MAX)
    if found is None:
        raise InvalidQuery(
            f"{path}: buckets of a {unit} from {text_of_microseconds(low)} to "
            f"{text_of_microseconds(high)} are {_TOO_MANY}",
            hint="use a longer unit, buckets instead of an interval, or min and max",
            path=path,
        )
    return Edges(unit, found, are_dates=True)


def nice_date_edges(buckets: int, low: int, high: int) -> Edges:
    """At most so many buckets, of the shortest unit that does; the longest always does."""
    for name, unit in UNITS.items():
        found = _moments(unit, low, high, buckets)
        if found is not None:
            return Edges(name, found, are_dates=True)
    raise AssertionError("the longest unit is longer than the calendar")


def _moments(unit: _Unit, low: int, high: int, most: int) -> tuple[float, ...] | None:
    first, last = unit.number(low), unit.number(high)
    if last - first >= most:
        return None
    # Whole seconds of the calendar are exact as floats.
    edges = [float(unit.begin(number)) for number in range(first, last + 2)]
    # A zone can put a moment just outside of the calendar.
    if edges[0] > low:
        edges[0] = math.nextafter(low, -math.inf)
    if edges[-1] <= high:
        edges[-1] = math.nextafter(high, math.inf)
    return tuple(edges)
