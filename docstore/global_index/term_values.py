"""The values that a stored term stands for, for a person to read: `terms` the other way round."""

import struct
from typing import Any

from docstore.global_index.terms import BEYOND, BOUND_BYTES_MAX
from indexing.values import text_of_microseconds

_SIGN, _ALL = 1 << 63, (1 << 64) - 1
_UINT64, _FLOAT64 = struct.Struct(">Q"), struct.Struct(">d")
_DIGEST_BYTES = 32
_SHOWN_BYTES = 60
"""Of a term of which the end is only known by its digest."""


def values_of_term(term: bytes) -> list[Any]:
    """The value of each field; what was cut is one string that ends in "…"."""
    if len(term) >= BOUND_BYTES_MAX + _DIGEST_BYTES:
        return [term[1:_SHOWN_BYTES].decode("utf-8", "replace") + "…"]
    if term == BEYOND:
        return ["…"]
    values: list[Any] = []
    at = 0
    while at < len(term):
        tag, at = term[at], at + 1
        if tag == 0x20:
            end = term.index(b"\0\x01", at)
            values.append(term[at:end].replace(b"\0\xff", b"\0").decode("utf-8", "replace"))
            at = end + 2
        elif tag == 0x10:
            values.append(_number(term[at : at + 16]))
            at += 16
        elif tag == 0x18:
            (moment,) = _UINT64.unpack_from(term, at)
            values.append(text_of_microseconds(moment - _SIGN))
            at += 8
        else:
            values.append(bool(term[at]))
            at += 1
    return values


def value_of_term(term: bytes) -> Any:
    """The value of a term as `salt` takes it: a tuple where there are several fields."""
    values = values_of_term(term)
    return values[0] if len(values) == 1 else tuple(values)


def _number(stored: bytes) -> int | float:
    (bits,) = _UINT64.unpack_from(stored)
    (near,) = _FLOAT64.unpack(_UINT64.pack(bits ^ (_SIGN if bits & _SIGN else _ALL)))
    beyond = _UINT64.unpack_from(stored, 8)[0] - _SIGN
    number: float = near
    return int(number) + beyond if number.is_integer() else number
