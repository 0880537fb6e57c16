"""What of an index is in memory goes to its files: which partitions are due, how one is written.

Invariants: what is written with a checkpoint is all that was digested up to it, taken out of memory
under the index's lock; what could not be written stays in memory. One caller at a time writes; the
lock is free while a file is written, so nobody who reads waits for a disk.
"""

import threading
import time
from collections.abc import Sequence

from docstore.global_index.index_files import IndexFiles
from docstore.global_index.partition_changes import Checkpoint
from docstore.global_index.place import Place
from docstore.global_index.resident import Resident

FLUSH_DOCUMENTS, FLUSH_SECONDS = 2000, 1.0
"""Documents, and how long, that stay in memory only: a commit's cost is lost in them."""
BUSY_DOCUMENTS, BUSY_SECONDS = 10_000, 3.0
"""The same while somebody writes: of more documents at once, more are written to one page."""
CHECKPOINT_ENTRIES = 10_000
"""Entries without a change in a partition after which its checkpoints are written all the same."""


class Flushing:
    """Of one index as it was taken up; `followed` is up to where memory is."""

    def __init__(
        self,
        lock: threading.RLock,
        files: IndexFiles,
        residents: Sequence[Resident],
        followed: Place,
    ) -> None:
        self._lock = lock
        self._files = files
        self._residents = residents
        self._followed = followed

    @property
    def overlay(self) -> int:
        """Documents that are digested and not on disk: the most of any partition."""
        return max(len(each.pending) for each in self._residents)

    @property
    def weight(self) -> int:
        """The same for who bounds memory: of large documents, kilobytes of all partitions."""
        return max(self.overlay, sum(each.bytes for each in self._residents) // 1000)

    def due(self, *, is_writing: bool) -> tuple[list[int], bool]:
        """The partitions whose time has come, the longest waiting first, and whether any waits.

        While somebody writes it is one at most.
        """
        now = time.monotonic()
        documents = BUSY_DOCUMENTS if is_writing else FLUSH_DOCUMENTS
        seconds = BUSY_SECONDS if is_writing else FLUSH_SECONDS
        waiting = [
            (each.since, place) for place, each in enumerate(self._residents) if each.pending
        ]
        due = [
            place
            for since, place in sorted(waiting)
            if now - since >= seconds or len(self._residents[place].pending) >= documents
        ]
        return due[:1] if is_writing else due, bool(waiting)

    def write(self, place: int, *, is_last: bool = False) -> None:
        """Write what a partition has in memory; `is_last` its checkpoints also when it has none."""
        with self._lock:
            resident, applied = self._residents[place], self._files.applied[place]
            newest = self._followed.newest
            moved = {
                number: Checkpoint(seq, None, newest.get(number))
                for number, seq in self._followed.digested.items()
                if number in applied and applied[number].seq < seq
            }
            behind = sum(each.seq - applied[number].seq for number, each in moved.items())
            if not resident.pending and not (moved and (is_last or behind > CHECKPOINT_ENTRIES)):
                return
            changes = resident.leave()
        try:
            self._files.apply(place, changes, moved)
        except BaseException:
            with self._lock:
                resident.kept()
            raise
        with self._lock:
            resident.left()
