"""The changes of a collection: its shards' logs, read as one feed that can be resumed.

Invariants: the changes of one document come in their order, for they are in one log; a reader that
passes the positions it has seen misses nothing and sees nothing twice; what the log no longer holds
is an error, never a gap. Between shards there is no order. Deliberately absent: waiting for more.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from docstore import keys
from docstore.documents import DocumentCodec
from docstore.partitions import Partitions
from docstore.records import Entry, Operation, Record
from docstore.request import positions_of
from docstore.types import Change, Position
from indexing.errors import InvalidRequest, LogTrimmed

D = TypeVar("D")

BATCH = 256
"""Entries read in one transaction: no transaction is open while a reader works."""


def position(partitions: Partitions) -> tuple[Position, ...]:
    """Where every shard's log ends now."""
    return tuple(
        partitions.position(number, partitions.shard(number).head) for number in partitions.numbers
    )


def changes(
    partitions: Partitions, codec: DocumentCodec[D], after: Any, limit: int | None
) -> Iterator[Change[D]]:
    """The entries after some positions up to where the logs end now, shard by shard.

    A shard that `after` does not name is read from its first entry on. Raises InvalidRequest for a
    position of another collection, LogTrimmed; both when called, not when first read.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise InvalidRequest(f"limit is {limit!r}", hint="use a number from 0, or None for all")
    begins = _begins(partitions, () if after is None else positions_of(after))
    ends = {number: partitions.shard(number).head for number in partitions.numbers}
    for number, seq in begins.items():
        if seq < ends[number]:
            _check_held(partitions, number, seq)
    return islice(_read(partitions, codec, begins, ends), limit)


def _begins(partitions: Partitions, after: Iterable[Position]) -> dict[int, int]:
    begins = dict.fromkeys(partitions.numbers, 0)
    for each in after:
        partitions.check_position(each)
        begins[each.partition] = max(begins[each.partition], each.seq)
    return begins


def _check_held(partitions: Partitions, number: int, seq: int) -> None:
    first, _ = partitions.shard(number).log_range()
    if not 0 < first <= seq + 1:
        raise _trimmed(partitions, number, seq)


def _read(
    partitions: Partitions, codec: DocumentCodec[D], begins: dict[int, int], ends: dict[int, int]
) -> Iterator[Change[D]]:
    for number, begin in begins.items():
        seq, end = begin, ends[number]
        while seq < end:
            batch = partitions.shard(number).tail(seq, min(BATCH, end - seq))
            if not batch or batch[0][0].seq != seq + 1:
                raise _trimmed(partitions, number, seq)
            for entry, record in batch:
                yield _change(partitions, codec, number, entry, record)
            seq = batch[-1][0].seq


def _change(
    partitions: Partitions,
    codec: DocumentCodec[D],
    number: int,
    entry: Entry,
    record: Record | None,
) -> Change[D]:
    is_latest = record is not None and record.seq == entry.seq
    return Change(
        partitions.position(number, entry.seq),
        "put" if entry.operation is Operation.PUT else "delete",
        keys.decode(partitions.definition.key, entry.key),
        entry.version,
        entry.at,
        codec.decode(record.body) if record is not None and is_latest else None,
    )


def _trimmed(partitions: Partitions, number: int, seq: int) -> LogTrimmed:
    first, _ = partitions.shard(number).log_range()
    return LogTrimmed(
        f"partition {number}'s log begins at {first}, the changes after {seq} are not all in it",
        hint="take the collection's position, scan the collection, then follow from the position",
        oldest=str(partitions.position(number, max(first - 1, 0))),
    )
