"""The columns of a local index: which Tantivy fields hold which document path.

A path has one column per way it is used: a string has a text column (its words) and a keyword
column (its whole value), a path that holds numbers and strings has columns for both. Words of all
strings also go to one catch-all column per analyzer, so a free-text query looks in one place.

Invariants: a layout is a pure function of the schema and the discovered columns, in order;
columns of a layout never change meaning, a grown layout belongs to a new generation of the index.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import tantivy

from indexing.analysis import STANDARD, Analyzer, analyzer_of
from indexing.schema import Kind, Schema

KEY = "_key"
RANK = "_rank"
SEQ = "_seq"
EVERY = "_every"
PRESENT = "_present"
"""System columns: the key (stored, sortable); its rank, by which Tantivy sorts faster; the seq of
the indexed state; one term that is in every document, whose frequency is the number of documents as
BM25 counts them (deleted ones that are not merged away yet included); the paths with text that no
sortable column could tell of."""
EVERY_TERM = "1"
DISCOVERED_MAX = 1000
"""Columns found in the data; paths beyond are not indexed, and queries on them say so."""
KEYWORD_BYTES_MAX = 8191
"""Longer strings are prose: their words are indexed, the whole value is not."""


class ColumnKind(StrEnum):
    """How a column stores values. The letters begin column names on disk."""

    TEXT = "t"
    KEYWORD = "k"
    INT = "i"
    FLOAT = "f"
    BOOL = "b"
    DATETIME = "d"  # microseconds since 1970 UTC in an integer column: Tantivy's dates keep seconds
    IP = "a"
    IP_ORDER = "o"  # 32 hex digits, because Tantivy does not sort by address


_KINDS: dict[Kind, tuple[ColumnKind, ...]] = {
    Kind.STRING: (ColumnKind.TEXT, ColumnKind.KEYWORD),
    Kind.TEXT: (ColumnKind.TEXT,),
    Kind.KEYWORD: (ColumnKind.KEYWORD,),
    Kind.INT: (ColumnKind.INT,),
    Kind.FLOAT: (ColumnKind.FLOAT,),
    Kind.BOOL: (ColumnKind.BOOL,),
    Kind.DATETIME: (ColumnKind.DATETIME,),
    Kind.IP: (ColumnKind.IP, ColumnKind.IP_ORDER),
    Kind.OBJECT: (),
    Kind.ANY: (),
}
_TEXTUAL = (Kind.STRING, Kind.TEXT, Kind.KEYWORD)


@dataclass(frozen=True, slots=True)
class Column:
    """One Tantivy field: its name, the path it holds, how, and a text column's analyzer."""

    name: str
    path: str
    kind: ColumnKind
    analyzer: str = STANDARD


Discovered = tuple[str, Kind]
"""A path that no schema names and the kind of value found there (string, int, float or bool)."""


