"""Facets of what global indexes found: values counted from their rows, or from documents read.

Invariant: equal to what the local indexes count, in the same order. Where an index does not carry a
field, None says so and the local indexes count.
"""

from collections.abc import Iterable
from typing import Any

from docstore.global_index.candidates import Candidates
from docstore.global_index.offers import Offer
from docstore.queries.field_readers import FieldReader, Readers, Untestable
from indexing.counts import ValueCount
from indexing.facets import Facet, Source, best
from indexing.layout import ColumnKind
from indexing.schema import Kind

_KINDS: dict[type, ColumnKind] = {
    bool: ColumnKind.BOOL,
    int: ColumnKind.INT,
    float: ColumnKind.FLOAT,
    str: ColumnKind.KEYWORD,
}


def countable(readers: Readers, facet: Facet) -> FieldReader | None:
    """How a facet's field is read, or None when only the local indexes count it."""
    try:
        return None if facet.include is not None else readers.of(facet.path)
    except Untestable:
        return None


def carries(offer: Offer, reader: FieldReader) -> bool:
    """Whether an index's rows hold all values of a field."""
    definition = offer.definition
    if definition.covers_all or reader.path in definition.include:
        return True
    return reader.is_single and definition.fields == (reader.path,)


def counted_rows(found: Candidates, reader: FieldReader, facet: Facet) -> list[ValueCount]:
    """The most frequent values of a field that an index carries."""
    counts = _Counts(reader)
    for value, documents in found.counts(facet.path):
        counts.add((value,), documents)
    return counts.best(facet)


def counted_documents(
    documents: Iterable[Any], reader: FieldReader, facet: Facet
) -> list[ValueCount]:
    """The most frequent values of a field of some documents."""
    counts = _Counts(reader)
    for document in documents:
        counts.add(reader.held(document), 1)
    return counts.best(facet)


class _Counts:
    """Documents by value; truth values apart from the numbers that they equal."""

    def __init__(self, reader: FieldReader) -> None:
        self._is_date = reader.kind is Kind.DATETIME
        self._documents: dict[tuple[bool, Any], int] = {}
        self._whole: set[Any] = set()

    def add(self, values: Iterable[Any], documents: int) -> None:
        """Count some documents once under each of the values that they hold."""
        held = {(isinstance(value, bool), value): value for value in values if value is not None}
        for key, value in held.items():
            self._documents[key] = self._documents.get(key, 0) + documents
            if type(value) is int:
                self._whole.add(value)

    def best(self, facet: Facet) -> list[ValueCount]:
        """The most frequent ones, in the order of all facets."""
        by_kind: dict[ColumnKind, dict[Any, int]] = {}
        for (_, value), documents in self._documents.items():
            kind = ColumnKind.DATETIME if self._is_date else _KINDS[type(value)]
            if kind is ColumnKind.FLOAT and value in self._whole:
                kind, value = ColumnKind.INT, int(value)  # noqa: PLW2901  shown as it is somewhere
            by_kind.setdefault(kind, {})[value] = documents
        return best([Source(*each) for each in by_kind.items()], facet.size) or []
