"""The thread that brings a collection's global indexes up to its shards' logs.

A write only wakes it. An error is kept for `stats` and tried again after a pause that doubles; the
logs keep what was not applied, so nothing is skipped. Between two steps it rests as long as writers
need to go on and make the next step worth its commit.
"""

import threading
from collections.abc import Callable, Iterable, Sequence

from docstore.global_index.live_index import LiveIndex
from indexing.errors import Closed, DocstoreError

REST_SECONDS = 0.005
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 10.0


class Updater:
    """One thread for all indexes of a collection; it starts at the first `wake`."""

    def __init__(
        self, indexes: Callable[[], Iterable[LiveIndex]], numbers: Callable[[], Sequence[int]]
    ) -> None:
        self._indexes = indexes
        self._numbers = numbers
        self._changed = threading.Condition()
        self._is_woken = False
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._pause = 0.0
        self.errors: dict[str, DocstoreError] = {}

    def wake(self) -> None:
        """Say that there is something to apply; returns at once."""
        if self._is_woken:
            return
        with self._changed:
            if self._is_stopped:
                return
            self._is_woken = True
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="docstore-global-index", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while self._may_go_on():
            numbers = self._numbers()
            taken = sum(self._step(index, numbers) for index in self._indexes())
            if taken or self.errors:
                self._is_woken = True
            with self._changed:
                if not self._is_stopped:
                    self._changed.wait_for(
                        lambda: self._is_stopped,
                        self._next_pause() if self.errors else REST_SECONDS,
                    )

    def _step(self, index: LiveIndex, numbers: Sequence[int]) -> int:
        try:
            taken = index.step(numbers)
        except Closed:
            return 0  # it was dropped, or the store is being closed
        except DocstoreError as error:
            self.errors[index.definition.name] = error
            return 0
        self.errors.pop(index.definition.name, None)
        return taken

    def _next_pause(self) -> float:
        self._pause = min(PAUSE_SECONDS_MAX, max(PAUSE_SECONDS_FIRST, self._pause * 2))
        return self._pause

    def _may_go_on(self) -> bool:
        """Wait until there is something to do; False when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or self._is_stopped)
            self._is_woken = False
            if not self.errors:
                self._pause = 0.0
            return not self._is_stopped

    def stop(self) -> None:
        """Stop after the step that is under way."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
