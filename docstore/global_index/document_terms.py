"""What an index partition keeps of a document: its terms here, and what its postings share.

On disk: u16 length and bytes of each term; before them, if its postings share something, u16 0, u32
length and bytes of that. So a partition knows what to take away when the document changes. Pure.
"""

import struct
from collections.abc import Iterator, Mapping

from docstore.global_index.postings import Sharing

_LENGTH, _SHARED_LENGTH = struct.Struct(">H"), struct.Struct(">I")
_SHARES = b"\0\0"
"""A term is never empty."""
_SHARED_AT = len(_SHARES) + _SHARED_LENGTH.size


def packed_terms(rows: Mapping[bytes, bytes]) -> bytes:
    """The terms of postings, by stored term, and what these share."""
    sharing = next((row for row in rows.values() if isinstance(row, Sharing)), None)
    terms = b"".join([_LENGTH.pack(len(term)) + term for term in rows])
    if sharing is None:
        return terms
    return _SHARES + _SHARED_LENGTH.pack(len(sharing.shared)) + sharing.shared + terms


def _begin_of(stored: bytes) -> int:
    """Where the terms begin."""
    return _SHARED_AT + _SHARED_LENGTH.unpack_from(stored, 2)[0] if stored[:2] == _SHARES else 0


def terms_in(stored: bytes) -> Iterator[bytes]:
    """The terms."""
    at = _begin_of(stored)
    while at < len(stored):
        (length,) = _LENGTH.unpack_from(stored, at)
        yield stored[at + 2 : at + 2 + length]
        at += 2 + length


def shared_in(stored: bytes) -> bytes:
    """What its postings share; nothing if they do not."""
    return stored[_SHARED_AT : _begin_of(stored)]
