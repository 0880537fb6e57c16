"""Every violated invariant that can be seen in a collection, found by reading all of it.

Rules, each named in a violation: `log` (dense seqs, ending at the head), `log-document` (the last
entry of a key agrees with its document), `placement` (a document is in the shard that owns its
key), `index-missing`, `index-extra`, `index-stale` (documents and index agree, key by key). What
cannot be read, a file or a document, is `corruption`. Memory is bounded: documents and index are
walked side by side in key order.
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

from docstore import keys
from docstore.partitions import Partitions
from docstore.pinning import Pin
from docstore.records import Operation, parsed
from docstore.shard import Shard
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
            (view,) = partitions.views([number], None, current=True).values()
            yield from _check_index(of, view, partitions.follower(number).checkpoint)
        except DocstoreError as error:
            yield Violation(partitions.definition.name, number, error.code, str(error))
    if not damaged:
        yield from partitions.indexes.check()
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
    first, last = of.shard.log_range()
    head, base = of.shard.head, of.shard.base
    if max(last, base) < head:
        yield of.violation("log", f"the log ends at {last}, its head says {head}")
    expected = first
    latest = first - 1
    while latest < last:
        batch = of.shard.tail(latest, LOG_BATCH)
        if not batch:
            break
        for entry, document in batch:
            # Up to the base there are only some entries, of documents that moved here.
            is_gap = entry.seq > base and entry.seq != max(expected, base + 1)
            if is_gap and expected >= of.shard.log_range()[0]:  # else it was let go of meanwhile
                yield of.violation("log", f"entry {expected} is missing before {entry.seq}")
            expected = entry.seq + 1
            latest = entry.seq
            if entry.operation is Operation.MOVED:
                continue
            if document is not None and document.seq >= entry.seq:
                if document.seq == entry.seq and (
                    entry.operation is not Operation.PUT or document.version != entry.version
                ):
                    yield of.violation(
                        "log-document",
                        f"entry {entry.seq} is {entry.operation.name} of version {entry.version}, "
                        f"the document says version {document.version}",
                        entry.key,
                    )
            elif entry.operation is Operation.PUT and document is not None:
                yield of.violation(
                    "log-document",
                    f"the document is of seq {document.seq}, the log has a later put {entry.seq}",
                    entry.key,
                )
    yield from _check_lost(of, first, last)


def _check_lost(of: _Shard, first: int, last: int) -> Iterator[Violation]:
    """Keys whose last entry is a put but which have no document, and documents of later deletes."""
    ended: dict[bytes, tuple[int, Operation]] = {}
    latest = first - 1
    while latest < last:
        batch = of.shard.tail(latest, LOG_BATCH)
        if not batch:
            break
        for entry, _ in batch:
            latest = entry.seq
            ended[entry.key] = (entry.seq, entry.operation)
    for key, (seq, operation) in ended.items():
        document = of.shard.get(key)
        if operation is Operation.PUT and document is None and of.shard.head == last:
            yield of.violation("log-document", f"put {seq} has no document", key)
        if operation is Operation.DELETE and document is not None and document.seq <= seq:
            yield of.violation("log-document", f"delete {seq} left a document", key)


def _check_placement(of: _Shard) -> Iterator[Violation]:
    head = of.shard.head
    for key, document in of.shard.scan():
        owner = of.partitions.number_of(key)
        if owner != of.number:
            yield of.violation("placement", f"the key belongs to partition {owner}", key)
        try:
            parsed(document.body)
        except Corruption as error:
            yield of.violation(error.code, error.message, key)
        if document.seq > max(head, of.shard.head):
            yield of.violation("log", f"a document is of seq {document.seq}, beyond the head", key)


def _check_index(of: _Shard, view: View, covered: int) -> Iterator[Violation]:
    """Documents against the index, both in key order."""
    indexed = _indexed(view)
    entry = next(indexed, None)
    for key, document in of.shard.scan():
        text = of.partitions.key_text(key)
        while entry is not None and entry[0] < text:
            yield from _extra(of, entry)
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
        yield from _extra(of, entry)
        entry = next(indexed, None)


def _extra(of: _Shard, entry: tuple[str, int]) -> Iterator[Violation]:
    key = keys.from_key_text(of.partitions.definition.key, entry[0])
    document = of.shard.get(key)
    if document is None and of.shard.head == of.partitions.follower(of.number).checkpoint:
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
