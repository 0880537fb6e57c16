"""One posting as bytes: which document, under which term, and what it carries.

Numbers here are on disk and never change meaning. A posting is kept under its stored term and the
document's key, of which a long one is cut and ends in a digest.
"""

import hashlib
import struct
from typing import Any, NamedTuple

import orjson

SUFFIX_BYTES_MAX = 100
_CUT = SUFFIX_BYTES_MAX - 32
_HEADER = struct.Struct(">BHIQQH")
"""Flags, bytes of the term, shard, seq, version, bytes of the key (0: as in the posting's key)."""
SEVERAL = 1
"""Flag: the document is under several terms of the index."""
HEADER_BYTES = _HEADER.size


class Posting(NamedTuple):
    """One document under one term; `payload` is the value found, then what is included."""

    term: bytes
    key: bytes
    is_several: bool
    shard: int
    seq: int
    version: int
    payload: list[Any]


def suffix_of(key: bytes) -> bytes:
    """What a document's key adds to the key of its postings."""
    if len(key) <= SUFFIX_BYTES_MAX:
        return key
    return key[:_CUT] + hashlib.sha256(key).digest()


def packed(
    term: bytes,
    key: bytes,
    shard: int,
    seq: int,
    version: int,
    payload: bytes,
    *,
    several: bool = False,
) -> bytes:
    """A posting's value; `payload` is JSON."""
    if len(key) <= SUFFIX_BYTES_MAX:
        return _HEADER.pack(several, len(term), shard, seq, version, 0) + payload
    return _HEADER.pack(several, len(term), shard, seq, version, len(key)) + key + payload


def renamed(row: bytes, name: bytes) -> bytes:
    """A posting's value, to be kept under another name."""
    return row[:1] + len(name).to_bytes(2, "big") + row[3:]


def located(place: bytes, row: bytes) -> tuple[bytes, bytes]:
    """The term and the key of a posting, given the key and value it is kept as."""
    term_bytes = (row[1] << 8) | row[2]
    key_bytes = (row[23] << 8) | row[24]
    key = row[HEADER_BYTES : HEADER_BYTES + key_bytes] if key_bytes else place[term_bytes:]
    return place[:term_bytes], key


def payload_of(row: bytes) -> bytes:
    """The JSON of a posting."""
    return row[HEADER_BYTES + ((row[23] << 8) | row[24]) :]


def unpacked(term: bytes, key: bytes, row: bytes) -> Posting:
    """A posting read back."""
    flags, _, shard, seq, version, _ = _HEADER.unpack_from(row)
    payload = orjson.loads(payload_of(row))
    return Posting(term, key, bool(flags & SEVERAL), shard, seq, version, payload)
