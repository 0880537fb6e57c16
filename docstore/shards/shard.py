"""One shard's truth: its documents and its log in one LMDB environment.

Invariants: a write is acknowledged only when it is durable in the log; the log's seqs are dense and
only grow; every document carries the seq of the log entry that made it. Everything derived from it
follows the log through `tail`. A shard knows nothing of indexes, schemas or other shards.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import islice, takewhile
from pathlib import Path

from docstore.shards.apply import Outcome, Write, apply, trim
from docstore.shards.environment import Environment, Transaction
from docstore.shards.group_commit import GroupCommit
from docstore.shards.recent_writes import RecentWrites
from docstore.shards.records import (
    BASE,
    HEAD,
    INDEX_CHECKPOINT,
    Entry,
    IndexCheckpoint,
    Record,
    pack_checkpoint,
    pack_seq,
    unpack_checkpoint,
    unpack_document,
    unpack_entry,
    unpack_seq,
)
from indexing.errors import Corruption, Unavailable


class Moved(Exception):
    """The shard's documents went to other shards: ask the map again. Never leaves this room."""


DOCUMENTS_FILE = "documents.mdb"
LOG_ENTRIES_KEPT = 100_000
"""Entries kept behind the slowest follower: how long an op_id is remembered and a reader of the
changes may be away. About 10 MB per shard. What a slow follower held up beyond it goes bit by bit,
with the commits of the index that come after."""
TRIM_BATCH = 20_000
"""Entries forgotten in one transaction, so that no writer waits long for it."""
TRIMMED_PER_COVERED = 2
"""Entries forgotten for each that a commit of the index covers, if they are more than a batch: a
bulk load leaves no more behind than single writes do."""
SCAN_BATCH = 256
"""Documents read in one transaction: a scan holds no transaction while its caller works."""
SCAN_BYTES = 4 * 1024 * 1024
"""Bytes of documents that end a batch of a scan: with large documents it holds few."""
SCAN_GROWS = 4
"""Times as many documents in the next batch of a scan that begins with few."""
KEYS_BATCH = 4096
"""The same of keys alone."""


