"""The thread that keeps indexes up to their logs, so that searches find little left to do.

A write marks its shard, and the shard is refreshed `REFRESH_SECONDS` later. An error is kept for
`stats` and tried again after a pause: the log is safe and nothing is skipped, and other shards are
refreshed meanwhile. Writers that were idle are closed, whatever else is written.
"""

import threading
import time

from docstore.looking import Errors, Looking, tried
from docstore.shards.local_follower import LocalFollower
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
IDLE_LOOK_SECONDS = 1.0
"""Between two looks for such writers, while any is open."""


class BackgroundRefresh:
    """One thread for all shards of a store."""

    def __init__(self, budget: WriterBudget, errors: Errors) -> None:
        self._budget = budget
        self._marking = threading.Lock()
        self._due: dict[LocalFollower, float] = {}
        self._idle_due = 0.0
        self.errors: dict[LocalFollower, DocstoreError] = {}
        self._thread = Looking("docstore-refresh", self.look, self._rest, errors)
        self._thread.begin()

    def mark(self, follower: LocalFollower, *, is_bulk: bool = False) -> None:
        """Say that a shard has new entries.

        A bulk writer indexes as it goes, so the thread only takes up what it leaves at its end.
        """
        due = time.monotonic() + (BULK_REFRESH_SECONDS if is_bulk else REFRESH_SECONDS)
        with self._marking:
            if not is_bulk and follower in self._due:
                return
            self._due[follower] = due
        self._thread.wake()

    def look(self) -> None:
        """Refresh the shard that is due first, if any is, and close writers that were idle."""
        follower = self._next()
        if follower is not None:
            outcome = tried(lambda: follower.refresh(follower.head))
            if not isinstance(outcome, DocstoreError):
                self.errors.pop(follower, None)
            elif not isinstance(outcome, Closed):
                self.errors[follower] = outcome
                with self._marking:
                    self._due.setdefault(follower, time.monotonic() + PAUSE_SECONDS)
        if self._idle_due <= time.monotonic():
            self._budget.close_idle(IDLE_SECONDS)
            self._idle_due = time.monotonic() + IDLE_LOOK_SECONDS

    def _next(self) -> LocalFollower | None:
        """The shard whose time has come first; None when none's has."""
        with self._marking:
            follower = min(self._due, key=self._due.__getitem__, default=None)
            if follower is None or self._due[follower] > time.monotonic():
                return None
            del self._due[follower]
            return follower

    def _rest(self) -> float | None:
        """How long until something is due; None while nothing is and no writer is open."""
        with self._marking:
            due = [*self._due.values()]
        if self._budget.open_count:
            due.append(self._idle_due)
        return min(due) - time.monotonic() if due else None

    def forget(self, followers: list[LocalFollower]) -> None:
        """Drop shards that are about to be closed."""
        with self._marking:
            for follower in followers:
                self._due.pop(follower, None)
                self.errors.pop(follower, None)

    def stop(self) -> None:
        """Stop and wait for the refresh that is under way."""
        self._thread.stop()
        self._thread.join()
