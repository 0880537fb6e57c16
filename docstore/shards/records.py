"""What a shard keeps on disk, value by value: documents, log entries, operations, the checkpoint.

Every value begins with a format byte; FORMAT.md describes each with an example. Numbers here are
on disk: they never change meaning, a new form takes a new number. Invariant: what is stored is read
as it was packed or raises Corruption; nothing else, whatever bytes took its place.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import orjson

from indexing.errors import Corruption

_FORMAT = 1
_MOVED_FORMAT = 2
"""Of an answer that another partition gave."""
_DOCUMENT = struct.Struct(">BQQ")  # format, version, seq; then the body
_ENTRY = struct.Struct(">BBQQH")  # format, operation, version, microseconds, key bytes; key, op_id
_ANSWER = struct.Struct(">BBQQ")  # format, 1 created | 2 deleted, version, seq; then the key
_ORIGIN = struct.Struct(">IQ")  # format 2, before the key: partition, its epoch
_SEQ = struct.Struct(">Q")

HEAD = b"head"
INDEX_CHECKPOINT = b"index"
BASE = b"base"
"""Keys of the meta table."""


class Operation(IntEnum):
    """What a log entry did. On disk.

    MOVED is no write: a document was moved here while it was written, and is to be looked at.
    """

    PUT = 1
    DELETE = 2
    MOVED = 3


OPERATIONS = {int(operation): operation for operation in Operation}
"""Looking a member up is many times faster than calling the enumeration."""


class Record(NamedTuple):
    """A stored document: its version, the seq of the write that made it so, and its JSON."""

    version: int
    seq: int
    body: bytes


def parsed(body: bytes) -> Any:
    """The document that a record holds; raises Corruption where other bytes took its place."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Corruption(
            f"a document is damaged: what is stored is no JSON: {error}",
            hint="docstore check names it; restore the shard's directory from a copy",
        ) from error


class Entry(NamedTuple):
    """One write in a shard's log; `at` is microseconds since 1970 UTC, `version` 0 for a delete."""

    seq: int
    operation: Operation
    version: int
    at: int
    key: bytes
    op_id: bytes


class Answer(NamedTuple):
    """What a write with an op_id was answered, so that a retry is answered the same.

    `origin` is the partition, with its epoch, that answered, when it is not the one that holds it.
    """

    key: bytes
    version: int
    seq: int
    created: bool = False
    deleted: bool = False
    origin: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class IndexCheckpoint:
    """The local index in effect: its generation, and that its commit `stamp` covers `seq`.

    A later commit covers at least as much, so what follows `seq` may be applied again; an earlier
    commit in the directory means that the index was replaced and must be rebuilt.
    """

    generation: int
    stamp: int
    seq: int


def pack_seq(seq: int) -> bytes:
    """A seq as a log key: 8 bytes that sort as the number does."""
    return _SEQ.pack(seq)


def unpack_seq(data: bytes | None) -> int:
    """A seq back from its bytes; 0 when there are none. Raises Corruption."""
    if data is None:
        return 0
    try:
        return int(_SEQ.unpack(data)[0])
    except struct.error as error:
        raise unreadable("seq", f"{len(data)} bytes") from error


def pack_document(version: int, seq: int, body: bytes) -> bytes:
    """A document's value."""
    return _DOCUMENT.pack(_FORMAT, version, seq) + body


def unpack_document(data: bytes) -> Record:
    """A document's value read back; raises Corruption on another format."""
    try:
        form, version, seq = _DOCUMENT.unpack_from(data)
    except struct.error as error:
        raise unreadable("document", "too short") from error
    if form != _FORMAT:
        raise unreadable("document", f"format {form}")
    return Record(version, seq, data[_DOCUMENT.size :])


def revision_of(data: bytes) -> tuple[int, int]:
    """Just the version and the seq of a document's value; raises Corruption on another format."""
    try:
        form, version, seq = _DOCUMENT.unpack_from(data)
    except struct.error as error:
        raise unreadable("document", "too short") from error
    if form != _FORMAT:
        raise unreadable("document", f"format {form}")
    return version, seq


def pack_entry(operation: int, version: int, at: int, key: bytes, op_id: bytes = b"") -> bytes:
    """A log entry's value; its key is the seq."""
    return _ENTRY.pack(_FORMAT, operation, version, at, len(key)) + key + op_id


def unpack_entry(seq: bytes, data: bytes) -> Entry:
    """A log entry read back from its key and value.

    Raises Corruption on another format, or an operation that only a newer docstore knows.
    """
    try:
        (number,) = _SEQ.unpack(seq)
        form, operation, version, at, length = _ENTRY.unpack_from(data)
    except struct.error as error:
        raise unreadable("log entry", "too short") from error
    if form != _FORMAT:
        raise unreadable("log entry", f"entry {number} has format {form}")
    known = OPERATIONS.get(operation)
    if known is None:
        raise unreadable("log entry", f"entry {number} is of operation {operation}")
    end = _ENTRY.size + length
    if len(data) < end:
        raise unreadable("log entry", f"entry {number} is too short")
    return Entry(number, known, version, at, data[_ENTRY.size : end], data[end:])


def pack_answer(answer: Answer) -> bytes:
    """An operation's answer; its key is the op_id."""
    flags = answer.created | answer.deleted << 1
    if answer.origin is None:
        return _ANSWER.pack(_FORMAT, flags, answer.version, answer.seq) + answer.key
    head = _ANSWER.pack(_MOVED_FORMAT, flags, answer.version, answer.seq)
    return head + _ORIGIN.pack(*answer.origin) + answer.key


def unpack_answer(data: bytes) -> Answer:
    """An operation's answer read back; raises Corruption on another format."""
    end, origin = _ANSWER.size, None
    try:
        form, flags, version, seq = _ANSWER.unpack_from(data)
        if form == _MOVED_FORMAT:
            origin = _ORIGIN.unpack_from(data, end)
            end += _ORIGIN.size
    except struct.error as error:
        raise unreadable("operation", "too short") from error
    if origin is None and form != _FORMAT:
        raise unreadable("operation", f"format {form}")
    return Answer(data[end:], version, seq, bool(flags & 1), bool(flags & 2), origin)


def pack_checkpoint(checkpoint: IndexCheckpoint) -> bytes:
    """The index checkpoint as JSON."""
    return orjson.dumps(
        {
            "format": _FORMAT,
            "generation": checkpoint.generation,
            "stamp": checkpoint.stamp,
            "seq": checkpoint.seq,
        }
    )


def unpack_checkpoint(data: bytes | None) -> IndexCheckpoint | None:
    """The index checkpoint read back; None when there is none yet. Raises Corruption."""
    if data is None:
        return None
    try:
        form = orjson.loads(data)
        found = [form[name] for name in ("format", "generation", "stamp", "seq")]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError) as error:
        raise unreadable("checkpoint", str(error)) from error
    if not all(type(each) is int and each >= 0 for each in found):
        raise unreadable("checkpoint", "a number is none")
    if found[0] != _FORMAT:
        raise unreadable("checkpoint", f"format {found[0]}")
    return IndexCheckpoint(*found[1:])


def unreadable(what: str, why: str) -> Corruption:
    """The error for a stored value of which some kind cannot be read."""
    return Corruption(
        f"a stored {what} cannot be read: {why}",
        hint="it was written by a newer docstore, or the file is damaged: upgrade, or restore it",
    )
