"""Every violated invariant that can be seen in a collection, found by reading all of it.

Rules, each named in a violation: `log` (dense seqs, ending at the head), `log-document` (the last
entry of a key agrees with its document), `placement` (a document is in the shard that owns its
key), `index-missing`, `index-extra`, `index-stale` (documents and index agree, key by key). What
cannot be read, a file or a document, is `corruption`.

Invariant: what is compared is of one moment, or nothing was written to it in between, as the log
tells: beside writers too, only what is so is reported. Documents and index are walked side by side
in key order, so memory is bounded by batches, and by the keys that were deleted: those put and
deleted again in the log, each from the one entry to the other, and, where the index holds what the
documents do not, those written since; some 150 bytes each.
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

from docstore import keys
from docstore.partitions import Partitions
from docstore.pinning import Pin
from docstore.shards.records import Entry, Operation, Record, parsed
from docstore.shards.shard import Shard
from docstore.types import Violation
from indexing.errors import Corruption, DocstoreError
from indexing.local_index import View

LOG_BATCH = 2000
INDEX_BATCH = 100_000
"""Entries of an index read at once, about 20 MB: each read orders the whole index by key."""


class _Shard(NamedTuple):
    """What the rules look at, and how they report it."""

    partitions: Partitions
    shard: Shard
    number: int

    def violation(self, rule: str, detail: str, key: bytes | None = None) -> Violation:
        definition = self.partitions.definition
        shown = None if key is None else keys.decode(definition.key, key)
        return Violation(definition.name, self.number, rule, detail, shown)


def check_collection(pin: Pin[Partitions]) -> Iterator[Violation]:
    """All violations of a collection, shard by shard.

    Writes may go on: what changes during the check is not reported.
    """
    partitions = pin.value
    # Before anything is read: where LMDB meets a page that it does not expect it ends the process.
    damaged = yield from _check_files(partitions)
    for number in partitions.numbers:
        if number in damaged:
            continue
        try:
            of = _Shard(partitions, partitions.shard(number), number)
            yield from _check_log(of)
            yield from _check_placement(of)
            partitions.views([number], None, current=True)
            follower = partitions.follower(number)
            covered = follower.checkpoint  # before the view, which then is not older
            yield from _check_index(of, follower.view(), covered)
        except DocstoreError as error:
            yield Violation(partitions.definition.name, number, error.code, str(error))
    if not damaged:
        try:
            yield from partitions.indexes.check()
        except DocstoreError as error:
            yield Violation(partitions.definition.name, None, error.code, str(error))
    pin.release()


def _check_files(partitions: Partitions) -> Generator[Violation, None, set[int]]:
    """The shards whose files are damaged; the documents of all are needed to compare indexes."""
    damaged = set()
    for number in partitions.numbers:
        try:
            partitions.shard(number).environment.follow()
        except DocstoreError as error:
            damaged.add(number)
            yield Violation(partitions.definition.name, number, error.code, str(error))
    return damaged


def _check_log(of: _Shard) -> Iterator[Violation]:
    head, base = of.shard.visible_head, of.shard.base
    first, last = of.shard.log_range()  # after the head, which it then is not behind
    if max(last, base) < head:
        yield of.violation("log", f"the log ends at {last}, its head says {head}")
    latest = first - 1
    lost: dict[bytes, int] = {}  # of keys without a document, the last put
    for entry, document in _entries(of.shard, latest, last):
        expected, latest = latest + 1, entry.seq
        # Up to the base there are only some entries, of documents that moved here.
        if entry.seq > base and entry.seq != max(expected, base + 1):
            if expected >= of.shard.log_range()[0]:
                yield of.violation("log", f"entry {expected} is missing before {entry.seq}")
            else:
                lost.clear()  # entries were let go of meanwhile, deletes perhaps
        if entry.operation is Operation.PUT and document is None:
            lost[entry.key] = entry.seq
        else:
            lost.pop(entry.key, None)
        detail = _contradiction(entry, document)
        if detail is not None:
            yield of.violation("log-document", detail, entry.key)
    written = _Written(of.shard, latest)
    for key, seq in lost.items():
        if key not in written:
            yield of.violation("log-document", f"put {seq} has no document", key)


def _entries(shard: Shard, after: int, last: int) -> Iterator[tuple[Entry, Record | None]]:
    """The entries of a log up to `last` at least, each with its document as of the same moment."""
    while after < last and (batch := shard.tail(after, LOG_BATCH)):
        yield from batch
        after = batch[-1][0].seq


def _contradiction(entry: Entry, document: Record | None) -> str | None:
    """How an entry of the log and its key's document, both of one moment, cannot both be so."""
    if entry.operation is Operation.MOVED or document is None or document.seq > entry.seq:
        return None
    if entry.operation is Operation.DELETE:
        return f"delete {entry.seq} left a document of seq {document.seq}"
    if document.seq < entry.seq:
        return f"the document is of seq {document.seq}, the log has a later put {entry.seq}"
    if document.version != entry.version:
        return (
            f"entry {entry.seq} is {entry.operation.name} of version {entry.version}, "
            f"the document says version {document.version}"
        )
    return None


