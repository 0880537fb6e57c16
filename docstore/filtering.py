"""A query as a test of documents, equal to what local indexes find; refused where it cannot be.

Pure. A value is read as its column would hold it: by its field's kind, or by its own type where the
schema names none. Nothing that is analyzed, scored or matched by a pattern is tested here: such a
query raises `Untestable`, and only the local indexes answer it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from docstore.global_index.terms import values_at
from docstore.ordering import order_key
from indexing.flatten import kind_of
from indexing.layout import KEYWORD_BYTES_MAX, Column, ColumnKind, Layout
from indexing.minimum import minimum_needed
from indexing.patterns import BOUND_CHARACTERS_MAX
from indexing.query import (
    Bool,
    ConstantScore,
    Exists,
    MatchAll,
    MatchNone,
    Prefix,
    Query,
    Range,
    Term,
    Terms,
)
from indexing.schema import Kind, Schema
from indexing.typed import typed_value
from indexing.values import stored_microseconds

EXACT_MAX = 2**53
"""Numbers of this size and more are compared as floats by some columns, as integers by others."""
_COLUMNS = {
    Kind.STRING: ColumnKind.KEYWORD,
    Kind.KEYWORD: ColumnKind.KEYWORD,
    Kind.INT: ColumnKind.INT,
    Kind.FLOAT: ColumnKind.FLOAT,
    Kind.BOOL: ColumnKind.BOOL,
    Kind.DATETIME: ColumnKind.DATETIME,
}
Test = Callable[[Any], bool]
"""Whether a document, as JSON, is one that the query finds."""


class Untestable(Exception):
    """A query that only the local indexes answer exactly; its text says why."""


@dataclass(frozen=True, slots=True)
class FieldReader:
    """How one field's values are read: as a column of its kind, or each by its own type (ANY)."""

    path: str
    kind: Kind
    is_single: bool

    def held(self, document: Any) -> list[Any]:
        """The values as columns hold them: strings, numbers, booleans; dates as microseconds."""
        return [
            held
            for value in values_at(document, self.path)
            if (held := self.held_value(value)) is not None
        ]

    def held_value(self, value: Any) -> Any:
        """One value as its column holds it, or None when no column does."""
        kind = self.kind
        if kind is Kind.ANY:
            kind = kind_of(value)
        elif kind is Kind.DATETIME:
            try:
                return stored_microseconds(value)
            except (ValueError, TypeError, OverflowError):
                return None
        elif kind is not Kind.FLOAT and kind_of(value) is not (
            Kind.STRING if kind is Kind.KEYWORD else kind
        ):
            return None
        if kind is Kind.FLOAT:
            try:
                number = float(value) + 0.0
            except (ValueError, TypeError, OverflowError):
                return None
            return number if abs(number) < float("inf") else None
        if isinstance(value, str) and len(value) * 4 > KEYWORD_BYTES_MAX:
            return value if len(value.encode()) <= KEYWORD_BYTES_MAX else None
        return value

    def sort_value(self, document: Any, *, descending: bool) -> Any:
        """What a search sorts a document by: of each column the first value, of these the best."""
        firsts: dict[type, Any] = {}
        for value in self.held(document):
            firsts.setdefault(type(value), value)
        if len(firsts) < 2:
            return next(iter(firsts.values()), None)
        return min(firsts.values(), key=lambda value: order_key(value, descending))


class Readers:
    """The fields of one schema, each with how it is read."""

    def __init__(self, schema: Schema) -> None:
        self._leaves = dict(schema.leaves())
        self._objects = dict(schema.fields)
        self._layout = Layout(schema)

    def of(self, path: str) -> FieldReader:
        """The reader of a field; raises Untestable for what is not found by whole values."""
        leaf = self._leaves.get(path)
        if leaf is not None and leaf.kind in _COLUMNS:
            return FieldReader(path, leaf.kind, not leaf.many and self._is_alone(path))
        if leaf is not None and leaf.kind not in (Kind.ANY, Kind.OBJECT):
            raise Untestable(f"{path!r} is {leaf.kind}, not compared by whole values")
        if not self._layout.is_open(path):
            raise Untestable(f"there is no field {path!r}")
        return FieldReader(path, Kind.ANY, is_single=False)

    def _is_alone(self, path: str) -> bool:
        """Whether no object around a field comes in lists."""
        fields = self._objects
        for name in path.split(".")[:-1]:
            each = fields.get(name)
            if each is None or each.many:
                return False
            fields = dict(each.fields)
        return True

    def test_of(self, query: Query) -> Test:
        """The query as a test; raises Untestable."""
        match query:
            case MatchAll():
                return lambda _: True
            case MatchNone():
                return lambda _: False
            case ConstantScore():
                return self.test_of(query.query)
            case Bool():
                return self._bool(query)
            case Exists():
                return self._exists(query)
            case Term() | Terms() | Range() | Prefix():
                reader = self.of(query.field)
                holds, held = value_test(reader, query), reader.held
                return lambda document: any(map(holds, held(document)))
        raise Untestable("it asks for words, keys or patterns, which only the local indexes find")

    def _bool(self, query: Bool) -> Test:
        must = [self.test_of(each) for each in (*query.must, *query.filter)]
        must_not = [self.test_of(each) for each in query.must_not]
        should = [self.test_of(each) for each in query.should]
        minimum = 0
        if should:
            spec = query.minimum_should_match
            minimum = (0 if must else 1) if spec is None else minimum_needed(spec, len(should))

        def test(document: Any) -> bool:
            return (
                all(each(document) for each in must)
                and not any(each(document) for each in must_not)
                and (minimum == 0 or sum(each(document) for each in should) >= minimum)
            )

        return test

    def _exists(self, query: Exists) -> Test:
        reader = self.of(query.field)
        if reader.kind is Kind.ANY:
            raise Untestable(f"whether anything is at {query.field!r}, the local indexes know")
        if reader.kind in (Kind.STRING, Kind.KEYWORD):  # also one that is too long to be held
            path = query.field
            return lambda document: any(type(each) is str for each in values_at(document, path))
        return lambda document: bool(reader.held(document))


