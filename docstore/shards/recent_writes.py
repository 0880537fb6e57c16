"""A shard's last log entries in memory, for those who follow it closely.

Every call of LMDB gives the interpreter up, and where many threads write it takes long to have it
back: who follows a few entries at a time would wait more than work.

Invariant: what is held is dense, ends at the log's last entry, and each entry has the document that
it made. Who falls behind what is held reads the log itself; nothing here is needed after a crash.
What a bulk writer commits is not held: it is read in large pieces, which costs no more than this.
"""

import threading

from docstore.shards.records import OPERATIONS, Entry, Record

BYTES_MAX = 512 * 1024
"""Of one shard's entries and documents: some seconds of busy writes to few shards."""
COMMIT_MAX = 256
"""Entries of the largest commit that is held."""
ENTRY_BYTES = 300
"""What an entry takes beside its document."""

Written = tuple[int, int, int, int, bytes, bytes, bytes | None]
"""A log entry's seq, operation, version, microseconds, key and op_id, and the body it stored.

A plain tuple of plain values: the garbage collector lets go of it when it first meets it, and would
walk through thousands of any other kind again and again.
"""


class RecentWrites:
    """One thread adds at a time, many read."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._written: list[Written] = []
        self._bytes = 0

    def add(self, written: list[Written]) -> None:
        """Hold the next entries of the log, and let go of the oldest where that is too much."""
        if not written:
            return
        with self._lock:
            if len(written) > COMMIT_MAX:
                self._drop(len(self._written))
                return
            if self._written and self._written[-1][0] + 1 != written[0][0]:
                self._drop(len(self._written))  # a commit was made whose thread was stopped
            self._written += written
            self._bytes += sum(map(_bytes_of, written))
            while self._bytes > self._bytes_max:
                self._drop(max(1, len(self._written) // 2))

    def after(self, seq: int, most: int) -> list[tuple[Entry, Record | None]]:
        """The next entries after a seq, each with its document as it is after the last of them.

        Empty when the first of them is not held.
        """
        with self._lock:
            begin = seq + 1 - self._written[0][0] if self._written else -1
            found = self._written[begin : begin + most] if begin >= 0 else []
        made = {
            key: None if body is None else Record(version, seq, body)
            for seq, _, version, _, key, _, body in found
        }
        return [(Entry(each[0], OPERATIONS[each[1]], *each[2:6]), made[each[4]]) for each in found]

    def clear(self) -> None:
        """Hold nothing: the log was changed in another way."""
        with self._lock:
            self._drop(len(self._written))

    def _drop(self, count: int) -> None:
        dropped, self._written = self._written[:count], self._written[count:]
        self._bytes -= sum(map(_bytes_of, dropped))


def _bytes_of(written: Written) -> int:
    body = written[-1]
    return ENTRY_BYTES if body is None else ENTRY_BYTES + len(body)