class Shard:
    """Documents and log of one partition; safe to use from many threads.

    Read-only, it follows what another process writes. A `draft` is a new one, not durable yet.
    """

    def __init__(
        self,
        directory: Path,
        number: int,
        *,
        read_only: bool = False,
        create: bool = False,
        draft: bool = False,
    ) -> None:
        self.directory = directory
        self.number = number
        self._read_only = read_only
        path = directory / DOCUMENTS_FILE
        if not create and not (path.exists() and path.stat().st_size):
            raise Corruption(
                f"the documents of shard {number} are missing",
                hint="restore the shard's directory from a copy",
            )
        self.environment = Environment(path, read_only=read_only, draft=draft)
        self._group: GroupCommit[Write, Outcome] = GroupCommit(self._commit)
        self._recent = RecentWrites()
        try:
            self._head = self._stored_head()
        except BaseException:
            self.environment.close()
            raise
        self._is_moved = False
        self.log_floor: Callable[[], int] | None = None
        """The seq up to which other followers of the log are done with it."""
        self.trimmed: Callable[[], None] = lambda: None
        """Called after entries of the log were forgotten."""

    def _stored_head(self) -> int:
        return unpack_seq(self.environment.get("meta", HEAD))

    @property
    def head(self) -> int:
        """The seq of the last acknowledged write; 0 before the first."""
        return self._stored_head() if self._read_only else self._head

    @property
    def visible_head(self) -> int:
        """The seq of the last write that a reader can have seen: acknowledged, or about to be."""
        return self._stored_head()

    @property
    def base(self) -> int:
        """The seq after which the log is dense; up to it are only entries of documents moved here.

        0 in a shard that was not made by a split or a merge.
        """
        return unpack_seq(self.environment.get("meta", BASE))

    def alone(self) -> AbstractContextManager[None]:
        """Hold writers up while the body runs."""
        return self._group.alone()

    def leave(self) -> None:
        """Refuse every later write with Moved; call it while `alone`."""
        self._is_moved = True

    def carry(self, body: Callable[[Transaction], None]) -> None:
        """Change a shard that is still being made, past its log."""
        self.environment.write(body)
        self._head = self._stored_head()
        self._recent.clear()

    @property
    def commit_counts(self) -> tuple[int, int]:
        """Commits since the shard was opened, and the writes they held."""
        return self._group.commits, self._group.writes

    def write(self, writes: list[Write]) -> list[Outcome]:
        """Make writes durable together; returns one outcome each, a conflict being an outcome.

        Raises Moved once the documents went elsewhere: nothing was written then.
        """
        if self._read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")
        return self._group.submit(writes)

    def _commit(self, writes: list[Write]) -> list[Outcome]:
        if self._is_moved:
            raise Moved
        applied = self.environment.write(
            lambda transaction: apply(self.environment, transaction, writes)
        )
        self._recent.add(applied.written)
        self._head = applied.head
        return applied.outcomes

    def get(self, key: bytes) -> Record | None:
        """A document by key."""
        stored = self.environment.get("documents", key)
        return None if stored is None else unpack_document(stored)

    def get_many(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Documents by key, all of one moment."""
        documents = self.environment.tables["documents"]
        with self.environment.read() as transaction:
            found = [transaction.get(key, db=documents) for key in keys]
        return [None if stored is None else unpack_document(stored) for stored in found]

    def scan(
        self,
        start: bytes = b"",
        end: bytes | None = None,
        *,
        reverse: bool = False,
        first: int = SCAN_BATCH,
    ) -> Iterator[tuple[bytes, Record]]:
        """Documents with start <= key < end in key order, or backwards.

        Read in batches, each of one moment: a document that is written meanwhile may be seen
        before or after, one that is not is seen exactly once. A batch ends at SCAN_BYTES; the
        first has at most `first` documents, for who may need few.
        """
        last: bytes | None = None
        most = min(first, SCAN_BATCH)
        while True:
            batch = self._batch(start, end, last, most, SCAN_BYTES, reverse=reverse)
            for key, stored in batch:
                yield key, unpack_document(stored)
            if not batch or (len(batch) < most and _bytes_of(batch) < SCAN_BYTES):
                return
            last, most = batch[-1][0], min(SCAN_GROWS * most, SCAN_BATCH)

    def has_keys(self, start: bytes, end: bytes | None) -> bool:
        """Whether there is a document with start <= key < end; reads one key."""
        with self.environment.read() as transaction:
            cursor = transaction.cursor(db=self.environment.tables["documents"])
            return cursor.set_range(start or b"\0") and (end is None or cursor.key() < end)

    def all_keys(self) -> Iterator[bytes]:
        """The keys of all documents, in order; read like `scan`, without the documents."""
        last = b""
        while True:
            batch: list[bytes] = []
            with self.environment.read() as transaction:
                cursor = transaction.cursor(db=self.environment.tables["documents"])
                if cursor.set_range(last + b"\0"):  # a key is never empty
                    batch = list(islice(cursor.iternext(values=False), KEYS_BATCH))
            yield from batch
            if len(batch) < KEYS_BATCH:
                return
            last = batch[-1]

    def scan_batch(self, after: bytes) -> list[tuple[bytes, Record]]:
        """The next SCAN_BATCH documents after a key, of one moment; fewer at the end."""
        batch = self._batch(b"", None, after or None, SCAN_BATCH, None, reverse=False)
        return [(key, unpack_document(stored)) for key, stored in batch]

    def _batch(
        self,
        start: bytes,
        end: bytes | None,
        last: bytes | None,
        most: int,
        bytes_max: int | None,
        *,
        reverse: bool,
    ) -> list[tuple[bytes, bytes]]:
        with self.environment.read() as transaction:
            cursor = transaction.cursor(db=self.environment.tables["documents"])
            if reverse:
                bound = last if last is not None else end
                if bound is not None and cursor.set_range(bound):
                    found = cursor.prev()
                else:
                    found = cursor.last()
                pairs = cursor.iterprev()
                if start:
                    pairs = takewhile(lambda pair: pair[0] >= start, pairs)
            else:
                found = cursor.set_range(last if last is not None else start or b"\x00")
                if found and cursor.key() == last:
                    found = cursor.next()
                pairs = cursor.iternext()
                if end is not None:
                    pairs = takewhile(lambda pair: pair[0] < end, pairs)
            if not found:
                return []
            pairs = islice(pairs, most)
            return list(pairs if bytes_max is None else _up_to(pairs, bytes_max))

    def tail(self, after: int, most: int) -> list[tuple[Entry, Record | None]]:
        """The next log entries after a seq, each with its document as it is now."""
        tables = self.environment.tables
        entries: list[Entry] = []
        with self.environment.read() as transaction:
            cursor = transaction.cursor(db=tables["log"])
            if cursor.set_range(pack_seq(after + 1)):
                entries = [unpack_entry(seq, stored) for seq, stored in islice(cursor, most)]
            now = dict(
                transaction.cursor(db=tables["documents"]).getmulti([each.key for each in entries])
            )
        return [
            (entry, None if (stored := now.get(entry.key)) is None else unpack_document(stored))
            for entry in entries
        ]

    def next_written(self, after: int, most: int) -> list[tuple[Entry, Record | None]]:
        """Like `tail`, from memory if it is there: each document as it is after these, or later."""
        return self._recent.after(after, most) or self.tail(after, most)

    def check_unbroken(self, after: int, batch: Sequence[tuple[Entry, Record | None]]) -> None:
        """Refuse a batch that is not just what follows a seq below the head; raises Corruption."""
        if batch and batch[-1][0].seq == after + len(batch):
            return
        base, latest = self.base, after
        for entry, _ in batch:
            if entry.seq > base and entry.seq != max(latest, base) + 1:
                raise self._broken(f"has no entry {max(latest, base) + 1}, but {entry.seq}")
            latest = entry.seq
        if not batch:
            raise self._broken(f"ends at {after}, its head says {self.visible_head}")

    def _broken(self, how: str) -> Corruption:
        return Corruption(
            f"the log of shard {self.number} {how}",
            hint="rebuild the shard's index, which takes documents alone, or restore the shard's "
            "directory from a copy",
        )

    def written_at(self, after: int) -> int | None:
        """When the first log entry after a seq was written, in microseconds since 1970."""
        with self.environment.read() as transaction:
            cursor = transaction.cursor(db=self.environment.tables["log"])
            if not cursor.set_range(pack_seq(after + 1)):
                return None
            return unpack_entry(*cursor.item()).at

    def is_next(self, after: int, seq: int) -> bool:
        """Whether an entry is the first after a seq: none between them was forgotten."""
        return seq == after + 1 or (after < seq <= self.base) or seq == max(after, self.base) + 1

    def count(self) -> int:
        """How many documents there are."""
        with self.environment.read() as transaction:
            return self.environment.entries(transaction, "documents")

    def held(self) -> tuple[int, int]:
        """How many documents there are, and the bytes of the pages that they fill."""
        with self.environment.read() as transaction:
            held = self.environment.bytes_of(transaction, "documents")
            return self.environment.entries(transaction, "documents"), held

    def recent_keys(self, most: int) -> list[bytes]:
        """The keys of the log's last entries, the oldest first."""
        with self.environment.read() as transaction:
            cursor = transaction.cursor(db=self.environment.tables["log"])
            if not cursor.last():
                return []
            stored = [unpack_entry(*pair).key for pair in islice(cursor.iterprev(), most)]
        return stored[::-1]

    def index_checkpoint(self) -> IndexCheckpoint | None:
        """What the local index durably covers; None before the first commit."""
        return unpack_checkpoint(self.environment.get("meta", INDEX_CHECKPOINT))

    def save_index_checkpoint(self, checkpoint: IndexCheckpoint) -> None:
        """Record what the local index covers, and forget log entries that nobody needs."""
        before = self.index_checkpoint()
        covered = checkpoint.seq - (0 if before is None else before.seq)
        last = self._unneeded(checkpoint.seq)

        def body(transaction: Transaction) -> int:
            tables = self.environment.tables
            packed = pack_checkpoint(checkpoint)
            transaction.put(INDEX_CHECKPOINT, packed, db=tables["meta"])
            return self._forget(last, transaction)

        removed = self.environment.write(body)
        for _ in range(TRIM_BATCH, TRIMMED_PER_COVERED * covered, TRIM_BATCH):
            if removed < TRIM_BATCH:
                break
            last = self._unneeded(checkpoint.seq)  # somebody may need more of it by now
            removed = self.environment.write(partial(self._forget, last))
        if last > 0:
            self.trimmed()

    def _forget(self, last: int, transaction: Transaction) -> int:
        return trim(self.environment, transaction, last, TRIM_BATCH)

    def _unneeded(self, covered: int) -> int:
        """The seq up to which nobody needs the log once the index covers another."""
        last = covered - LOG_ENTRIES_KEPT
        return min(last, self.log_floor()) if last > 0 and self.log_floor is not None else last

    @property
    def has_whole_log(self) -> bool:
        """Whether the log holds every entry since the shard was made."""
        return self.log_range()[0] <= self.base + 1

    def log_range(self) -> tuple[int, int]:
        """The first and last seq that the log holds; (0, 0) when it is empty."""
        with self.environment.read() as transaction:
            cursor = transaction.cursor(db=self.environment.tables["log"])
            if not cursor.first():
                return 0, 0
            first = unpack_seq(cursor.key())
            cursor.last()
            return first, unpack_seq(cursor.key())

    def close(self) -> None:
        """Close the environment."""
        self.environment.close()


def _up_to(pairs: Iterable[tuple[bytes, bytes]], bytes_max: int) -> Iterator[tuple[bytes, bytes]]:
    """Pairs whose values have so many bytes in all, or just more by the last."""
    for pair in pairs:
        yield pair
        bytes_max -= len(pair[1])
        if bytes_max <= 0:
            return


def _bytes_of(batch: list[tuple[bytes, bytes]]) -> int:
    return sum(len(stored) for _, stored in batch)


def now_microseconds() -> int:
    """The time of a write, fixed before it is applied."""
    return time.time_ns() // 1000
