"""A document as one line for the index: each value in the columns of its path.

Pure apart from the set of discovered columns it collects. Lists put all their values into the
column; lists of objects are flattened, so `seller.city` holds the cities of all sellers and no
longer knows which belonged together. Nulls and empty lists leave no trace.
"""

from typing import Any

import orjson

from indexing.errors import Corruption
from indexing.layout import (
    EVERY,
    EVERY_TERM,
    KEY,
    KEYWORD_BYTES_MAX,
    PRESENT,
    SEQ,
    ColumnKind,
    Discovered,
    Layout,
)
from indexing.schema import Kind
from indexing.values import address_of, address_order, microseconds_of

Line = dict[str, Any]
_SURELY_SHORT = KEYWORD_BYTES_MAX // 4
"""A character is at most four bytes, so strings this short are never encoded to be measured."""


class Flattener:
    """Turns documents into index lines for one layout; `found` grows with unknown columns."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._static: dict[str, tuple[Kind, dict[ColumnKind, str], str | None]] = {}
        catch_all = layout.catch_all
        for path, leaf in layout.schema.leaves():
            columns = {column.kind: column.name for column in layout.by_path.get(path, ())}
            if leaf.kind in (Kind.STRING, Kind.TEXT):
                self._static[path] = (leaf.kind, columns, catch_all[leaf.analyzer])
            elif leaf.kind is Kind.KEYWORD:
                self._static[path] = (leaf.kind, columns, catch_all["standard"])
            elif leaf.kind not in (Kind.OBJECT, Kind.ANY):
                self._static[path] = (leaf.kind, columns, None)
        self._dynamic: dict[Discovered, dict[ColumnKind, str]] = {
            (path, kind): {
                column.kind: column.name
                for column in layout.by_path.get(path, ())
                if column.kind in _COLUMNS_OF[kind]
            }
            for path, kind in layout.discovered
        }
        self._objects = {
            path[: end + 1]
            for path, _ in layout.schema.leaves()
            for end, character in enumerate(path)
            if character == "."
        }
        self.found: set[Discovered] = set()

    def line(self, key_text: str, seq: int, document: dict[str, Any]) -> str:
        """The index line of a document, as JSON text."""
        line: Line = {KEY: key_text, SEQ: seq, EVERY: EVERY_TERM}
        self._object(line, "", document)
        return orjson.dumps(line).decode()

    def _object(self, line: Line, prefix: str, document: dict[str, Any]) -> None:
        static = self._static
        for name, value in document.items():
            if value is None:
                continue
            path = prefix + name if prefix else name
            known = static.get(path)
            if known is None:
                self._unnamed(line, path, value)
                continue
            kind, columns, catch_all = known
            if kind is Kind.INT:
                _put(line, columns[ColumnKind.INT], value)
            elif catch_all is None:
                for each in value if type(value) is list else (value,):
                    if each is not None:
                        _typed(line, path, kind, columns, each)
            elif type(value) is str and not prefix and len(value) <= _SURELY_SHORT:
                _short_string(line, path, columns, catch_all, value)
            else:
                for each in value if type(value) is list else (value,):
                    if each is not None:
                        _string(line, path, columns, catch_all, each)

    def _unnamed(self, line: Line, path: str, value: Any) -> None:
        if type(value) is dict:
            if f"{path}." in self._objects or self._layout.is_open(path):
                self._object(line, f"{path}.", value)
        elif type(value) is list:
            for each in value:
                if each is not None:
                    self._unnamed(line, path, each)
        elif self._layout.is_open(path):
            self._discovered(line, path, value)

    def _discovered(self, line: Line, path: str, value: Any) -> None:
        kind = kind_of(value)
        columns = self._dynamic.get((path, kind))
        if columns is None:
            if not self._layout.is_full:
                self.found.add((path, kind))
        elif kind is Kind.STRING:
            _string(line, path, columns, self._layout.catch_all["standard"], value)
        else:
            (name,) = columns.values()
            _put(line, name, value)


_COLUMNS_OF: dict[Kind, tuple[ColumnKind, ...]] = {
    Kind.STRING: (ColumnKind.TEXT, ColumnKind.KEYWORD),
    Kind.INT: (ColumnKind.INT,),
    Kind.FLOAT: (ColumnKind.FLOAT,),
    Kind.BOOL: (ColumnKind.BOOL,),
}


def kind_of(value: Any) -> Kind:
    """The kind of a JSON scalar; integers beyond 64 bits count as floats."""
    if type(value) is str:
        return Kind.STRING
    if type(value) is bool:
        return Kind.BOOL
    if type(value) is int:
        return Kind.INT if -(2**63) <= value < 2**63 else Kind.FLOAT
    return Kind.FLOAT


def _put(line: Line, name: str, value: Any) -> None:
    held = line.get(name)
    if held is None:
        line[name] = value
    elif type(held) is list:
        held.extend(value if type(value) is list else (value,))
    else:
        line[name] = [held, *(value if type(value) is list else (value,))]


def _short_string(
    line: Line, path: str, columns: dict[ColumnKind, str], catch_all: str, value: str
) -> None:
    """The common case: a top-level name comes once in a document, and a short string fits."""
    for column in columns.values():
        line[column] = value
    if ColumnKind.KEYWORD not in columns:
        _put(line, PRESENT, path)
    held = line.get(catch_all)
    if held is None:
        line[catch_all] = [value]
    else:
        held.append(value)


def _string(
    line: Line, path: str, columns: dict[ColumnKind, str], catch_all: str, value: str
) -> None:
    text = columns.get(ColumnKind.TEXT)
    if text is not None:
        _put(line, text, value)
    keyword = columns.get(ColumnKind.KEYWORD)
    if keyword is not None and (
        len(value) <= _SURELY_SHORT or len(value.encode()) <= KEYWORD_BYTES_MAX
    ):
        _put(line, keyword, value)
    else:
        _put(line, PRESENT, path)
    line.setdefault(catch_all, []).append(value)


def _typed(line: Line, path: str, kind: Kind, columns: dict[ColumnKind, str], value: Any) -> None:
    try:
        if kind is Kind.DATETIME:
            _put(line, columns[ColumnKind.DATETIME], microseconds_of(value))
        elif kind is Kind.IP:
            _put(line, columns[ColumnKind.IP], str(address_of(value)))
            _put(line, columns[ColumnKind.IP_ORDER], address_order(value))
        elif kind is Kind.FLOAT:
            _put(line, columns[ColumnKind.FLOAT], float(value))
        else:
            _put(line, columns[ColumnKind.BOOL], value)
    except (ValueError, TypeError) as error:
        raise Corruption(
            f"the stored {kind} of field {path!r} cannot be read: {error}",
            hint="the document was stored under another schema; write it again",
            field=path,
        ) from error
