"""Facets: the values that most documents have, exact over any number of indexes.

Each column of each index tells its most frequent values and how frequent the rest can be at most;
`best` adds them up and says which values are the first, or that it cannot be proven yet. That is
the no-random-access algorithm of Fagin, Lotem and Naor (2003) with exact counts: whoever drives it
asks for more values until it is proven. Pure apart from the errors about what was asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from indexing.counts import ValueCount
from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import Column, ColumnKind, Layout
from indexing.parameters import field_of
from indexing.place import Budget, Place
from indexing.values import address_of_order, text_of_microseconds

SIZE_DEFAULT = 10
SIZE_MAX = 1_000
"""Values of one facet: more than anybody reads."""
COUNTED_MAX = 64
"""Facets of one request, and histograms likewise: each reads a value of every match."""
TERMS_MAX = 65_000
"""The most values and buckets that Tantivy returns at once."""
FIRST_TERMS = 64
"""Values asked of an index at first: few enough that decoding them is nothing."""
TERMS_GROWTH = 32
"""Most fields have fewer values than the second size; those that have more need all of them."""

_RANKS = {
    ColumnKind.BOOL: 0,
    ColumnKind.INT: 1,
    ColumnKind.FLOAT: 1,
    ColumnKind.DATETIME: 1,
    ColumnKind.KEYWORD: 2,
    ColumnKind.IP_ORDER: 2,
}
"""The columns whose values can be counted. Those of one rank hold values that can be equal; equally
frequent values come in this order, then in their own."""


@dataclass(frozen=True, slots=True)
class Facet:
    """The `size` most frequent values of a field; `include` is a pattern that they all match."""

    path: str
    size: int = SIZE_DEFAULT
    include: str | None = None


def parse_facets(raw: Any) -> tuple[Facet, ...]:
    """`["make"]`, `{"make": 10}` or `{"make": {"size": 10}}`; raises InvalidQuery with its path."""
    place = Place(Budget(), "facets")
    return tuple(
        Facet(path, _size(given, at)) for path, given, at in asked_fields(raw, place, "facets")
    )


def asked_fields(raw: Any, place: Place, what: str) -> list[tuple[str, Any, Place]]:
    """The fields of a request for counts, each with what is asked of it (None for the default)."""
    if isinstance(raw, str):
        raw = (raw,)
    if isinstance(raw, list | tuple | set | frozenset):
        raw = dict.fromkeys((field_of(each, place) for each in raw), None)
    if not isinstance(raw, Mapping):
        raise place.wrong_type(f"{what} by field", raw, f'write {what}={{"price": 10}}')
    if len(raw) > COUNTED_MAX:
        raise place.refused(
            f"{len(raw):,} fields, at most {COUNTED_MAX} are counted at once", "ask for fewer"
        )
    return [(field_of(path, place), given, place.under(path)) for path, given in raw.items()]


def _size(given: Any, place: Place) -> int:
    if given is None:
        return SIZE_DEFAULT
    if isinstance(given, Mapping):
        for name in given:
            if name != "size":
                raise place.unknown("parameter", name, ("size",))
        given, place = given.get("size", SIZE_DEFAULT), place.under("size")
    return size_of(given, place, SIZE_MAX)


def size_of(given: Any, place: Place, most: int, least: int = 1) -> int:
    """A whole number within bounds; raises InvalidQuery."""
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise place.wrong_type(f"a whole number from {least} to {most:,}", given)
    return given


def value_columns(layout: Layout, fields: Fields, path: str) -> list[Column]:
    """The columns that hold a field's values; raises InvalidQuery where it holds only words."""
    columns = fields.columns(path)
    found = [column for column in columns if column.kind in _RANKS]
    if columns and not found and path in layout.schema.paths:
        raise InvalidQuery(
            f"field {path!r} holds only text, whose values are not counted",
            hint="declare it as a plain string or Keyword to count its values",
            path=path,
        )
    # A value that is a whole number in one column and not in another is shown as a whole number.
    return sorted(found, key=lambda column: column.kind is ColumnKind.FLOAT)


def terms_asked(column: Column, size: int, include: str | None = None) -> dict[str, Any]:
    """The aggregation that finds a column's most frequent values, all of a pattern's if given."""
    terms: dict[str, Any] = {
        "field": column.name,
        "size": size,
        # Each segment must tell all of its values, or their counts would not be exact.
        "split_size": 2**31 - 1,
    }
    if include is not None:
        terms["include"] = include
    return {"terms": terms}


@dataclass(frozen=True, slots=True)
class Source:
    """What one column of one index tells: stored values with their documents, most first.

    `rest` is how many documents a value that is not told can have at most.
    """

    kind: ColumnKind
    documents: Mapping[Any, int]
    rest: int = 0


def source_of(column: Column, answer: dict[str, Any]) -> Source:
    """Read the answer to `terms_asked`."""
    read = _READERS.get(column.kind)
    documents = {
        bucket["key"] if read is None else read(bucket["key"]): bucket["doc_count"]
        for bucket in answer["buckets"]
    }
    is_cut = answer["sum_other_doc_count"] > 0
    return Source(column.kind, documents, min(documents.values(), default=0) if is_cut else 0)


_READERS = {ColumnKind.FLOAT: float, ColumnKind.BOOL: bool}

_SHOWN: Mapping[ColumnKind, Callable[[Any], str]] = {
    ColumnKind.DATETIME: text_of_microseconds,
    ColumnKind.IP_ORDER: address_of_order,
}


@dataclass(slots=True)
class _Pool:
    """All sources whose values can be equal."""

    sources: list[Source] = field(default_factory=list)
    totals: dict[Any, int] = field(default_factory=dict)

    def add(self, source: Source) -> None:
        self.sources.append(source)
        totals = self.totals
        for value, documents in source.documents.items():
            totals[value] = totals.get(value, 0) + documents

    def possible(self, value: Any) -> int:
        """How many documents more than are known may have a value."""
        return sum(each.rest for each in self.sources if value not in each.documents)


def best(sources: Iterable[Source], size: int) -> list[ValueCount] | None:
    """The most frequent values with exact counts, or None when the sources do not prove them.

    Equally frequent values come in their own order: truth values, numbers, strings.
    """
    pools: dict[int, _Pool] = {}
    kinds: dict[int, ColumnKind] = {}
    for source in sources:
        rank = _RANKS[source.kind]
        pools.setdefault(rank, _Pool()).add(source)
        kinds.setdefault(rank, source.kind)
    known: list[tuple[int, int, Any]] = []
    # What a value that is not fully counted can reach: those told somewhere, and those nowhere.
    reach = max((sum(each.rest for each in pool.sources) for pool in pools.values()), default=0)
    for rank, pool in pools.items():
        cut = any(each.rest for each in pool.sources)
        for value, documents in pool.totals.items():
            more = pool.possible(value) if cut else 0
            if more:
                reach = max(reach, documents + more)
            else:
                known.append((-documents, rank, value))
    known.sort()
    first = known[:size]
    if reach and (len(first) < size or reach >= -first[-1][0]):
        return None
    return [
        ValueCount(_SHOWN[kind](value) if (kind := kinds[rank]) in _SHOWN else value, -negative)
        for negative, rank, value in first
        if negative
    ]
