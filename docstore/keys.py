"""Keys as bytes: the one place that knows how a document's key is written on disk.

Invariants:
1. Bytes compare as keys do: part by part, values of one type in their own order, types in the
   order of their tags (int, float, datetime, str, bytes). 1 and 1.0 are two keys.
2. Two keys have equal bytes only if they are the same key, and decoding gives the key back
   (-0.0 comes back as 0.0, datetimes in UTC, a date as its midnight).
3. No tag is ever 0xff, and 0xff after a NUL means that the NUL belongs to the payload: so a part's
   end is found without a length, and what follows a whole part is always below 0xff.

An untyped key is its raw UTF-8 and nothing else. A typed key is, per part, a tag byte and a
payload. Deliberately absent: schemas (the caller picks the key's fields out of the document), and
any coercion between types.
"""

import math
import re
import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import uuid_utils

from docstore.types import Key as KeyValue
from indexing.errors import Corruption, InvalidDocument, InvalidSchema

KEY_BYTES_MAX = 511
"""The most bytes an encoded key may have: LMDB's limit for a key. Must not change."""

# On disk, in every typed key: these numbers never change meaning; a new type takes a new number.
_INT = 0x10
_FLOAT = 0x11
_DATETIME = 0x18
_STR = 0x20
_BYTES = 0x21

_FIXED_BYTES = 9  # tag and 8 bytes, big endian
_SIGN = 1 << 63  # flipping it makes signed integers compare as unsigned bytes
_ALL_BITS = (1 << 64) - 1
_END = b"\x00"  # ends a str or bytes payload
_ESCAPED_NUL = b"\x00\xff"  # a NUL inside one: above every tag, so "a" sorts before "a\x00"
_ABOVE_EVERY_TAG = b"\xff"

_TAG_UINT64 = struct.Struct(">BQ")
_FLOAT64 = struct.Struct(">d")
_UINT64 = struct.Struct(">Q")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROS_MIN = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MICROS_MAX = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
OPERATION_KEYS = uuid.UUID("5ad03c8c-3c7a-5f0e-9d4f-6b2b0a5f6e10")
"""Under which keys are made from operations' ids; it never changes."""


@dataclass(frozen=True, slots=True, init=False)
class Key:
    """A typed key's specification: `Key("seller_id", "listed_at", "id")`, one field per part.

    With two parts or more the first is the partition key and the rest order documents inside it.
    Raises InvalidSchema without a field, or for an empty, repeated or unwritable field name.
    """

    fields: tuple[str, ...]

    def __init__(self, *fields: str) -> None:
        _check_fields(fields)
        object.__setattr__(self, "fields", fields)


@dataclass(frozen=True, slots=True)
class KeySpec:
    """How a collection's keys are made: the fields they are read from, and whether they are typed.

    Untyped: exactly one field, a string, stored as it is. Raises InvalidSchema for anything else.
    """

    fields: tuple[str, ...]
    typed: bool

    def __post_init__(self) -> None:
        _check_fields(self.fields)
        if not self.typed and len(self.fields) != 1:
            raise InvalidSchema(
                f"an untyped key has one field, not {len(self.fields)}",
                hint='declare several parts as Key("first", "second")',
            )

    @classmethod
    def of(cls, key: str | Key) -> "KeySpec":
        """Read what `create_collection(key=…)` takes: a field name, or a `Key`."""
        if isinstance(key, Key):
            return cls(key.fields, typed=True)
        return cls((key,), typed=False)

    def to_json(self) -> dict[str, Any]:
        """The specification as JSON: `{"fields": […], "typed": bool}`. These names never change."""
        return {"fields": list(self.fields), "typed": self.typed}

    @classmethod
    def from_json(cls, data: Any) -> "KeySpec":
        """Read `to_json` back; raises Corruption on anything else."""
        match data:
            case {"fields": [*fields], "typed": bool(typed)}:
                try:
                    return cls(tuple(fields), typed)
                except InvalidSchema as error:
                    raise Corruption(
                        f"a stored key specification is wrong: {error.message}",
                        hint="restore collection.json from a copy",
                    ) from error
        raise Corruption(
            "a stored key specification is not {fields, typed}",
            hint="restore collection.json from a copy",
        )


def _check_fields(fields: tuple[Any, ...]) -> None:
    """Refuse field names that no document could have, or that name one part twice."""
    if not fields or not all(isinstance(field, str) and field for field in fields):
        raise InvalidSchema(
            "a key needs the names of its fields",
            hint='write key="id" or key=Key("seller_id", "listed_at")',
        )
    if any("\ud800" <= char <= "\udfff" for field in fields for char in field):
        raise InvalidSchema(
            "a key's field name is not valid Unicode", hint="remove the lone surrogate from it"
        )
    if len(set(fields)) != len(fields):
        raise InvalidSchema("a key names the same field twice", hint="name each field once")


