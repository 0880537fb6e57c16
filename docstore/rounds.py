"""Work that many ask for and one does for all: who comes while it is done shares the next round.

A plain lock would do the same work, but not share it: those whose wait is over have to be woken one
after another to find that out, and who comes later takes the lock before them and works for few.
Here a round's end wakes all at once. Invariant: `share` returns after a round that began after the
call, or when nothing was left to do; an error reaches who worked, and another caller then tries.
Bounded by the number of threads.
"""

import threading
from collections.abc import Callable


class Rounds:
    """Rounds of one kind of work; safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._is_working = False

    def share(self, is_done: Callable[[], bool], work: Callable[[], None]) -> None:
        """Return once it `is_done`, by a round of another caller or by doing the `work`."""
        with self._changed:
            while self._is_working:
                self._changed.wait()
                if is_done():
                    return
            if is_done():
                return
            self._is_working = True
        try:
            work()
        finally:
            with self._changed:
                self._is_working = False
                self._changed.notify_all()
