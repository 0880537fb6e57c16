"""The changes of a collection: its shards' logs, read as one feed that can be resumed.

Invariants: the changes of one document come in their order; a reader that passes the positions it
has seen misses nothing and sees nothing twice, also when partitions were split or merged since;
what the logs no longer hold is an error, never a gap. Between shards there is no order.

A partition that is no more left its log in parts to the shards that have its documents now. Such
logs are read first, each put together again in the order of its seqs, the oldest partition before
what came of it: so whoever saw anything of an heir has seen all of its ancestors. Deliberately
absent: waiting for more.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import Any, TypeVar

from docstore import keys
from docstore.documents import DocumentCodec
from docstore.partitions import Partitions
from docstore.pinning import Pin
from docstore.queries.request import check_limit, positions_of
from docstore.shards.records import Entry, Operation, Record
from docstore.types import Change, Position
from indexing.errors import LogTrimmed

D = TypeVar("D")

BATCH = 256
"""Entries read in one transaction: no transaction is open while a reader works."""


def position(partitions: Partitions) -> tuple[Position, ...]:
    """Where every shard's log ends now."""
    return tuple(
        partitions.position(number, partitions.shard(number).head) for number in partitions.numbers
    )


def changes(
    pin: Pin[Partitions], codec: DocumentCodec[D], after: Any, limit: int | None
) -> Iterator[Change[D]]:
    """The entries after some positions up to where the logs end now, shard by shard.

    A shard that `after` does not name, nor one that came of it, is read from its first entry on.
    Raises InvalidRequest for a position of another collection, LogTrimmed; both when called, not
    when first read. The pin is held until the end, or forgotten.
    """
    check_limit(limit)
    feed = _Feed(pin.value, () if after is None else positions_of(after))
    return islice(_changes(pin, feed, codec), limit)


def _changes(pin: Pin[Partitions], feed: "_Feed", codec: DocumentCodec[D]) -> Iterator[Change[D]]:
    for number, entry, record in feed.entries():
        yield _change(feed.partitions, codec, number, entry, record)
    pin.release()


Read = tuple[int, Entry, Record | None]
"""The partition in whose log an entry is, the entry, and its document as it is now."""


class _Feed:
    """What a reader that saw up to some positions has to read."""

    def __init__(self, partitions: Partitions, after: Iterable[Position]) -> None:
        self.partitions = partitions
        self._seen: dict[int, int] = {}
        for each in after:
            partitions.check_position(each)
            self._seen[each.partition] = max(self._seen.get(each.partition, 0), each.seq)
        self._ends = {number: partitions.shard(number).head for number in partitions.numbers}
        self._own = {number: self._begin(number) for number in partitions.numbers}
        self._parts = {
            number: self._parts_of(number, ancestor.last)
            for number, ancestor in partitions.lineage.ancestors.items()
        }

    def _begin(self, number: int) -> int:
        """After which seq to read a shard's own log."""
        shard = self.partitions.shard(number)
        begin = max(self._seen.get(number, 0), shard.base)
        if begin < self._ends[number]:
            first, _ = shard.log_range()
            if not 0 < first <= begin + 1:
                raise self._trimmed(number, begin, max(first - 1, shard.base))
        return begin

    def _parts_of(self, ancestor: int, last: int) -> dict[int, int]:
        """The shards that have parts of an ancestor's log, and after which seq to read them."""
        lineage = self.partitions.lineage
        heirs = lineage.heirs(ancestor)
        parts: dict[int, int] = {}
        for number in self.partitions.numbers:
            if number not in heirs or any(
                self._has_seen(heir, number) for heir in heirs & self._seen.keys()
            ):
                continue
            inherited = self.partitions.shards.inherited(number)
            held = None if inherited is None else inherited.held(ancestor)
            begin = max(self._seen.get(ancestor, 0), held.base if held else 0)
            if begin >= last:
                continue
            if held is None or begin < held.floor:
                raise self._trimmed(ancestor, begin, held.floor if held else last)
            parts[number] = begin
        return parts

    def _has_seen(self, heir: int, number: int) -> bool:
        """Whether something of an heir was seen whose documents a shard has."""
        return heir == number or number in self.partitions.lineage.heirs(heir)

    def entries(self) -> Iterator[Read]:
        """Everything to read, oldest logs first."""
        for ancestor, parts in self._parts.items():
            logs = [self._inherited(ancestor, number, seq) for number, seq in parts.items()]
            yield from merge(*logs, key=lambda read: read[1].seq)
        for number, begin in self._own.items():
            yield from self._log(number, begin)

    def _inherited(self, ancestor: int, number: int, after: int) -> Iterator[Read]:
        inherited, shard = self.partitions.shards.inherited(number), self.partitions.shard(number)
        if inherited is not None:
            for entry in inherited.entries(ancestor, after):
                yield ancestor, entry, shard.get(entry.key)

    def _log(self, number: int, seq: int) -> Iterator[Read]:
        shard, end = self.partitions.shard(number), self._ends[number]
        while seq < end:
            batch = shard.tail(seq, min(BATCH, end - seq))
            if not batch or batch[0][0].seq != seq + 1:
                first, _ = shard.log_range()
                raise self._trimmed(number, seq, max(first - 1, 0))
            for entry, record in batch:
                yield number, entry, record
            seq = batch[-1][0].seq

    def _trimmed(self, number: int, seq: int, oldest: int) -> LogTrimmed:
        return LogTrimmed(
            f"partition {number}'s log begins at {oldest + 1}, the changes after {seq} are not all "
            "in it",
            hint="take the collection's position, scan the collection, then follow from there",
            oldest=str(self.partitions.position(number, oldest)),
        )


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
