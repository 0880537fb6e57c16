"""One posting as bytes: which document, under which term, and what it carries.

Numbers here are on disk and never change meaning. A posting is kept under its stored term and the
document's key, of which a long one is cut and ends in a digest. What the many postings of one
document all carry is not in each of them: it is kept once, with the document's terms, and in memory
they hold it together (`Sharing`), so that a list of thousands of values costs what it is long.
"""

import hashlib
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from indexing.errors import Corruption, DocstoreError

POSTINGS_FILE = "postings.mdb"
SUFFIX_BYTES_MAX = 100
_CUT = SUFFIX_BYTES_MAX - 32
_HEADER = struct.Struct(">BHIQQH")
"""Flags, bytes of the term, shard, seq, version, bytes of the key (0: as in the posting's key)."""
SEVERAL = 1
"""Flag: the document is under several terms of the index."""
SHARED = 2
"""Flag: its JSON is the value alone; the rest is what the document's postings share."""
PLAIN = 4
"""Flag: each field that it carries is in the document under its name, as the one value that is
carried; null is missing or null. Without it, which older ones have not, that is not known."""
SHARED_BYTES_MIN = 1000
"""Bytes of JSON beside the value from which several postings share them: less is read faster where
it is."""
HEADER_BYTES = _HEADER.size


class Sharing(bytes):
    """A posting's value, and `shared`: the rest of the JSON array, from the first comma on."""

    shared: bytes


def sharing(row: bytes, shared: bytes) -> Sharing:
    """A posting's value with what it shares."""
    made = Sharing(row)
    made.shared = shared
    return made


class Posting(NamedTuple):
    """One document under one term; `payload` is the value found, then what is included."""

    term: bytes
    key: bytes
    is_several: bool
    is_plain: bool
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
    plain: bool = False,
    shared: bytes | None = None,
) -> bytes:
    """A posting's value; `payload` is JSON, of the value alone where the rest is `shared`."""
    flags = several * SEVERAL | plain * PLAIN | (shared is not None) * SHARED
    if len(key) <= SUFFIX_BYTES_MAX:
        row = _HEADER.pack(flags, len(term), shard, seq, version, 0) + payload
    else:
        row = _HEADER.pack(flags, len(term), shard, seq, version, len(key)) + key + payload
    return row if shared is None else sharing(row, shared)


def renamed(row: bytes, name: bytes) -> bytes:
    """A posting's value, to be kept under another name."""
    made = row[:1] + len(name).to_bytes(2, "big") + row[3:]
    return sharing(made, row.shared) if isinstance(row, Sharing) else made


def located(place: bytes, row: bytes) -> tuple[bytes, bytes]:
    """The term and the key of a posting, given the key and value it is kept as."""
    term_bytes = (row[1] << 8) | row[2]
    key_bytes = (row[23] << 8) | row[24]
    key = row[HEADER_BYTES : HEADER_BYTES + key_bytes] if key_bytes else place[term_bytes:]
    return place[:term_bytes], key


def payloads(rows: Sequence[bytes]) -> list[list[Any]]:
    """What postings carry, decoded at once: what some share is decoded once, and one object."""
    found = _parsed(b"[" + b",".join(map(_json_of, rows)) + b"]")
    if len(found) != len(rows):
        raise _damage("other things than were stored")
    decoded: dict[bytes, list[Any]] = {}
    for payload, row in zip(found, rows, strict=True):
        if isinstance(row, Sharing):
            if row.shared not in decoded:
                decoded[row.shared] = _decoded(row.shared)
            payload.extend(decoded[row.shared])
    return found


def unpacked(term: bytes, key: bytes, row: bytes) -> Posting:
    """A posting read back."""
    flags, _, shard, seq, version, _ = _HEADER.unpack_from(row)
    payload = _parsed(_json_of(row))
    if isinstance(row, Sharing):
        payload += _decoded(row.shared)
    is_several, is_plain = bool(flags & SEVERAL), bool(flags & PLAIN)
    return Posting(term, key, is_several, is_plain, shard, seq, version, payload)


def _json_of(row: bytes) -> bytes:
    return row[HEADER_BYTES + ((row[23] << 8) | row[24]) :]


@lru_cache(maxsize=4)
def _decoded(shared: bytes) -> list[Any]:
    """The postings of one document are often read one after another."""
    return _parsed(b"[" + shared[1:])


def _parsed(carried: bytes) -> list[Any]:
    """What is stored as JSON; raises Corruption where other bytes took its place."""
    try:
        found: list[Any] = orjson.loads(carried)
    except orjson.JSONDecodeError as error:
        raise _damage(str(error)) from error
    return found


def _damage(what: str) -> Corruption:
    return Corruption(
        f"postings of an index carry what cannot be read: {what}",
        hint="it is filled again from the documents",
        file=POSTINGS_FILE,
    )


def is_damage(error: DocstoreError) -> bool:
    """Whether an error tells that a partition is damaged, and not a shard."""
    return isinstance(error, Corruption) and error.data.get("file") == POSTINGS_FILE
