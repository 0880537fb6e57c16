"""What a reader looks for: values, bounds or a beginning, of the indexed fields or covered ones.

Pure: `Asked` is what a caller says of one field, `Wanted` the terms it comes to. One reading serves
both the indexed fields, where terms are places to look at, and the conditions on other covered
fields, where they are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.readings import comparable
from docstore.global_index.terms import (
    BOUND_BYTES_MAX,
    asked_term,
    kind_range,
    prefix_range,
    stored,
    whole_term,
)
from indexing.errors import InvalidQuery
from indexing.schema import Kind

TERMS_MAX = 1000
"""Terms that one lookup may name: each is a place to look at."""


@dataclass(frozen=True, slots=True)
class Values:
    """Equal to any of these: strings, numbers, booleans, or dates as ISO 8601."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Within bounds of one kind; at least one is given."""

    gt: Any = None
    gte: Any = None
    lt: Any = None
    lte: Any = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """A string that begins so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Present:
    """Any value at all."""


Asked = Values | Between | Beginning | Present


@dataclass(frozen=True, slots=True)
class Condition:
    """What a covered field must be, or must not be; a list is when any of its values is."""

    field: str
    asked: Asked
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Terms asked for: one of `terms`, or lower <= term < upper in any of `ranges`.

    Of the documents under them, those are meant that are also under each of `also`.
    """

    terms: tuple[bytes, ...] = ()
    ranges: tuple[tuple[bytes, bytes], ...] = ()
    also: "tuple[Wanted, ...]" = ()

    def holds(self, term: bytes) -> bool:
        """Whether a term is wanted."""
        return term in self.terms or any(lower <= term < upper for lower, upper in self.ranges)

    def partitions(self, definition: GlobalIndex) -> tuple[int, ...]:
        """The index partitions that can hold them, those of `also` apart."""
        found = {place for term in self.terms for place in definition.places_of(term)}
        for lower, upper in self.ranges:
            found.update(definition.partitions_between(lower, upper))
        return tuple(sorted(found))

    @property
    def is_one(self) -> bool:
        """Whether it is one term, under which no document is twice."""
        return len(self.terms) == 1 and not self.ranges


_EVERYTHING = Wanted((), ((b"", b"\xff"),))


def wanted_of(asked: Asked, kind: Kind) -> Wanted:
    """The whole terms of one field that are asked for; raises InvalidQuery."""
    if isinstance(asked, Values):
        return Wanted(tuple(sorted({asked_term(each, kind) for each in asked.values})))
    if isinstance(asked, Present):
        return _EVERYTHING
    if isinstance(asked, Beginning):
        if not isinstance(asked.prefix, str) or kind is Kind.DATETIME:
            raise InvalidQuery(
                f"{asked.prefix!r} is not a prefix", hint="give a string to a string field"
            )
        return Wanted((), (prefix_range(asked.prefix),))
    return Wanted((), (_range_of(asked, kind),))


def _range_of(asked: Between, kind: Kind) -> tuple[bytes, bytes]:
    given = {
        name: asked_term(value, kind)
        for name in ("gt", "gte", "lt", "lte")
        if (value := getattr(asked, name)) is not None
    }
    if not given:
        raise InvalidQuery("a range without bounds", hint="give gt, gte, lt or lte")
    lower, upper = kind_range(next(iter(given.values())))
    if any(term[:1] != lower for term in given.values()):
        raise InvalidQuery("the bounds are of two kinds", hint="give two numbers, or two strings")
    # No whole term begins another: what begins with one, as several fields and salted terms do,
    # sorts before itself with the last byte there is.
    for name, term in given.items():
        bound = term + b"\xff" if name in ("gt", "lte") else term
        if name in ("gt", "gte"):
            lower = max(lower, bound)
        else:
            upper = min(upper, bound)
    return lower, max(lower, upper)


