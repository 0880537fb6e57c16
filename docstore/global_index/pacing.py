"""How much of the machine keeping indexes may take, judged by how much is written.

While nobody writes, all there is. Else a share of the time: most where that is enough to follow,
little where it is not, for then writers may take all there is. There it gives way often: who writes
gives up the interpreter about ten times for each commit, and each time would wait for it.
"""

import time
from collections.abc import Callable

from docstore.giving_way import PAUSE_SECONDS, WORK_SECONDS

SHARE_KEEPING_UP, SHARE_OVERWHELMED = 0.4, 0.1
"""Of the time while somebody writes: what following takes where that is enough, little where
writers take all there is and are to be slowed by less than a fifth."""
SHARE_ENOUGH = 0.1
"""What following would need, for the first to be enough: the rest is for catching up."""
SHARE_OF_FLUSHING = 0.3
"""What writing to the indexes' files takes of that, beside it."""
BACKLOG_MAX = 1000
"""Entries of all shards from which steps are large."""
OVERLAY_MAX = 100_000
"""Documents of a partition in memory only, beyond which following waits until they are written.

These are some 50 MB for an index of four partitions that carries two fields; where documents carry
more, so many kilobytes of all partitions.
"""
RATE_SECONDS, COST_WEIGHT = 0.3, 0.3
"""How long it takes until a change of pace is believed; what one step's cost counts."""
KNOWN_SECONDS_MIN = 0.01
"""What the first documents that are written count as at least: one alone tells no rate."""
WRITING_SECONDS = 0.5
"""Since the last write, for which writes count as under way: a bulk writer's batches are apart."""
REST_SECONDS = 0.004
"""Between two steps: worth more than one write's reading."""
REST_SECONDS_MAX, REST_SECONDS_OVERWHELMED_MAX = 0.05, 0.5
"""However long a step took: what is read without `current` is not much older than it must be."""
TAKEN_ENTRIES = 64
"""Entries that an index takes at once while writes are under way: who reads may wait for it."""
BUSY_ENTRIES = 64
"""Entries of one step while writes are under way: a writer may wait for it."""
BEHIND_ENTRIES = 512
"""The same where that does not keep up: what a step costs, whatever it takes, is lost in them."""
IDLE_ENTRIES = 2000
BUSY_FILLED, IDLE_FILLED = 256, 4000
"""Documents of one step of filling."""


class Pacing:
    """What both threads go by. `backlog` are the entries of all shards that are to be taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written = self._begun = -WRITING_SECONDS
        self._noted = clock()
        self._rate = 0.0
        self._cost = 0.0
        self.backlog = 0

    def note_step(self, taken: int, backlog: int, computed: float) -> None:
        """A step took so many entries, computed so long, and left so many."""
        now = self._clock()
        passed = max(now - max(self._noted, self._begun), 0.001)
        # Of writes that have just begun it is their mean: who writes in bulk is soon done.
        known = min(max(now - self._begun, KNOWN_SECONDS_MIN), RATE_SECONDS)
        arrived = max(0, taken + backlog - self.backlog)
        self._rate += min(passed / known, 1.0) * (arrived / passed - self._rate)
        if taken >= TAKEN_ENTRIES:  # of fewer, most is what a step costs
            weight = COST_WEIGHT if self._cost else 1.0
            self._cost += weight * (computed / taken - self._cost)
        self.backlog, self._noted = backlog, now

    @property
    def is_overwhelmed(self) -> bool:
        """Whether following all that is written would take too much: of who takes all there is."""
        return self._rate * self._cost > SHARE_ENOUGH

    def note_write(self) -> None:
        """Somebody has written."""
        now = self._clock()
        if now - self._written >= WRITING_SECONDS:
            self._begun, self._rate = now, 0.0
        self._written = now

    @property
    def is_writing(self) -> bool:
        """Whether writes are under way."""
        return self._clock() - self._written < WRITING_SECONDS

    @property
    def _share(self) -> float:
        return SHARE_OVERWHELMED if self.is_overwhelmed else SHARE_KEEPING_UP

    def entries(self, *, is_writing: bool) -> int:
        """How many entries a step takes."""
        if not is_writing:
            return IDLE_ENTRIES
        return BUSY_ENTRIES if self.backlog < BACKLOG_MAX else BEHIND_ENTRIES

    def rest(self, computed: float, taken: float) -> float:
        """Seconds to rest after a step that computed and took so long, while somebody writes.

        Where writers take all there is, by how long it took: they waited for it as long. Else by
        what it computed: it could not catch up after a pause, were its own waiting held against it.
        """
        if self.is_overwhelmed:
            spent, most = taken, REST_SECONDS_OVERWHELMED_MAX
        else:
            spent, most = computed, REST_SECONDS_MAX
        return min(max(spent * (1 / self._share - 1), REST_SECONDS), most)

    def may_flush(self, weight: int) -> bool:
        """Whether to write to files beside who writes: that can wait while writers take all."""
        return not self.is_overwhelmed or weight > OVERLAY_MAX // 2

    def flushing_rest(self, spent: float) -> float:
        """The same after writing a partition's file."""
        if not self.is_writing:
            return 0.0
        return min(
            spent * (1 / (self._share * SHARE_OF_FLUSHING) - 1), REST_SECONDS_OVERWHELMED_MAX
        )


class Turn:
    """Gives the interpreter to others where one has had it for long; for one thread."""

    def __init__(self, *, gives_way: bool) -> None:
        """It goes on where nobody takes all there is: each time, it would have to wait itself."""
        self._gives_way = gives_way
        self._began = time.perf_counter()

    def give_way(self) -> None:
        """Call it after each little piece of work."""
        if self._gives_way and time.perf_counter() - self._began > WORK_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._began = time.perf_counter()
