"""Values as terms: bytes that compare as the values do, and the values of a document.

Invariants: equal values have equal terms (7 and 7.0 are one value); a kind sorts together, bools,
numbers, dates, strings; no whole term is the beginning of another. Terms are on disk: the tags
never change meaning. A string beyond TERM_BYTES_MAX is cut, so whoever finds a term of that length
must compare the value itself.
"""

import datetime
import struct
from collections.abc import Iterator
from typing import Any

from docstore.partitioning import token_of
from indexing.errors import InvalidQuery
from indexing.values import stored_microseconds

TERM_BYTES_MAX = 400
"""A posting's key is a term and eight bytes, and LMDB takes keys of 511 bytes."""
_BOOL, _NUMBER, _DATE, _STRING = b"\x08", b"\x10", b"\x18", b"\x20"
_SIGN, _ALL = 1 << 63, (1 << 64) - 1
_UINT64, _FLOAT64 = struct.Struct(">Q"), struct.Struct(">d")


def term_of(value: Any, *, is_date: bool) -> bytes | None:
    """The whole term of a value, not cut; None for what has none (null, an object, no date)."""
    if is_date:
        try:
            moment = value.isoformat() if isinstance(value, datetime.date) else value
            return _DATE + _UINT64.pack(stored_microseconds(moment) + _SIGN)
        except (ValueError, TypeError, OverflowError):
            return None
    if isinstance(value, bool):
        return _BOOL + bytes([value])
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _STRING + value.encode("utf-8", "replace").replace(b"\0", b"\0\xff") + b"\0"
    return None


def asked_term(value: Any, *, is_date: bool) -> bytes:
    """The term of a value that a reader asks for; raises InvalidQuery when it has none."""
    term = term_of(value, is_date=is_date)
    if term is None:
        raise InvalidQuery(
            f"{value!r} is not a value of the index",
            hint="ask for a date in ISO 8601" if is_date else "ask for a string, number or boolean",
        )
    return term


def _number(value: float) -> bytes | None:
    """The nearest float, then what a whole number has beyond it: exact for all 64-bit integers."""
    try:
        near = float(value)
        beyond = value - int(near) if isinstance(value, int) else 0
    except (OverflowError, ValueError):
        return None
    (bits,) = _UINT64.unpack(_FLOAT64.pack(near + 0.0))
    bits ^= _ALL if bits & _SIGN else _SIGN
    return _NUMBER + _UINT64.pack(bits) + _UINT64.pack(beyond + _SIGN)


def kind_range(term: bytes) -> tuple[bytes, bytes]:
    """The half-open range of all terms of a term's kind."""
    return term[:1], bytes([term[0] + 1])


def prefix_range(prefix: str) -> tuple[bytes, bytes]:
    """The half-open range of the terms of all strings that begin so."""
    lower = _STRING + prefix.encode("utf-8", "replace").replace(b"\0", b"\0\xff")
    return lower, lower + b"\xff\xff"


def partition_of(term: bytes, partitions: int) -> int:
    """The index partition of a term: a slice of token space, like that of a document."""
    return (token_of(term[:TERM_BYTES_MAX]) * partitions) >> 32


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
