"""A budget of index writers: few open at a time, whatever the number of shards.

An open Tantivy writer holds its heap and about six threads, so at most `open_max` are open. One is
lent to a caller at a time, stays open for the next use of the same index, and is closed when
another index needs its place or when it was idle. Invariant: a writer in the budget and not lent
holds nothing uncommitted, so it can be closed at any moment. At the bound, a caller waits.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import tantivy

from indexing.errors import Closed

OPEN_MAX = 4
"""Two cores keep about two writers busy; four let the next shards' commits wait for the disk."""
HEAP_BYTES = 64_000_000
"""Per writer, with one indexing thread: 256 MB in all, reached only by a bulk load. A full heap
ends a segment, and every segment costs each search 5 to 10 µs."""


class WriterBudget:
    """Lends writers of indexes; safe to use from many threads."""

    def __init__(self, open_max: int = OPEN_MAX, heap_bytes: int = HEAP_BYTES) -> None:
        self._open_max = open_max
        self._heap_bytes = heap_bytes
        self._changed = threading.Condition()
        self._idle: OrderedDict[int, tuple[tantivy.Index, tantivy.IndexWriter, float]] = (
            OrderedDict()
        )
        self._lent = 0
        self._closed = False

    @contextmanager
    def lent(self, index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
        """The writer of an index for one round of additions and a commit.

        When the body fails the writer is thrown away with what it had not committed.
        """
        writer = self._taken(index)
        healthy = False
        try:
            yield writer
            healthy = True
        finally:
            if not healthy:
                # The error's traceback may keep the writer alive, and with it the index's lock.
                with suppress(ValueError, RuntimeError):
                    writer.wait_merging_threads()
            with self._changed:
                self._lent -= 1
                if healthy and not self._closed:
                    self._idle[id(index)] = (index, writer, time.monotonic())
                del writer
                self._changed.notify()

    def _taken(self, index: tantivy.Index) -> tantivy.IndexWriter:
        with self._changed:
            if self._closed:
                raise Closed("the store is closed", hint="open it again")
            held = self._idle.pop(id(index), None)
            while held is None and self._lent + len(self._idle) >= self._open_max:
                if self._idle:
                    self._idle.popitem(last=False)
                else:
                    self._changed.wait()
            self._lent += 1
        if held is not None:
            return held[1]
        try:
            return index.writer(self._heap_bytes, 1)
        except BaseException:
            with self._changed:
                self._lent -= 1
                self._changed.notify()
            raise

    def forget(self, index: tantivy.Index) -> None:
        """Close the idle writer of an index that is about to be removed."""
        with self._changed:
            held = self._idle.pop(id(index), None)
        del held

    def close_idle(self, seconds: float) -> None:
        """Close writers that nobody used for some seconds; their merges finish first."""
        oldest = time.monotonic() - seconds
        with self._changed:
            expired = [key for key, (_, _, used) in self._idle.items() if used < oldest]
            closing = [self._idle.pop(key) for key in expired]
        for _, writer, _ in closing:
            writer.wait_merging_threads()

    def close(self) -> None:
        """Close every idle writer and lend no more."""
        with self._changed:
            self._closed = True
            self._idle.clear()

    @property
    def open_count(self) -> int:
        """How many writers are open now."""
        with self._changed:
            return self._lent + len(self._idle)
