"""A thread that looks after something again and again, whatever a look raises.

Invariants: what a look raises ends no thread: it is kept, under the thread's name, until a look
succeeds, and the next look is made after a pause. Nobody is waited for once stopped. Deliberately
absent: what is looked at, and when; its owner says both.
"""

import threading
from collections.abc import Callable, MutableMapping
from typing import TypeVar

from indexing.errors import Closed, DocstoreError, Unavailable

T = TypeVar("T")
PAUSE_SECONDS = 1.0
"""At least, after a look that raised something."""
Errors = MutableMapping[str, DocstoreError]
"""What threads raised last, by name."""


def tried(act: Callable[[], T]) -> T | DocstoreError:
    """What an act returns, or raises; an error that is not ours as one that says so."""
    try:
        return act()
    except DocstoreError as error:
        return error
    except Exception as error:  # noqa: BLE001  a thread that nobody waits for has nowhere to raise
        unforeseen = Unavailable(
            f"something unforeseen: {type(error).__name__}: {error}",
            hint="it is tried again; if it stays, run docstore check, and report it",
            retryable=True,
        )
        unforeseen.__cause__ = error
        return unforeseen


class Looking:
    """Looks from `begin` to `stop`, or until a look raises Closed.

    `rest` tells how many seconds to wait for the next look, None until `wake`.
    """

    def __init__(
        self,
        name: str,
        look: Callable[[], object],
        rest: Callable[[], float | None],
        errors: Errors,
    ) -> None:
        self._name = name
        self._look = look
        self._rest = rest
        self._errors = errors
        self._changed = threading.Condition()
        self._is_woken = False
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopped

    def begin(self) -> None:
        """Look from now on; again, or once stopped, it does nothing."""
        with self._changed:
            if self._thread is None and not self._is_stopped:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Have `rest` asked again: there may be something to look at sooner."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Begin no look any more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the look under way has ended, once stopped."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while self._rested(pause):
            outcome = tried(self._look)
            if isinstance(outcome, Closed):
                return
            pause = 0.0
            if isinstance(outcome, DocstoreError):
                self._errors[self._name] = outcome
                pause = PAUSE_SECONDS
            else:
                self._errors.pop(self._name, None)

    def _rested(self, pause: float) -> bool:
        """Wait until it is time to look, at least for the pause; False when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped, pause)
            while not self._is_stopped:
                self._is_woken = False
                rest = self._rest()
                if rest is not None and rest <= 0:
                    return True
                if not self._changed.wait_for(lambda: self._is_woken or self._is_stopped, rest):
                    return True
            return False