@dataclass(frozen=True)
class Layout:
    """All columns of an index over a schema and what was discovered in the documents.

    `pivots` are what ranks are counted from; None until there are enough keys to choose them.
    """

    schema: Schema
    discovered: tuple[Discovered, ...] = ()
    pivots: tuple[str, ...] | None = None
    columns: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(_columns(self.schema, self.discovered)))

    def grown(self, found: Iterable[Discovered]) -> "Layout":
        """The layout with newly discovered columns, up to DISCOVERED_MAX."""
        fresh = sorted(set(found) - set(self.discovered))
        return replace(self, discovered=(*self.discovered, *fresh)[:DISCOVERED_MAX])

    @property
    def is_full(self) -> bool:
        """Whether paths discovered from now on stay unindexed."""
        return len(self.discovered) >= DISCOVERED_MAX

    @cached_property
    def by_path(self) -> dict[str, tuple[Column, ...]]:
        """The columns of every path."""
        paths: dict[str, list[Column]] = {}
        for column in self.columns:
            paths.setdefault(column.path, []).append(column)
        return {path: tuple(columns) for path, columns in paths.items()}

    def column(self, path: str, kind: ColumnKind) -> Column | None:
        """The column of a path that stores values in one way."""
        for column in self.by_path.get(path, ()):
            if column.kind is kind:
                return column
        return None

    @cached_property
    def discovered_names(self) -> frozenset[str]:
        """The names of columns that no schema declares."""
        declared = sum(len(_KINDS[leaf.kind]) for _, leaf in self.schema.leaves())
        return frozenset(column.name for column in self.columns[declared:])

    @cached_property
    def catch_all(self) -> dict[str, str]:
        """The catch-all column of each analyzer in use, by analyzer."""
        names = {
            leaf.analyzer if leaf.kind is not Kind.KEYWORD else STANDARD
            for _, leaf in self.schema.leaves()
            if leaf.kind in _TEXTUAL
        }
        if any(kind is Kind.STRING for _, kind in self.discovered):
            names.add(STANDARD)
        return {name: f"all_{name}" for name in sorted(names)}

    @cached_property
    def analyzers(self) -> dict[str, Analyzer]:
        """The built analyzers in use, by name; the standard one is always among them."""
        names = {STANDARD, *self.catch_all, *(column.analyzer for column in self.columns)}
        return {name: analyzer_of(name, self.schema.analyzers) for name in names}

    @cached_property
    def open_prefixes(self) -> tuple[str, ...]:
        """Paths under which anything may appear; "" when the whole document is open."""
        opened = tuple(
            path for path, leaf in self.schema.leaves() if leaf.kind in (Kind.OBJECT, Kind.ANY)
        )
        return ("", *opened) if self.schema.dynamic == "index" else opened

    def is_open(self, path: str) -> bool:
        """Whether documents may hold a path that the schema does not name."""
        return any(
            prefix in ("", path) or path.startswith(f"{prefix}.") for prefix in self.open_prefixes
        )

    @cached_property
    def tantivy_schema(self) -> tantivy.Schema:
        """The Tantivy schema: system columns, one field per column, the catch-alls."""
        return self.schema_builder().build()

    def schema_builder(self) -> tantivy.SchemaBuilder:
        """The schema's builder, to which nothing else was added yet."""
        builder = tantivy.SchemaBuilder()
        builder.add_text_field(
            KEY, stored=True, fast=True, tokenizer_name="raw", index_option="basic"
        )
        builder.add_unsigned_field(RANK, fast=True)
        builder.add_integer_field(SEQ, fast=True)
        builder.add_text_field(EVERY, tokenizer_name="raw", index_option="basic")
        builder.add_text_field(PRESENT, tokenizer_name="raw", index_option="basic")
        for column in self.columns:
            _add(builder, column)
        for analyzer, name in self.catch_all.items():
            builder.add_text_field(name, tokenizer_name=tokenizer_name(analyzer))
        return builder

    def to_json(self) -> dict[str, Any]:
        """What the index directory keeps: the discovered columns, in order, and the pivots."""
        return {
            "discovered": [[path, str(kind)] for path, kind in self.discovered],
            "pivots": self.pivots,
        }

    @classmethod
    def from_json(cls, schema: Schema, form: dict[str, Any]) -> "Layout":
        """Read the JSON form back for the schema it was made under."""
        discovered = tuple((path, Kind(kind)) for path, kind in form["discovered"])
        pivots = form["pivots"]
        return cls(schema, discovered, None if pivots is None else tuple(pivots))


def tokenizer_name(analyzer: str) -> str:
    """The name an analyzer is registered under; prefixed so that none of Tantivy's is replaced."""
    return f"docstore_{analyzer}"


def _columns(schema: Schema, discovered: tuple[Discovered, ...]) -> Iterable[Column]:
    number = 0
    for path, leaf in schema.leaves():
        for kind in _KINDS[leaf.kind]:
            yield Column(f"{kind}{number}", path, kind, leaf.analyzer)
        number += 1
    for path, found in discovered:
        for kind in _KINDS[found]:
            yield Column(f"{kind}{number}", path, kind)
        number += 1


def _add(builder: tantivy.SchemaBuilder, column: Column) -> None:
    match column.kind:
        case ColumnKind.TEXT:
            builder.add_text_field(column.name, tokenizer_name=tokenizer_name(column.analyzer))
        case ColumnKind.KEYWORD | ColumnKind.IP_ORDER:
            builder.add_text_field(
                column.name, fast=True, tokenizer_name="raw", index_option="basic"
            )
        case ColumnKind.INT | ColumnKind.DATETIME:
            builder.add_integer_field(column.name, indexed=True, fast=True)
        case ColumnKind.FLOAT:
            builder.add_float_field(column.name, indexed=True, fast=True)
        case ColumnKind.BOOL:
            builder.add_boolean_field(column.name, indexed=True, fast=True)
        case ColumnKind.IP:
            builder.add_ip_addr_field(column.name, indexed=True, fast=True)