def value_test(reader: FieldReader, query: Term | Terms | Range | Prefix) -> Callable[[Any], bool]:
    """Whether one held value is what a leaf of a query asks for; raises Untestable."""
    if isinstance(query, Prefix):
        start = prefix_of(reader, query)
        return lambda value: isinstance(value, str) and value.startswith(start)
    if isinstance(query, Range):
        return _range_test(reader, query)
    wanted = {_marked(value) for value in values_of(reader, query)}
    return lambda value: _marked(value) in wanted


def _marked(value: Any) -> tuple[bool, Any]:
    """A value that is told apart from a number when it is a truth value."""
    return isinstance(value, bool), value


def values_of(reader: FieldReader, query: Term | Terms) -> list[Any]:
    """The held values that a term query asks for; raises Untestable."""
    given = (query.value,) if isinstance(query, Term) else query.values
    if not given:
        raise Untestable("no value is asked for")
    return [_asked(reader, value) for value in given]


def _asked(reader: FieldReader, value: Any) -> Any:
    """A value of a query as the field's column holds it."""
    if reader.kind is not Kind.ANY:
        value = typed_value(Column("", reader.path, _COLUMNS[reader.kind]), value)
    is_date = reader.kind is Kind.DATETIME
    if isinstance(value, str):
        if len(value.encode("utf-8", "replace")) > KEYWORD_BYTES_MAX or not _is_text(value):
            raise Untestable("a value asked for is longer than any that is indexed whole")
    elif value is None or not (
        isinstance(value, bool) or (isinstance(value, int) and is_date) or abs(value) < EXACT_MAX
    ):
        raise Untestable(f"a value asked of {reader.path!r} is not one that it can hold exactly")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def prefix_of(reader: FieldReader, query: Prefix) -> str:
    """The beginning asked for; raises Untestable."""
    if reader.kind not in (Kind.STRING, Kind.KEYWORD, Kind.ANY):
        raise Untestable(f"{reader.path!r} holds no strings")
    if len(query.value) > BOUND_CHARACTERS_MAX or not _is_text(query.value):
        raise Untestable("the prefix is too long")
    return query.value


def bounds_of(reader: FieldReader, query: Range) -> dict[str, Any]:
    """The bounds as held values, all strings or all numbers; raises Untestable."""
    given = {
        name: bound
        for name in ("gt", "gte", "lt", "lte")
        if (bound := getattr(query, name)) is not None
    }
    if not given or ("gt" in given and "gte" in given) or ("lt" in given and "lte" in given):
        raise Untestable("a range has one bound on a side")
    bounds: dict[str, Any] = {}
    for name, bound in given.items():
        held: Any
        if reader.kind is Kind.INT and isinstance(bound, float):
            held = bound if abs(bound) < EXACT_MAX else None  # a whole column between two numbers
        else:
            held = _asked(reader, bound)
        if held is None or isinstance(held, bool):
            raise Untestable("truth values have no order")
        if isinstance(held, str) and len(held) > BOUND_CHARACTERS_MAX:
            raise Untestable("a bound is too long")
        bounds[name] = held
    if len({isinstance(each, str) for each in bounds.values()}) > 1:
        raise Untestable("the bounds are of two kinds")
    return bounds


def _range_test(reader: FieldReader, query: Range) -> Callable[[Any], bool]:
    bounds = bounds_of(reader, query)
    is_text = isinstance(next(iter(bounds.values())), str)
    gt, gte, lt, lte = (bounds.get(name) for name in ("gt", "gte", "lt", "lte"))

    def test(value: Any) -> bool:
        if type(value) is bool or (type(value) is str) is not is_text:
            return False
        return (
            (gt is None or value > gt)
            and (gte is None or value >= gte)
            and (lt is None or value < lt)
            and (lte is None or value <= lte)
        )

    return test


def leaves_of(query: Query) -> Iterator[tuple[Query, bool]]:
    """The clauses that all must hold, and those that must not (True); nested ones laid open."""
    if isinstance(query, ConstantScore):
        yield from leaves_of(query.query)
    elif isinstance(query, Bool) and not query.should:
        for each in (*query.must, *query.filter):
            yield from leaves_of(each)
        for each in query.must_not:
            yield each, True
    elif not isinstance(query, MatchAll):
        yield query, False


def constant_score_of(query: Query) -> float | None:
    """The score that every match of a query has, None when scores differ, as searches give it."""
    match query:
        case ConstantScore() | Terms() | Range() | Prefix() | Exists() | MatchAll():
            return query.boost
        case Bool(should=()):
            if not query.must and not query.filter:
                return query.boost
            scores = [constant_score_of(each) for each in query.must]
            if any(score is None for score in scores):
                return None
            return query.boost * sum(score for score in scores if score is not None)
    return None
