"""The thread that keeps indexes up to their logs, so that searches find little left to do.

A write marks its shard, and the shard is refreshed `REFRESH_SECONDS` later. An error is kept for
`stats` and tried again after a pause: the log is safe and nothing is skipped. When nothing is
marked the thread sleeps, and closes writers that were idle.
"""

import threading
import time

from docstore.local_follower import LocalFollower
from indexing.errors import Closed, DocstoreError
from indexing.writers import WriterBudget

REFRESH_SECONDS = 0.5
"""Bounds the staleness of `any` searches; a commit takes about 10 ms whatever its size."""
BULK_REFRESH_SECONDS = 2.0
"""After the last batch of a bulk load: sooner, it would cut the load into small segments."""
PAUSE_SECONDS = 2.0
"""After an error such as a full disk."""
IDLE_SECONDS = 5.0
"""After which an unused writer gives back its memory and threads."""


class BackgroundRefresh:
    """One thread for all shards of a store."""

    def __init__(self, budget: WriterBudget) -> None:
        self._budget = budget
        self._changed = threading.Condition()
        self._due: dict[LocalFollower, float] = {}
        self._stopped = False
        self.errors: dict[LocalFollower, DocstoreError] = {}
        self._thread = threading.Thread(target=self._run, name="docstore-refresh", daemon=True)
        self._thread.start()

    def mark(self, follower: LocalFollower, *, is_bulk: bool = False) -> None:
        """Say that a shard has new entries.

        A bulk writer indexes as it goes, so the thread only takes up what it leaves at its end.
        """
        due = time.monotonic() + (BULK_REFRESH_SECONDS if is_bulk else REFRESH_SECONDS)
        with self._changed:
            if is_bulk or follower not in self._due:
                self._due[follower] = due
                self._changed.notify()

    def _run(self) -> None:
        while True:
            follower = self._next()
            if follower is None:
                return
            try:
                follower.refresh(follower.head)
                self.errors.pop(follower, None)
            except Closed:
                continue
            except DocstoreError as error:
                self.errors[follower] = error
                with self._changed:
                    self._due.setdefault(follower, time.monotonic() + PAUSE_SECONDS)

    def _next(self) -> LocalFollower | None:
        """The next shard whose time has come; None when stopped."""
        while True:
            with self._changed:
                if self._stopped:
                    return None
                now = time.monotonic()
                if self._due:
                    follower = min(self._due, key=self._due.__getitem__)
                    if self._due[follower] <= now:
                        del self._due[follower]
                        return follower
                    self._changed.wait(self._due[follower] - now)
                    continue
                if self._budget.open_count == 0:
                    self._changed.wait()
                    continue
                self._changed.wait(IDLE_SECONDS)
                idle = not self._due
            if idle:
                self._budget.close_idle(IDLE_SECONDS)

    def forget(self, followers: list[LocalFollower]) -> None:
        """Drop shards that are about to be closed."""
        with self._changed:
            for follower in followers:
                self._due.pop(follower, None)
                self.errors.pop(follower, None)

    def stop(self) -> None:
        """Stop and wait for the refresh that is under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()
