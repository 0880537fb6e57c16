"""What changes of documents do to an index partition's tables, and how far each log is applied.

Postings, the terms of each document, how many documents each term has, and checkpoints: whoever
changes some of them changes all in one transaction. To store a change again changes nothing.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from docstore.global_index.document_terms import packed_terms, terms_in
from docstore.global_index.postings import suffix_of
from docstore.shards.environment import Table, Transaction

_NUMBER = struct.Struct(">Q")
_SHARD = struct.Struct(">I")
_APPLIED, _FILLED = b"s", b"f"

Changes = Mapping[bytes, Mapping[bytes, bytes]]
"""What documents are now: by key the postings that each has in one partition, by stored term."""
Tables = Mapping[str, Table]


class Checkpoint(NamedTuple):
    """Applied up to `seq`; `filled` is the last key taken while the shard is still read first.

    No document of the shard that is here is newer than `newest`; None where that is not known.
    """

    seq: int
    filled: bytes | None
    newest: int | None = None


def checkpoints_in(meta: Mapping[bytes, bytes]) -> dict[int, Checkpoint]:
    """How far each shard's log is applied. A shard that is missing was never begun."""
    return {
        _SHARD.unpack(name[1:])[0]: Checkpoint(
            _NUMBER.unpack_from(value)[0],
            meta.get(_FILLED + name[1:]),
            _NUMBER.unpack_from(value, 8)[0] if len(value) > _NUMBER.size else None,
        )
        for name, value in meta.items()
        if name[:1] == _APPLIED
    }


def move_checkpoints(
    transaction: Transaction, tables: Tables, checkpoints: Mapping[int, Checkpoint]
) -> None:
    """Say how far the logs of some shards are applied now."""
    meta = tables["meta"]
    for shard, checkpoint in checkpoints.items():
        number = _SHARD.pack(shard)
        newest = b"" if checkpoint.newest is None else _NUMBER.pack(checkpoint.newest)
        transaction.put(_APPLIED + number, _NUMBER.pack(checkpoint.seq) + newest, db=meta)
        if checkpoint.filled is None:
            transaction.delete(_FILLED + number, db=meta)
        else:
            transaction.put(_FILLED + number, checkpoint.filled, db=meta)


def drop_checkpoints(transaction: Transaction, tables: Tables, shards: Iterable[int]) -> None:
    """Know of some shards no more."""
    for number in map(_SHARD.pack, shards):
        transaction.delete(_APPLIED + number, db=tables["meta"])
        transaction.delete(_FILLED + number, db=tables["meta"])


def store_changes(transaction: Transaction, tables: Tables, changes: Changes) -> None:
    """Make documents what they are now."""
    documents, postings = tables["documents"], tables["postings"]
    held = dict(transaction.cursor(db=documents).getmulti(sorted(changes)))
    counts: dict[bytes, int] = {}
    for key, before in held.items():
        rows = changes[key]
        for term in terms_in(before):
            counts[term] = counts.get(term, 0) - 1
            if term not in rows:
                transaction.delete(term + suffix_of(key), db=postings)
        if not rows:
            transaction.delete(key, db=documents)
    puts: list[tuple[bytes, bytes]] = []
    known: list[tuple[bytes, bytes]] = []
    for key, rows in changes.items():
        if not rows:
            continue
        suffix = suffix_of(key)
        packed = packed_terms(rows)
        for term, row in rows.items():
            puts.append((term + suffix, row))
            counts[term] = counts.get(term, 0) + 1
        if held.get(key) != packed:
            known.append((key, packed))
    # In order, so that neighbours share the pages that are copied.
    puts.sort()
    known.sort()
    transaction.cursor(db=postings).putmulti(puts)
    transaction.cursor(db=documents).putmulti(known)
    _count(transaction, tables["terms"], counts)


def _count(transaction: Transaction, table: Table, counts: Mapping[bytes, int]) -> None:
    changed = sorted(term for term, by in counts.items() if by)
    before = dict(transaction.cursor(db=table).getmulti(changed))
    puts: list[tuple[bytes, bytes]] = []
    for term in changed:
        now = counts[term] + (documents_with(before[term]) if term in before else 0)
        if now > 0:
            puts.append((term, _NUMBER.pack(now)))
        else:
            transaction.delete(term, db=table)
    transaction.cursor(db=table).putmulti(puts)


def documents_with(stored: bytes) -> int:
    """How many documents have a term, by what is stored of it."""
    return int(_NUMBER.unpack(stored)[0])
