"""A document as one line for the index: each value in the columns of its path.

Pure apart from the set of discovered columns it collects. Lists put all their values into the
column; lists of objects are flattened, so `seller.city` holds the cities of all sellers and no
longer knows which belonged together. Nulls and empty lists leave no trace.

Invariant: whatever a document holds, it has a line; an acknowledged document must never keep its
shard from being indexed.
"""

import math
from contextlib import suppress
from typing import Any

import orjson

from indexing.analysis import STANDARD
from indexing.floats import survives
from indexing.layout import (
    EVERY,
    EVERY_TERM,
    KEY,
    KEYWORD_BYTES_MAX,
    PRESENT,
    RANK,
    SEQ,
    ColumnKind,
    Discovered,
    Layout,
)
from indexing.rank import rank_by
from indexing.schema import Kind
from indexing.values import address_of, address_order, stored_microseconds

Line = dict[str, Any]
_SURELY_SHORT = KEYWORD_BYTES_MAX // 4
"""A character is at most four bytes, so strings this short are never encoded to be measured."""


class Flattener:
    """Turns documents into index lines for one layout; `found` grows with unknown columns."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rank = rank_by(layout.pivots or ())
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
        self._words = catch_all.get(STANDARD, _UNSTOPPED)
        top = [
            (path, leaf)
            for path, leaf in layout.schema.fields
            if path in self._static and (leaf.kind is Kind.STRING or leaf.kind is Kind.INT)
        ]
        self._strings = {
            path: (columns[ColumnKind.TEXT], columns[ColumnKind.KEYWORD])
            for path, leaf in top
            if leaf.kind is Kind.STRING and leaf.analyzer == STANDARD
            for columns in (self._static[path][1],)
        }
        self._integers = {
            path: self._static[path][1][ColumnKind.INT]
            for path, leaf in top
            if leaf.kind is Kind.INT
        }
        for path, kind in layout.discovered:
            # A name with a dot may also be reached through an object, and then joins its values.
            if "." not in path and path not in self._static and layout.is_open(path):
                columns = self._dynamic[(path, kind)]
                if kind is Kind.STRING:
                    self._strings[path] = (columns[ColumnKind.TEXT], columns[ColumnKind.KEYWORD])
                elif kind is Kind.INT:
                    self._integers[path] = columns[ColumnKind.INT]
        self.found: set[Discovered] = set()
        self._is_exact = True

    def line(self, key_text: str, seq: int, document: dict[str, Any]) -> str | Line:
        """The index line of a document, as JSON text; as values when text would change one."""
        self._is_exact = True
        words: list[str] = []
        line: Line = {
            KEY: key_text,
            RANK: self._rank(key_text),
            SEQ: seq,
            EVERY: EVERY_TERM,
            self._words: words,
        }
        strings, integers = self._strings, self._integers
        for name, value in document.items():
            # The common cases, written out: a name comes once in a document, a short string fits.
            columns = strings.get(name)
            if columns is not None and type(value) is str and len(value) <= _SURELY_SHORT:
                line[columns[0]] = line[columns[1]] = value
                words.append(value)
                continue
            column = integers.get(name)
            if column is not None and type(value) is int and -(2**63) <= value < 2**63:
                line[column] = value
            elif value is not None:
                self._field(line, name, value)
        if not words:
            del line[self._words]
        return orjson.dumps(line).decode() if self._is_exact else line

    def _field(self, line: Line, path: str, value: Any) -> None:
        known = self._static.get(path)
        if known is None:
            self._unnamed(line, path, value)
            return
        kind, columns, catch_all = known
        for each in value if type(value) is list else (value,):
            if each is None:
                continue
            if type(each) is list:
                self._field(line, path, each)
            elif kind is Kind.FLOAT:
                self._float(line, columns[ColumnKind.FLOAT], each)
            elif catch_all is None:
                _typed(line, kind, columns, each)
            elif type(each) is str:
                _string(line, path, columns, catch_all, each)

    def _unnamed(self, line: Line, path: str, value: Any) -> None:
        if type(value) is dict:
            if f"{path}." in self._objects or self._layout.is_open(path):
                for name, each in value.items():
                    if each is not None:
                        self._field(line, f"{path}.{name}", each)
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
        elif kind is Kind.FLOAT:
            self._float(line, columns[ColumnKind.FLOAT], value)
        else:
            (name,) = columns.values()
            _put(line, name, value)

    def _float(self, line: Line, name: str, value: Any) -> None:
        """A value that is no number stays in the document and is not found by this field."""
        with suppress(ValueError, TypeError, OverflowError):
            number = float(value) + 0.0  # -0.0 is 0.0
            if math.isfinite(number):
                _put(line, name, number)
                self._is_exact = self._is_exact and survives(number)


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


VALUE_GAP = 16
"""Positions between two values of a text field, so no phrase of less slop is met across them."""
_GAP = ("",) * (VALUE_GAP - 1)
"""Tantivy leaves one position after every value, even after one without a word."""


_UNSTOPPED = f"all_{STANDARD}"
"""A quoted text lacks no word here, so one position is gap enough between two fields."""


def _put(line: Line, name: str, value: Any) -> None:
    held = line.get(name)
    if held is None:
        line[name] = value
    elif type(held) is list:
        held.append(value)
    else:
        line[name] = [held, value]


def _string(
    line: Line, path: str, columns: dict[ColumnKind, str], catch_all: str, value: str
) -> None:
    text = columns.get(ColumnKind.TEXT)
    if text is not None:
        held = line.get(text)
        if held is None:
            line[text] = value
        else:
            line[text] = [*(held if type(held) is list else (held,)), *_GAP, value]
    keyword = columns.get(ColumnKind.KEYWORD)
    if keyword is not None and (
        len(value) <= _SURELY_SHORT or len(value.encode()) <= KEYWORD_BYTES_MAX
    ):
        _put(line, keyword, value)
    else:
        _put(line, PRESENT, path)
    words = line.setdefault(catch_all, [])
    if words and catch_all != _UNSTOPPED:
        words.extend(_GAP)
    words.append(value)


def _typed(line: Line, kind: Kind, columns: dict[ColumnKind, str], value: Any) -> None:
    """A value that its column cannot hold stays in the document and is not found by this field."""
    with suppress(ValueError, TypeError, OverflowError):
        if kind is Kind.DATETIME:
            _put(line, columns[ColumnKind.DATETIME], stored_microseconds(value))
        elif kind is Kind.IP:
            address = str(address_of(value))
            _put(line, columns[ColumnKind.IP], address)
            _put(line, columns[ColumnKind.IP_ORDER], address_order(value))
        elif kind_of(value) is kind:
            (name,) = columns.values()
            _put(line, name, value)