def encode(spec: KeySpec, key: KeyValue) -> bytes:
    """The key's bytes, 1 to KEY_BYTES_MAX of them.

    Untyped: a non-empty str. Typed: a tuple (or list) with one value per field, or the bare value
    when there is one field. Raises InvalidDocument, with `field` where one part is at fault.
    """
    if spec.typed:
        parts = _parts_of(key)
        if len(parts) != len(spec.fields):
            raise InvalidDocument(
                f"the key has {len(parts)} parts, not {len(spec.fields)}",
                hint=f"give one value for each of: {', '.join(spec.fields)}",
                fields=list(spec.fields),
            )
        data = _encode_parts(spec, parts)
    else:
        data = _untyped_bytes(spec, key)
        if not data:
            raise InvalidDocument(
                "the key is empty",
                hint="give the document a non-empty key, or none to have one made",
                field=spec.fields[0],
            )
    return _within_limit(data)


def decode(spec: KeySpec, data: bytes) -> KeyValue:
    """The key that `encode` wrote: a str; typed, a tuple, or the bare value of a single field.

    Raises Corruption when the bytes are not a key of this specification.
    """
    if not spec.typed:
        if not data:
            raise _broken("it is empty")
        return _decode_text(data)
    parts: list[Any] = []
    start = 0
    while start < len(data):
        end = _part_end(data, start)
        parts.append(_decode_part(data[start], data[start + 1 : end]))
        start = end
    if len(parts) != len(spec.fields):
        raise _broken(f"it has {len(parts)} parts, not {len(spec.fields)}")
    return parts[0] if len(parts) == 1 else tuple(parts)


def partition_bytes(spec: KeySpec, encoded: bytes) -> bytes:
    """The partition key's bytes: the first part of a compound key, else the whole key."""
    if spec.typed and len(spec.fields) > 1:
        return encoded[: _part_end(encoded, 0)]
    return encoded


def key_text(spec: KeySpec, encoded: bytes) -> str:
    """The key as text for a search index's column; text compares as the bytes do.

    The string itself when untyped, lowercase hexadecimal when typed.
    """
    return encoded.hex() if spec.typed else _decode_text(encoded)


def from_key_text(spec: KeySpec, text: str) -> bytes:
    """The encoded key that `key_text` showed; raises Corruption on text it cannot have written."""
    if not spec.typed:
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise _broken("its text is not valid Unicode") from error
    if not _HEX.fullmatch(text):
        raise _broken("its text is not hexadecimal")
    return bytes.fromhex(text)


def prefix_range(spec: KeySpec, prefix: KeyValue) -> tuple[bytes, bytes | None]:
    """The half-open range [lower, upper) of all encoded keys that start with `prefix`.

    Untyped: any string. Typed: the leading parts, each of them whole (`("ab",)` does not find
    `("abc", …)`); one part may be given bare. An empty prefix is every key; upper None is no bound.
    Neither bound is longer than KEY_BYTES_MAX. Raises InvalidDocument like `encode`.
    """
    if not spec.typed:
        lower = _within_limit(_untyped_bytes(spec, prefix))
        return lower, successor(lower)
    parts = _parts_of(prefix)
    if len(parts) > len(spec.fields):
        raise InvalidDocument(
            f"the prefix has {len(parts)} parts, the key only {len(spec.fields)}",
            hint=f"give leading values of: {', '.join(spec.fields)}",
            fields=list(spec.fields),
        )
    lower = _within_limit(_encode_parts(spec, parts))
    if not lower:
        return lower, None
    # After a whole part comes the end or a tag, all below 0xff; 0xff itself would continue an
    # escaped NUL, which is another value. At the full length no continuation fits either way.
    if len(lower) < KEY_BYTES_MAX:
        return lower, lower + _ABOVE_EVERY_TAG
    return lower, successor(lower)


def successor(data: bytes) -> bytes | None:
    """The smallest bytes above every string that starts with `data`; None when there are none."""
    kept = data.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def new_key(op_id: str | None = None) -> str:
    """A fresh key: UUIDv7 as text (RFC 9562), each greater than the last one of this process.

    For a named operation always the same one, so that a retry finds the document.
    """
    return str(uuid_utils.uuid7() if op_id is None else uuid.uuid5(OPERATION_KEYS, op_id))


def _untyped_bytes(spec: KeySpec, key: KeyValue) -> bytes:
    if not isinstance(key, str):
        field = spec.fields[0]
        raise InvalidDocument(
            f"the key is a {type(key).__name__}, not a string",
            hint=f'pass a string, or create the collection with key=Key("{field}")',
            field=field,
        )
    return _encode_text(key, spec.fields[0])


def _parts_of(key: KeyValue) -> tuple[Any, ...] | list[Any]:
    return key if isinstance(key, tuple | list) else (key,)


