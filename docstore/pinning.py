"""Who still uses which map: a value is current until another takes its place, and is let go of
when nobody uses it or an older one any more.

Invariants: a pinned value stays usable; values are let go of in the order in which they were
replaced. Safe to use from many threads, and from finalisers.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class _Use(Generic[V]):
    __slots__ = ("let_go", "pins", "value")

    def __init__(self, value: V) -> None:
        self.value = value
        self.pins = 0
        self.let_go: Callable[[], None] | None = None


class Pin(Generic[V]):
    """The right to use a value until `release`, or until nothing refers to the pin."""

    __slots__ = ("_pins", "_use", "value")

    def __init__(self, pins: "Pinned[V]", use: _Use[V]) -> None:
        self._pins = pins
        self._use: _Use[V] | None = use
        self.value = use.value
        """What is pinned; not to be used after `release`."""

    def release(self) -> None:
        """Give up the right; again does nothing."""
        use, self._use = self._use, None
        if use is not None:
            self._pins.unpin(use)

    def __del__(self) -> None:
        self.release()


class Pinned(Generic[V]):
    """The current value and those replaced ones that somebody still uses."""

    def __init__(self, value: V) -> None:
        # A finaliser may run in a thread that holds the lock.
        self._lock = threading.RLock()
        self._uses = deque([_Use(value)])
        self.current = value

    def pin(self) -> Pin[V]:
        """Pin the current value."""
        return Pin(self, self.enter())

    def enter(self) -> _Use[V]:
        """Pin the current value for a call; `unpin` what this returns."""
        with self._lock:
            use = self._uses[-1]
            use.pins += 1
            return use

    def unpin(self, use: _Use[V]) -> None:
        """Undo one `enter`."""
        with self._lock:
            use.pins -= 1
            if use.pins or len(self._uses) == 1:
                return
        self._let_go()

    def replace(self, value: V, let_go: Callable[[], None]) -> None:
        """Make another value current; `let_go` is called once when the one before is unused."""
        with self._lock:
            self._uses[-1].let_go = let_go
            self._uses.append(_Use(value))
            self.current = value
        self._let_go()

    def _let_go(self) -> None:
        while True:
            with self._lock:
                if len(self._uses) == 1 or self._uses[0].pins:
                    return
                let_go = self._uses.popleft().let_go
            if let_go is not None:
                let_go()
