"""Keeps one shard's local index up to its log.

Invariants: the checkpoint is written after the index commit it names, so it never promises more
than is durable; a commit that the checkpoint does not know yet is met by applying its entries again
without trusting that documents are new; so a crash between any two steps re-applies, never skips.
The index lives in numbered generations: a rebuild fills a new one beside the old and the checkpoint
switches over, so searches go on. An index that is missing, damaged or older than its checkpoint is
rebuilt from the documents when the shard is opened for writing.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from docstore.files import bytes_in, usable
from docstore.rounds import Rounds
from docstore.shards.records import IndexCheckpoint, parsed
from docstore.shards.shard import Shard
from docstore.shards.tail_changes import NewColumns, TailChanges
from indexing.errors import Corruption, Unavailable
from indexing.flatten import Flattener
from indexing.layout import Layout
from indexing.local_index import Change, Filling, LocalIndex, View
from indexing.open_indexes import OpenIndexes
from indexing.rank import SAMPLE_MIN, pivots_of
from indexing.schema import Schema
from indexing.unfinished import remove_unfinished
from indexing.writers import WriterBudget

INDEX_DIRECTORY = "index"
RANKED_ANEW = 10
"""A tail so many times as long as the index makes it worth choosing pivots again."""
COLUMNS_SAMPLED = 16
"""One document in so many shows the columns of an index before it is filled."""
FOLLOW_SECONDS = 5.0
"""How long a read-only process waits for the writing one to index what a search must see."""
FOLLOW_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _Taken:
    """What an index has taken and not committed: entries up to `covered`."""

    index: LocalIndex
    generation: int
    filling: Filling
    covered: int


class LocalFollower:
    """The local index of one shard. Many threads may refresh and search; one fills at a time.

    `_filling` guards what the index takes and has taken (`_taken`, `_distrusted`, `refreshes`,
    `refresh_seconds`), and is held while another index comes into effect. `_waking`, the inner one,
    guards which index that is (`_awake`, `_generation`, `checkpoint`): who opens it holds it to the
    end, so it is never one that was replaced meanwhile. Both are written under their locks and read
    without: `_awake` is set before the `checkpoint` that it covers.
    """

    def __init__(
        self,
        shard: Shard,
        schema: Schema,
        key_text: Callable[[bytes], str],
        budget: WriterBudget,
        open_indexes: OpenIndexes,
        *,
        read_only: bool,
    ) -> None:
        self._shard = shard
        self._schema = schema
        self._key_text = key_text
        self._budget = budget
        self._open_indexes = open_indexes
        self._read_only = read_only
        self._directory = shard.directory / INDEX_DIRECTORY
        self._filling = threading.Lock()
        self._rounds = Rounds()
        self._distrusted = 0
        self._waking = threading.Lock()
        self._awake: LocalIndex | None = None
        self._generation = 0
        self._documents = 0
        self._taken = 0
        self.checkpoint = 0
        self.refreshes = 0
        self.refresh_seconds = 0.0
        if read_only:
            self._follow()
        else:
            with usable(self._directory):
                self._open()

    @property
    def lag(self) -> int:
        """Log entries that are acknowledged but not searchable yet."""
        # What is searchable may be durable and not acknowledged yet, for a moment.
        return max(0, self._shard.head - self.checkpoint)

    @property
    def tail(self) -> int:
        """Log entries that the index has not even taken; a commit under way may hold some."""
        return self._shard.head - max(self._taken, self.checkpoint)

    @property
    def is_filling(self) -> bool:
        """Whether somebody brings the index up to the log."""
        return self._filling.locked()

    @property
    def head(self) -> int:
        """The seq of the shard's last acknowledged write."""
        return self._shard.head

    @property
    def _index(self) -> LocalIndex:
        """The index in effect, opened again if it was asleep."""
        index = self._awake
        if index is None:
            with self._waking:
                index = self._awake
                if index is None:
                    directory = self._directory / str(self._generation)
                    index = self._awake = LocalIndex.open(directory, self._schema)
        self._open_indexes.used(self)
        return index

    def sleep(self) -> None:
        """Let go of the open index until it is used again; not while it is being filled."""
        if self._filling.acquire(blocking=False):
            try:
                with self._waking:
                    index, self._awake = self._awake, None
                if index is not None:
                    index.close(self._budget)
            finally:
                self._filling.release()

    @property
    def documents(self) -> int:
        """How many documents the index held when it was last refreshed."""
        return self._documents

    def view(self) -> View:
        """A consistent state of the index, at least up to `checkpoint`."""
        return self._index.view()

    # Opening

    def _open(self) -> None:
        recorded = self._shard.index_checkpoint()
        if recorded is None:
            self.rebuild()
            return
        try:
            directory = self._directory / str(recorded.generation)
            remove_unfinished(directory)
            index = LocalIndex.open(directory, self._schema)
            stamp = index.stamp
        except Corruption:
            self.rebuild()
            return
        if stamp < recorded.stamp:
            self.rebuild()
            return
        # What follows the checkpoint may already be in the index: the process may have died after a
        # commit and before its checkpoint, or while the last rebuild read what was being written.
        self._distrusted = self._shard.head
        self._take(index, recorded.generation, recorded.seq)
        self._remove_other_generations()

    def _take(self, index: LocalIndex, generation: int, seq: int) -> None:
        """Put an index in effect and let go of the one before."""
        with self._waking:
            old = self._awake
            self._awake, self._generation, self.checkpoint = index, generation, seq
        self._documents = index.view().documents
        if old is not None and old is not index:
            old.close(self._budget)

    def _remove_other_generations(self) -> None:
        for directory in self._directory.glob("*"):
            if directory.name != str(self._generation):
                shutil.rmtree(directory, ignore_errors=True)

    # Following, when another process writes

    def _follow(self) -> None:
        """Look at the commit that the writing process last recorded."""
        recorded = self._shard.index_checkpoint()
        if recorded is None:
            raise Unavailable(
                f"the index of shard {self._shard.number} was not made yet",
                hint="open the store for writing once",
                retryable=True,
            )
        if recorded.generation != self._generation:
            index = LocalIndex.open(self._directory / str(recorded.generation), self._schema)
            self._take(index, recorded.generation, recorded.seq)
        elif recorded.seq != self.checkpoint:
            self._index.reload()
            self._take(self._index, self._generation, recorded.seq)

    def _wait_for(self, seq: int) -> None:
        deadline = time.monotonic() + FOLLOW_SECONDS
        while True:
            damage: Corruption | None = None
            try:
                with self._filling:
                    self._follow()
            except Corruption as error:
                # A generation can be replaced between its record and its directory being read.
                damage = error
            if self.checkpoint >= seq:
                return
            if time.monotonic() > deadline:
                if damage is not None:
                    raise damage
                raise Unavailable(
                    f"the index of shard {self._shard.number} is {seq - self.checkpoint} writes "
                    "behind and no process is indexing them",
                    hint='open the store for writing once, or search with freshness="any"',
                    retryable=True,
                )
            time.sleep(FOLLOW_POLL_SECONDS)

    # Filling

    def refresh(self, seq: int) -> None:
        """Make every write up to `seq` searchable; concurrent callers share the work."""
        if self.checkpoint >= seq:
            return
        if self._read_only:
            self._wait_for(seq)
            return
        self._rounds.share(lambda: self.checkpoint >= seq, self._round)

    def _round(self) -> None:
        with self._filling:
            if self.checkpoint < self._shard.head:
                began = time.perf_counter()
                self._commit(self._take_tail())
                self.refreshes += 1
                self.refresh_seconds += time.perf_counter() - began

    def refresh_soon(self, pool: Executor) -> None:
        """Index all that is acknowledged, and leave the commit to another thread.

        The caller goes on while the index is written; it waits here if the last commit is not done,
        which bounds what is under way. A failed commit leaves the tail as it was, for the next try.
        """
        self._filling.acquire()
        try:
            if self.checkpoint >= self._shard.head:
                self._filling.release()
                return
            taken = self._take_tail()
            self._taken = taken.covered
            pool.submit(self._commit_and_release, taken)
        except BaseException:
            self._taken = 0
            self._filling.release()
            raise

    def _commit_and_release(self, taken: _Taken) -> None:
        try:
            self._commit(taken)
        finally:
            self._taken = 0
            self._filling.release()

    def poll(self) -> None:
        """Read-only: see what the writing process has indexed since, without waiting for more."""
        if self._read_only:
            with self._filling, contextlib.suppress(Corruption):
                self._follow()

    def _take_tail(self) -> _Taken:
        """Have the index take the tail; or a new one all documents, when its layout must change.

        An index that is small beside its tail is made anew: more keys make better ranks.
        """
        layout, head = self._index.layout, self._shard.head
        if self._shard.count() >= SAMPLE_MIN and (
            layout.pivots is None or head - self.checkpoint > RANKED_ANEW * self._documents
        ):
            return self._take_all(layout)
        flattener = Flattener(layout)
        changes = TailChanges(
            self._shard, self.checkpoint, head, self._distrusted, self._key_text, flattener
        )
        try:
            filling = self._index.fill(changes, self._budget)
        except NewColumns:
            return self._take_all(layout.grown(flattener.found))
        return _Taken(self._index, self._generation, filling, changes.covered)

    def _commit(self, taken: _Taken) -> None:
        try:
            stamp = taken.filling.commit()
            checkpoint = IndexCheckpoint(taken.generation, stamp, taken.covered)
            self._shard.save_index_checkpoint(checkpoint)
        except BaseException:
            # The commit may be in effect all the same, and its entries will come again.
            self._distrusted = max(self._distrusted, taken.covered)
            raise
        taken.index.reload()
        self._take(taken.index, taken.generation, taken.covered)
        self._remove_other_generations()

    # Rebuilding

    def rebuild(self) -> None:
        """Make the index again from the documents, discovering columns anew."""
        with self._filling:
            self._rebuild(Layout(self._schema))

    def _rebuild(self, layout: Layout) -> None:
        self._commit(self._take_all(layout))

    def _take_all(self, layout: Layout) -> _Taken:
        """Fill a new generation with all documents; discovers columns as it goes."""
        covered = self._shard.head
        generation = self._next_generation()
        if self._shard.count() >= SAMPLE_MIN:
            layout = self._sampled(layout)
        while True:
            index = LocalIndex.create(self._directory / str(generation), layout)
            flattener = Flattener(layout)
            try:
                filling = index.fill(self._all_documents(flattener), self._budget)
            except NewColumns:
                layout = layout.grown(flattener.found)
                generation += 1
                continue
            # Documents written during the scan are in the index and will come again in the log; the
            # last of them may not be acknowledged yet.
            self._distrusted = self._shard.visible_head
            return _Taken(index, generation, filling, covered)

    def _sampled(self, layout: Layout) -> Layout:
        """The layout with pivots chosen from all keys, and the columns of some documents.

        What those documents do not show is found while the index is filled, which then begins
        again: a second pass that most collections are spared.
        """
        flattener = Flattener(layout)
        keys = list(self._shard.all_keys())
        for key in keys[::COLUMNS_SAMPLED]:
            document = self._shard.get(key)
            if document is not None:
                flattener.line("", 0, parsed(document.body))
        pivots = pivots_of([self._key_text(key) for key in keys])
        return replace(layout.grown(flattener.found), pivots=pivots)

    def _next_generation(self) -> int:
        used = [self._generation]
        if self._directory.exists():
            used += [int(entry.name) for entry in self._directory.iterdir() if entry.name.isdigit()]
        return max(used) + 1

    def _all_documents(self, flattener: Flattener) -> Iterator[Change]:
        for key, document in self._shard.scan():
            text = self._key_text(key)
            line = flattener.line(text, document.seq, parsed(document.body))
            if not flattener.found:
                yield Change(text, line, is_new=True)
        if flattener.found:
            raise NewColumns

    # Statistics

    def bytes_used(self) -> int:
        """The bytes of the index in effect."""
        return bytes_in(self._directory / str(self._generation))

    def close(self, *, refresh: bool) -> None:
        """Make the whole log searchable for the next process if asked, and give up the writer."""
        with self._filling:
            if not self._read_only:
                if refresh and self.checkpoint < self._shard.head:
                    self._commit(self._take_tail())
                self._index.close(self._budget)
        self._open_indexes.forget(self)
