"""A bound on how many indexes are open: the one unused for longest goes to sleep.

An open Tantivy index costs a thread that polls twice a second and about 0.6 MB, so a store of
thousands of shards must not keep them all open. A sleeping index opens again when it is used, in
about 2 ms. Views of it stay valid: they hold what they need themselves.
"""

import threading
from collections import OrderedDict
from typing import Protocol

OPEN_MAX = 128
"""128 threads that sleep, 80 MB: a scatter over as many shards opens nothing twice."""


class Sleeper(Protocol):
    """Whatever holds an open index and can let go of it."""

    def sleep(self) -> None:
        """Let go of the index; the next use opens it again."""


class OpenIndexes:
    """Knows who used an index last; safe to use from many threads."""

    def __init__(self, open_max: int = OPEN_MAX) -> None:
        self._open_max = open_max
        self._lock = threading.Lock()
        self._used: OrderedDict[Sleeper, None] = OrderedDict()

    def used(self, sleeper: Sleeper) -> None:
        """Say that an index is open and in use now; may send another one to sleep."""
        with self._lock:
            self._used[sleeper] = None
            self._used.move_to_end(sleeper)
            tired = self._used.popitem(last=False)[0] if len(self._used) > self._open_max else None
        if tired is not None:
            tired.sleep()

    def forget(self, sleeper: Sleeper) -> None:
        """Say that an index is closed."""
        with self._lock:
            self._used.pop(sleeper, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._used)
