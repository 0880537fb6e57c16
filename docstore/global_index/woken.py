"""A thread that sleeps until it is woken, and can rest and be stopped while it works.

It starts at the first `wake`. Waking is cheap when it was woken already: writers do it all the
time. Absent: what it does, which is a loop over `may_go_on`.
"""

import threading
from collections.abc import Callable

PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 10.0
"""After an error: a full disk is not asked again and again for as long as it is full."""


class Woken:
    """One thread that runs `loop`, which ends when `may_go_on` says so."""

    def __init__(self, name: str, loop: Callable[[], None]) -> None:
        self._name = name
        self._loop = loop
        self._changed = threading.Condition()
        self._is_woken = False
        self._is_stopped = False
        self._pause = 0.0
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Say that there is something to do; returns at once."""
        if self._is_woken:
            return
        with self._changed:
            if self._is_stopped:
                return
            self._is_woken = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def may_go_on(self, idle: float | None = None) -> bool:
        """Wait until it is woken, or for `idle` seconds at most; False when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or self._is_stopped, idle)
            self._is_woken = False
            return not self._is_stopped

    def go_on(self) -> None:
        """Have the next `may_go_on` not wait: more is left to do."""
        self._is_woken = True

    def rest(self, seconds: float) -> None:
        """Do nothing for some seconds, unless it is stopped."""
        if seconds > 0:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopped, seconds)

    def rest_after_error(self) -> None:
        """Rest twice as long as the last time, until it is said that all `went_well`."""
        self._pause = min(PAUSE_SECONDS_MAX, max(PAUSE_SECONDS_FIRST, self._pause * 2))
        self.rest(self._pause)

    def went_well(self) -> None:
        """There is no error any more."""
        self._pause = 0.0

    def stop(self) -> None:
        """Have it end, and wait until it has."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
