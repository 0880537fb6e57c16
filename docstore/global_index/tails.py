"""What a shard's log has new, with each document as it is after it: decoded once for all indexes.

Invariant: a tail is a state the shard was in. It ends where no document it names has a later
entry, so whoever has taken it shows the shard as of its last entry; only a tail of more than
ENTRIES_MAX is cut before. `seen` is up to which entry its documents may be newer then.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from docstore.shards.records import Entry, Operation, Record, parsed
from docstore.shards.shard import Shard

ENTRIES_MAX = 50_000
"""Entries read at once when documents are written over and over: bounds memory."""


class Changed(NamedTuple):
    """A document as it is now; None when it is gone.

    `created` is the seq of its first entry here if there was no such document before it, else 0.
    """

    key: bytes
    record: Record | None
    document: Any
    created: int


class Tail(NamedTuple):
    """The documents with an entry after seq `after`, up to seq `last`."""

    shard: int
    after: int
    last: int
    seen: int
    documents: list[Changed]


def read_tail(shard: Shard, after: int, most: int) -> Tail | None:
    """About the next `most` entries after a seq; None when the log no longer holds them all."""
    is_longer = False
    while True:
        found = shard.next_written(after, most)
        if not found or is_cut(shard, after, found[0][0].seq):
            return None
        last = found[-1][0].seq
        needed = _needed(found, shard)
        if needed <= last or last - after >= ENTRIES_MAX:
            break
        # What is needed moves on beside busy writers: all there is, read at once, is of one moment.
        most = ENTRIES_MAX if is_longer else min(needed - after, ENTRIES_MAX)
        is_longer = True
    documents: dict[bytes, Changed] = {}
    for (seq, operation, version, _, key, _), record in found:
        if key not in documents:
            created = seq if version == 1 and operation is Operation.PUT else 0
            document = None if record is None else parsed(record.body)
            documents[key] = Changed(key, record, document, created)
    return Tail(shard.number, after, last, max(last, needed), list(documents.values()))


def _needed(found: list[tuple[Entry, Record | None]], shard: Shard) -> int:
    """Up to which seq must be read so that no document has a later entry."""
    latest: dict[bytes, Operation] = {entry.key: entry.operation for entry, _ in found}
    needed = 0
    for entry, record in found:
        if record is not None:
            needed = max(needed, record.seq)
        elif latest[entry.key] is not Operation.DELETE:
            return shard.visible_head  # it was deleted by some later entry
    return needed


def in_parts(tails: list[Tail], most: int) -> Iterator[list[Tail]]:
    """Tails in their order, some at a time: of about so many entries together, one at least."""
    part: list[Tail] = []
    entries = 0
    for tail in tails:
        part.append(tail)
        entries += tail.last - tail.after
        if entries >= most:
            yield part
            part, entries = [], 0
    if part:
        yield part


def is_cut(shard: Shard, after: int, first: int) -> bool:
    """Whether a log that is asked for what follows a seq begins too late."""
    return not shard.is_next(after, first)