def _encode_parts(spec: KeySpec, parts: tuple[Any, ...] | list[Any]) -> bytes:
    return b"".join(map(_encode_part, parts, spec.fields))  # a prefix has fewer parts than fields


def _encode_part(value: Any, field: str) -> bytes:
    if isinstance(value, str):
        return _encode_string(_STR, _encode_text(value, field))
    if isinstance(value, int) and not isinstance(value, bool):
        return _encode_int(_INT, value, field)
    if isinstance(value, float):
        return _encode_float(value, field)
    if isinstance(value, date):  # a datetime is a date too
        return _encode_int(_DATETIME, _micros_of(value, field), field)
    if isinstance(value, bytes):
        return _encode_string(_BYTES, value)
    raise InvalidDocument(
        f"the key's part {field!r} is a {type(value).__name__}",
        hint="use a string, an int, a float, a date or bytes as a part of a key",
        field=field,
    )


def _encode_int(tag: int, value: int, field: str) -> bytes:
    shifted = value + _SIGN
    if not 0 <= shifted <= _ALL_BITS:
        raise InvalidDocument(
            f"the key's part {field!r} is an integer of {value.bit_length()} bits",
            hint="use an integer of 64 bits with sign, or its decimal digits as a string",
            field=field,
        )
    return _TAG_UINT64.pack(tag, shifted)


def _encode_float(value: float, field: str) -> bytes:
    if not math.isfinite(value):
        raise InvalidDocument(
            f"the key's part {field!r} is {float(value)}",
            hint="use a finite number",
            field=field,
        )
    # Adding 0.0 makes -0.0 and 0.0, which are equal, one key.
    (bits,) = _UINT64.unpack(_FLOAT64.pack(value + 0.0))
    # Negative floats grow away from zero: all bits flip to reverse them below the positive ones.
    return _TAG_UINT64.pack(_FLOAT, bits ^ (_ALL_BITS if bits & _SIGN else _SIGN))


def _encode_string(tag: int, payload: bytes) -> bytes:
    return bytes((tag,)) + payload.replace(_END, _ESCAPED_NUL) + _END


def _micros_of(value: date, field: str) -> int:
    """Microseconds since 1970 in UTC; a naive datetime is UTC, a date is its midnight."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=UTC)
    micros = (moment - _EPOCH) // _MICROSECOND
    if not _MICROS_MIN <= micros <= _MICROS_MAX:
        raise InvalidDocument(
            f"the key's part {field!r} is outside the years 1 to 9999 in UTC",
            hint="use a date of the years 1 to 9999",
            field=field,
        )
    return micros


def _encode_text(text: str, field: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(
            f"the key's part {field!r} is not valid Unicode at character {error.start}",
            hint="remove the lone surrogate, or keep bytes as bytes in a typed key",
            field=field,
        ) from error


def _within_limit(data: bytes) -> bytes:
    if len(data) > KEY_BYTES_MAX:
        raise InvalidDocument(
            f"the key takes {len(data)} bytes, more than {KEY_BYTES_MAX}",
            hint="shorten the key, or use a hash of its long part",
            bytes=len(data),
            bytes_max=KEY_BYTES_MAX,
        )
    return data


def _part_end(data: bytes, start: int) -> int:
    """Where the part that begins at `start` ends; raises Corruption if it does not."""
    tag = data[start] if start < len(data) else None
    end = 0
    if tag in (_INT, _FLOAT, _DATETIME):
        end = start + _FIXED_BYTES
    elif tag in (_STR, _BYTES):
        end = data.find(_END, start + 1)
        while end >= 0 and data.startswith(_ESCAPED_NUL, end):
            end = data.find(_END, end + len(_ESCAPED_NUL))
        end += 1
    if not 0 < end <= len(data):
        raise _broken(f"no whole part at byte {start}")
    return end


def _decode_part(tag: int, payload: bytes) -> Any:
    if tag == _STR:
        return _decode_text(payload[:-1].replace(_ESCAPED_NUL, _END))
    if tag == _BYTES:
        return payload[:-1].replace(_ESCAPED_NUL, _END)
    (bits,) = _UINT64.unpack(payload)
    if tag == _FLOAT:
        (value,) = _FLOAT64.unpack(_UINT64.pack(bits ^ (_SIGN if bits & _SIGN else _ALL_BITS)))
        if not math.isfinite(value):
            raise _broken("a float is not finite")
        return value
    if tag == _INT:
        return bits - _SIGN
    if not _MICROS_MIN <= bits - _SIGN <= _MICROS_MAX:
        raise _broken("a date is out of range")
    return _EPOCH + (bits - _SIGN) * _MICROSECOND


def _decode_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _broken("it is not UTF-8") from error


def _broken(why: str) -> Corruption:
    return Corruption(
        f"a stored key cannot be read: {why}",
        hint="run check on the store; rebuild the index if the documents are sound",
    )
