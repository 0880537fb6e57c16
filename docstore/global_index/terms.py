"""Values as terms: bytes that compare as the values do, and the values of a document.

Invariants: equal values have equal terms (7 and 7.0 are one value); a kind sorts together, bools,
numbers, dates, strings; no whole term is the beginning of another, so the terms of several fields
behind one another compare field by field. Terms are on disk: the tags never change meaning. Beyond
TERM_BYTES_MAX a term keeps its first bytes and a digest: still equal only to itself, and in its
place against every bound of at most BOUND_BYTES_MAX.
"""

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

from docstore.global_index.readings import comparable
from indexing.errors import InvalidQuery
from indexing.schema import Kind

TERM_BYTES_MAX = 400
"""A posting's key is a term and up to 100 bytes of the document's, and LMDB takes 511 bytes."""
BOUND_BYTES_MAX = 360
"""What is kept of a longer term before its digest."""
BEYOND = b"\x7f"
"""Behind all terms of values: under it are documents of too many combinations. On disk."""
_BOOL, _NUMBER, _DATE, _STRING = b"\x08", b"\x10", b"\x18", b"\x20"
_END = b"\0\x01"
"""Below 00 ff, which is a NUL of the string itself, so no string's term begins another's."""
_SIGN, _ALL = 1 << 63, (1 << 64) - 1
_UINT64, _FLOAT64 = struct.Struct(">Q"), struct.Struct(">d")


def term_of(value: Any, kind: Kind) -> bytes | None:
    """The whole term of a field's value, not cut; None for what has none (null, no date)."""
    return None if value is None else whole_term(comparable(value, kind), kind)


def whole_term(value: Any, kind: Kind) -> bytes | None:
    """The term of a value that is comparable already."""
    if kind is Kind.DATETIME:
        return None if value is None else _DATE + _UINT64.pack(value + _SIGN)
    if isinstance(value, str):
        return _STRING + value.encode("utf-8", "replace").replace(b"\0", b"\0\xff") + _END
    if isinstance(value, bool):
        return _BOOL + bytes([value])
    return None if value is None else _number(value)


def asked_term(value: Any, kind: Kind) -> bytes:
    """The term of a value that a reader asks for; raises InvalidQuery when it has none."""
    term = term_of(value, kind)
    if term is None:
        raise InvalidQuery(
            f"{value!r} is not a value of the index",
            hint="ask for a date in ISO 8601"
            if kind is Kind.DATETIME
            else "ask for a string, number or boolean, as the field holds them",
        )
    return term


def _number(value: float) -> bytes | None:
    """The nearest float, then what a whole number has beyond it: exact for all 64-bit integers."""
    try:
        near = float(value)
        beyond = value - int(near) if isinstance(value, int) else 0
        (bits,) = _UINT64.unpack(_FLOAT64.pack(near + 0.0))
        bits ^= _ALL if bits & _SIGN else _SIGN
        return _NUMBER + _UINT64.pack(bits) + _UINT64.pack(beyond + _SIGN)
    except (OverflowError, ValueError, struct.error):
        return None


def stored(term: bytes) -> bytes:
    """A term as postings are kept under it."""
    if len(term) <= TERM_BYTES_MAX:
        return term
    return term[:BOUND_BYTES_MAX] + hashlib.sha256(term).digest()


def kind_range(term: bytes) -> tuple[bytes, bytes]:
    """The half-open range of all terms of a term's kind."""
    return term[:1], bytes([term[0] + 1])


def prefix_range(prefix: str) -> tuple[bytes, bytes]:
    """The half-open range of the terms of all strings that begin so."""
    lower = _STRING + prefix.encode("utf-8", "replace").replace(b"\0", b"\0\xff")
    return lower, lower + b"\xff\xff"


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Every scalar at a dotted path, through objects and lists."""
    if isinstance(document, list):
        for each in document:
            yield from values_at(each, path)
    elif not path:
        if document is not None and not isinstance(document, dict):
            yield document
    elif isinstance(document, dict):
        names = path.split(".")
        for count in range(1, len(names) + 1):
            name = ".".join(names[:count])
            if name in document:
                yield from values_at(document[name], ".".join(names[count:]))