class _Written:
    """The keys that were written after a seq: contains a key if the log has it now, or may have."""

    def __init__(self, shard: Shard, after: int) -> None:
        self._shard = shard
        self._latest = after
        self._keys: set[bytes] = set()
        self._is_cut = False

    def __contains__(self, key: bytes) -> bool:
        while not self._is_cut and key not in self._keys:
            batch = self._shard.tail(self._latest, LOG_BATCH)
            if not batch:
                return False
            # What was let go of before it was looked at may have been of any key.
            self._is_cut = not self._shard.is_next(self._latest, batch[0][0].seq)
            self._keys.update(entry.key for entry, _ in batch)
            self._latest = batch[-1][0].seq
        return True


def _check_placement(of: _Shard) -> Iterator[Violation]:
    head = of.shard.visible_head
    for key, document in of.shard.scan():
        owner = of.partitions.number_of(key)
        if owner != of.number:
            yield of.violation("placement", f"the key belongs to partition {owner}", key)
        try:
            parsed(document.body)
        except Corruption as error:
            yield of.violation(error.code, error.message, key)
        if document.seq > head:
            head = of.shard.visible_head  # written during the scan, so the head was too
        if document.seq > head:
            yield of.violation("log", f"a document is of seq {document.seq}, beyond the head", key)


def _check_index(of: _Shard, view: View, covered: int) -> Iterator[Violation]:
    """Documents against an index that has all up to `covered`, both in key order."""
    written = _Written(of.shard, covered)
    indexed = _indexed(view)
    entry = next(indexed, None)
    for key, document in of.shard.scan():
        text = of.partitions.key_text(key)
        while entry is not None and entry[0] < text:
            yield from _extra(of, entry, written)
            entry = next(indexed, None)
        if entry is None or entry[0] != text:
            if document.seq <= covered:
                yield of.violation("index-missing", "the index does not have the document", key)
            continue
        if entry[1] != document.seq and document.seq <= covered:
            detail = f"the index has seq {entry[1]}, the document is of {document.seq}"
            yield of.violation("index-stale", detail, key)
        entry = next(indexed, None)
        while entry is not None and entry[0] == text:
            yield of.violation("index-extra", "the index has the document twice", key)
            entry = next(indexed, None)
    while entry is not None:
        yield from _extra(of, entry, written)
        entry = next(indexed, None)


def _extra(of: _Shard, entry: tuple[str, int], written: _Written) -> Iterator[Violation]:
    key = keys.from_key_text(of.partitions.definition.key, entry[0])
    if of.shard.get(key) is None and key not in written:
        yield of.violation("index-extra", f"the index has a document of seq {entry[1]}", key)


def _indexed(view: View) -> Iterator[tuple[str, int]]:
    """Key texts and seqs of a whole index, in key order."""
    after: str | None = None
    while True:
        entries = view.everything(INDEX_BATCH, after).entries
        if not entries:
            return
        seqs = view.seqs([address for _, address in entries])
        yield from ((key, seq) for (key, _), seq in zip(entries, seqs, strict=True))
        after = entries[-1][0]
