"""The values of one field of a document, read as the local indexes' columns hold them.

Pure. By its field's kind, or by its own type where the schema names none; the words of text as its
analyzer makes them. Absent: what is asked of the values.
"""

from dataclasses import dataclass
from typing import Any

from docstore.global_index.terms import values_at
from docstore.queries.ordering import order_key
from indexing.analysis import Analyzer
from indexing.flatten import kind_of
from indexing.layout import KEYWORD_BYTES_MAX, ColumnKind, Layout
from indexing.schema import Kind, Schema
from indexing.values import stored_microseconds, text_of_microseconds

COLUMNS = {
    Kind.STRING: ColumnKind.KEYWORD,
    Kind.KEYWORD: ColumnKind.KEYWORD,
    Kind.INT: ColumnKind.INT,
    Kind.FLOAT: ColumnKind.FLOAT,
    Kind.BOOL: ColumnKind.BOOL,
    Kind.DATETIME: ColumnKind.DATETIME,
}
"""Kinds of fields that are compared by whole values, and where they are held."""
_WORDED = (Kind.TEXT, Kind.STRING)


class Untestable(Exception):
    """A query that only the local indexes answer exactly; its text says why."""


@dataclass(frozen=True, slots=True)
class FieldReader:
    """How one field's values are read: as a column of its kind, or each by its own type (ANY).

    With an `analyzer`, the values are the words of its strings.
    """

    path: str
    kind: Kind
    is_single: bool
    analyzer: Analyzer | None = None

    def held(self, document: Any) -> list[Any]:
        """The values as columns hold them: strings, numbers, booleans; dates as microseconds."""
        if self.analyzer is not None:
            words = self.analyzer.index.analyze
            texts = [each for each in values_at(document, self.path) if type(each) is str]
            return [word for text in texts for word in words(text)]
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
        if leaf is not None and leaf.kind in COLUMNS:
            return FieldReader(path, leaf.kind, not leaf.many and self._is_alone(path))
        if leaf is not None and leaf.kind not in (Kind.ANY, Kind.OBJECT):
            raise Untestable(f"{path!r} is {leaf.kind}, not compared by whole values")
        if not self._layout.is_open(path):
            raise Untestable(f"there is no field {path!r}")
        return FieldReader(path, Kind.ANY, is_single=False)

    def of_words(self, path: str) -> FieldReader | None:
        """The reader of a declared field's words, None where it has none.

        Raises Untestable for a field that the schema does not name.
        """
        leaf = self._leaves.get(path)
        if leaf is None or leaf.kind is Kind.ANY:
            raise Untestable(f"words at {path!r}, which no schema names, the local indexes find")
        if leaf.kind not in _WORDED:
            return None
        return FieldReader(
            path, leaf.kind, is_single=False, analyzer=self._layout.analyzers[leaf.analyzer]
        )

    def of_terms(self, path: str) -> FieldReader:
        """The reader of what a term is compared with: whole values, or the words of a text."""
        leaf = self._leaves.get(path)
        words = None if leaf is None or leaf.kind is not Kind.TEXT else self.of_words(path)
        return words or self.of(path)

    def told(self, path: str, held: Any) -> Any:
        """A value of a column as answers tell it, and queries take it back: a date as text."""
        leaf = self._leaves.get(path)
        is_date = leaf is not None and leaf.kind is Kind.DATETIME and held is not None
        return text_of_microseconds(held) if is_date else held

    def _is_alone(self, path: str) -> bool:
        """Whether no object around a field comes in lists."""
        fields = self._objects
        for name in path.split(".")[:-1]:
            each = fields.get(name)
            if each is None or each.many:
                return False
            fields = dict(each.fields)
        return True
