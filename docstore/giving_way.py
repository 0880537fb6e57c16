"""Long work that lets other threads of the process have the interpreter often.

A write gives up the interpreter about ten times, and each time waits for it as long as another
thread may keep it: five milliseconds, unless the whole process is told otherwise, which is for the
program to say and not for a library in it. So long work pauses by itself.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")

WORK_SECONDS = 0.0005
"""Worked through before each pause: what a write then waits at most, each time."""
PAUSE_SECONDS = 0.00002
"""Long enough that a thread that waits is woken and gets its turn; a pause of none wakes nobody."""
_LOOKED_AT = 8
"""Items between two looks at the clock."""


class Pace(Protocol):
    """How long work goes through what comes: `giving_way`, or `iter` where nobody waits."""

    def __call__(self, found: Iterable[T], /) -> Iterator[T]:
        """What comes."""


def giving_way(found: Iterable[T]) -> Iterator[T]:
    """What comes, with a pause now and then; half of the time at least is spent on it."""
    began, turn = time.perf_counter(), WORK_SECONDS
    for number, each in enumerate(found, 1):
        yield each
        if not number % _LOOKED_AT and (now := time.perf_counter()) - began > turn:
            time.sleep(PAUSE_SECONDS)
            began = time.perf_counter()
            # Where others work without end, as long a turn as they took: else this never ended.
            turn = max(WORK_SECONDS, began - now)