def combined(parts: Sequence[Wanted], fields: int) -> Wanted:
    """The stored terms of an index over so many fields, given what its first ones must be.

    All parts but the last must be terms. Raises InvalidQuery.
    """
    if not 1 <= len(parts) <= fields or any(part.ranges for part in parts[:-1]):
        raise InvalidQuery(
            f"an index over {fields} fields is asked for its first ones",
            hint="give values for each leading field; only the last may be a range",
        )
    leading = [b"".join(each) for each in product(*(part.terms for part in parts[:-1]))]
    if len(leading) * (len(parts[-1].terms) + len(parts[-1].ranges)) > TERMS_MAX:
        raise InvalidQuery(
            f"more than {TERMS_MAX:,} terms asked for at once", hint="ask for fewer values"
        )
    last = parts[-1]
    if len(parts) == fields:
        terms = sorted({stored(first + term) for first in leading for term in last.terms})
        ranges = last.ranges
    else:
        terms = []
        ranges = (*last.ranges, *((term, term + b"\xff") for term in last.terms))
    bounds = sorted((first + lower, first + upper) for first in leading for lower, upper in ranges)
    if any(len(bound) > BOUND_BYTES_MAX for pair in bounds for bound in pair):
        raise InvalidQuery(
            f"a bound of more than {BOUND_BYTES_MAX} bytes",
            hint="ask for a shorter one, or search without the index",
        )
    return Wanted(tuple(terms), tuple(bounds))


class Held:
    """A condition ready to be held against values of one field, many times.

    `numeric` are the numbers it can match, as (lower, upper, with lower, with upper), None when
    floats would not say exactly; `is_numeric_only` says that nothing but numbers can match.
    """

    __slots__ = ("condition", "is_negated", "is_numeric_only", "kind", "numeric", "wanted")

    def __init__(self, condition: Condition, kind: Kind) -> None:
        self.condition = condition
        self.wanted = wanted_of(condition.asked, kind)
        self.kind = kind
        self.is_negated = condition.negated
        asked = condition.asked
        given = (
            asked.values
            if isinstance(asked, Values)
            else (asked.gt, asked.gte, asked.lt, asked.lte)
            if isinstance(asked, Between)
            else ()
        )
        numbers = [_number_of(each, kind) for each in given]
        self.is_numeric_only = bool(given) and all(
            number is not None
            for number, each in zip(numbers, given, strict=True)
            if each is not None
        )
        self.numeric = _numeric(asked, numbers)

    def matches(self, value: Any) -> bool:
        """Whether a comparable, or one of a list, is what was asked for, negation aside."""
        if isinstance(value, list):
            return any(map(self.matches, value))
        term = whole_term(value, self.kind)
        return term is not None and self.wanted.holds(term)

    def holds(self, value: Any) -> bool:
        """Whether a document with this comparable meets the condition."""
        return self.matches(value) != self.is_negated


Spans = list[tuple[float, float, bool, bool]]


def _number_of(value: Any, kind: Kind) -> float | None:
    """A value as columns hold numbers and dates; None for what is neither."""
    found = None if value is None else comparable(value, kind)
    return found if type(found) in (int, float) else None


def _numeric(asked: Asked, numbers: Sequence[float | None]) -> Spans | None:
    if any(number is not None and abs(number) > _EXACT_MAX for number in numbers):
        return None
    if isinstance(asked, Values):
        return [(each, each, True, True) for each in numbers if each is not None]
    if not isinstance(asked, Between) or all(number is None for number in numbers):
        return []
    gt, gte, lt, lte = numbers
    # Of two bounds on one side the narrower holds; where they are equal, the one without.
    lower = max(
        (each, is_open)
        for each, is_open in ((gte, False), (gt, True), (_LEAST, False))
        if each is not None
    )
    upper = min(
        (each, not is_open)
        for each, is_open in ((lte, False), (lt, True), (_MOST, False))
        if each is not None
    )
    return [(lower[0], upper[0], not lower[1], upper[1])]


_EXACT_MAX = 2**53
_LEAST, _MOST = float("-inf"), float("inf")
