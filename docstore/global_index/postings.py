"""One partition of a global index on disk: postings, what each document has here, checkpoints.

Invariant: a partition is a follower of its own. Postings, the terms of each document and the
checkpoints of all shards change in one transaction, so that at every moment, also after a crash,
the partition holds exactly the state that its checkpoints name, or a later state of documents
whose entries follow. Applying a change again changes nothing.

On disk, big endian. postings: term (cut to 400 bytes), u64 number of the document here -> u32
shard, u64 version, u16 key bytes, key, JSON [values of the term, included values]. documents: key
-> u64 number, then u16 length and bytes of each of its terms here. meta: `next`, and for each shard
`s` u32 -> u64 seq, while it is filled `f` u32 -> the last key taken.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from docstore.environment import Environment, Transaction

TABLES = ("documents", "meta", "postings")
POSTINGS_FILE = "postings.mdb"
_NUMBER = struct.Struct(">Q")
_LENGTH = struct.Struct(">H")
_SHARD = struct.Struct(">I")
_HEADER = struct.Struct(">IQH")
_NEXT = b"next"
READ_BATCH = 2000
"""Postings or documents read in one transaction by who walks all of them."""


class Posting(NamedTuple):
    """One document under one term. `value` is what the document holds, `included` in order."""

    key: bytes
    shard: int
    version: int
    value: Any
    included: list[Any]


class Change(NamedTuple):
    """A document as it is now; `terms` maps the cut terms it has in one partition to postings."""

    key: bytes
    terms: Mapping[bytes, list[Posting]]


class Checkpoint(NamedTuple):
    """Applied up to `seq`; `filled` is the last key taken while the shard is still read first."""

    seq: int
    filled: bytes | None


class IndexPartition:
    """The postings of one slice of the terms; any thread may read, one applies."""

    def __init__(self, directory: Path, *, read_only: bool) -> None:
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        self._environment = Environment(
            directory / POSTINGS_FILE, read_only=read_only, tables=TABLES
        )
        self._tables = self._environment.tables

    def checkpoints(self) -> dict[int, Checkpoint]:
        """How far each shard's log is applied; a shard that is missing was never begun."""
        with self._environment.read() as transaction:
            return self._checkpoints(transaction)

    def _checkpoints(self, transaction: Transaction) -> dict[int, Checkpoint]:
        stored = dict(transaction.cursor(db=self._tables["meta"]))
        return {
            _SHARD.unpack(name[1:])[0]: Checkpoint(
                _NUMBER.unpack(value)[0], stored.get(b"f" + name[1:])
            )
            for name, value in stored.items()
            if name[:1] == b"s"
        }

    def apply(self, changes: Sequence[Change], checkpoints: Mapping[int, Checkpoint]) -> None:
        """Make documents what they are now and move checkpoints, in one durable transaction."""

        def body(transaction: Transaction) -> None:
            meta = self._tables["meta"]
            self._store(transaction, changes)
            for shard, checkpoint in checkpoints.items():
                number = _SHARD.pack(shard)
                transaction.put(b"s" + number, _NUMBER.pack(checkpoint.seq), db=meta)
                if checkpoint.filled is None:
                    transaction.delete(b"f" + number, db=meta)
                else:
                    transaction.put(b"f" + number, checkpoint.filled, db=meta)

        self._environment.write(body)

    def _store(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        documents, postings = self._tables["documents"], self._tables["postings"]
        held = dict(transaction.cursor(db=documents).getmulti([each.key for each in changes]))
        first = following = _number(transaction.get(_NEXT, db=self._tables["meta"]))
        puts: list[tuple[bytes, bytes]] = []
        for key, terms in changes:
            before = held.get(key)
            if before is None and not terms:
                continue
            if before is None:
                number, old = _NUMBER.pack(following), []
                following += 1
            else:
                number, old = before[:8], list(_terms(before))
            for term in old:
                if term not in terms:
                    transaction.delete(term + number, db=postings)
            for term, found in terms.items():
                puts.append((term + number, _packed(found)))
            if not terms:
                transaction.delete(key, db=documents)
            elif old != list(terms):
                parts = [number, *(_LENGTH.pack(len(term)) + term for term in terms)]
                transaction.put(key, b"".join(parts), db=documents)
        puts.sort()
        transaction.cursor(db=postings).putmulti(puts)
        if following != first:
            transaction.put(_NEXT, _NUMBER.pack(following), db=self._tables["meta"])

    def find(
        self, ranges: Iterable[tuple[bytes, bytes]]
    ) -> tuple[list[Posting], dict[int, Checkpoint]]:
        """The postings with lower <= term < upper, and the checkpoints they are of: one moment."""
        found: list[Posting] = []
        with self._environment.read() as transaction:
            cursor = transaction.cursor(db=self._tables["postings"])
            for lower, upper in ranges:
                more = cursor.set_range(lower)
                while more and cursor.key() < upper:
                    found += _unpacked(cursor.value())
                    more = cursor.next()
            return found, self._checkpoints(transaction)

    def documents(self) -> Iterator[tuple[bytes, bytes, list[bytes]]]:
        """Every document here: its key, its number and its terms, in key order."""
        for key, value in self._walk("documents"):
            yield key, value[:8], list(_terms(value))

    def entries(self) -> Iterator[tuple[bytes, bytes, list[Posting]]]:
        """Every term with a document's number and its postings, in term order."""
        for key, value in self._walk("postings"):
            yield key[:-8], key[-8:], _unpacked(value)

    def _walk(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        last = b""
        batch: list[tuple[bytes, bytes]] = []
        while True:
            batch.clear()
            with self._environment.read() as transaction:
                cursor = transaction.cursor(db=self._tables[table])
                more = cursor.set_range(last) if last else cursor.first()
                if more and cursor.key() == last:
                    more = cursor.next()
                while more and len(batch) < READ_BATCH:
                    batch.append((cursor.key(), cursor.value()))
                    more = cursor.next()
            yield from batch
            if len(batch) < READ_BATCH:
                return
            last = batch[-1][0]

    def held(self, key: bytes) -> tuple[bytes, list[bytes]] | None:
        """A document's number and terms here."""
        stored = self._environment.get("documents", key)
        return None if stored is None else (stored[:8], list(_terms(stored)))

    def postings_of(self, term: bytes, number: bytes) -> list[Posting]:
        """What a document has under a term."""
        stored = self._environment.get("postings", term + number)
        return [] if stored is None else _unpacked(stored)

    def close(self) -> None:
        """Close the file."""
        self._environment.close()


def _number(stored: bytes | None) -> int:
    return 1 if stored is None else int(_NUMBER.unpack(stored)[0])


def _terms(stored: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(stored):
        (length,) = _LENGTH.unpack_from(stored, at)
        yield stored[at + 2 : at + 2 + length]
        at += 2 + length


def _packed(postings: list[Posting]) -> bytes:
    """The postings of one document under one term: several only when values were cut alike."""
    key, shard, version, _, included = postings[0]
    values = [posting.value for posting in postings]
    return _HEADER.pack(shard, version, len(key)) + key + orjson.dumps([values, included])


def _unpacked(stored: bytes) -> list[Posting]:
    shard, version, length = _HEADER.unpack_from(stored)
    end = _HEADER.size + length
    values, included = orjson.loads(stored[end:])
    key = stored[_HEADER.size : end]
    return [Posting(key, shard, version, value, included) for value in values]
