"""How much of the machine keeping indexes may take, judged by who writes and by the lag.

While nobody writes, all there is. Else a share of the time, counted in what is computed: most where
that keeps up, little where it does not, for then writers may take all there is. Not what is waited
for: a disk that is busy is no reason to rest.
"""

import time

SHARE_KEEPING_UP, SHARE_BEHIND = 0.4, 0.12
"""Of the time while somebody writes: what following takes where that is enough, little where
writers take all there is and are to be slowed by less than a fifth."""
SHARE_OF_FLUSHING = 0.3
"""What writing to the indexes' files takes of that, beside it."""
BACKLOG_MAX = 1000
"""Entries of all shards that tell the one from the other."""
WRITING_SECONDS = 0.5
"""Since the last write, for which writes count as under way: a bulk writer's batches are apart."""
REST_SECONDS = 0.004
"""Between two steps: worth more than one write's reading."""
REST_SECONDS_MAX = 0.05
"""However long a step took: what is read without `current` is not much older."""
BUSY_ENTRIES = 64
"""Entries of one step while writes are under way: a writer may wait for it."""
BEHIND_ENTRIES = 512
"""The same where that does not keep up: what a step costs, whatever it takes, is lost in them."""
IDLE_ENTRIES = 2000
BUSY_FILLED, IDLE_FILLED = 256, 4000
"""Documents of one step of filling."""


class Pacing:
    """What both threads go by. `backlog` are the entries of all shards that are to be taken."""

    def __init__(self) -> None:
        self._written = -WRITING_SECONDS
        self.backlog = 0

    def note_write(self) -> None:
        """Somebody has written."""
        self._written = time.monotonic()

    @property
    def is_writing(self) -> bool:
        """Whether writes are under way."""
        return time.monotonic() - self._written < WRITING_SECONDS

    @property
    def _share(self) -> float:
        return SHARE_KEEPING_UP if self.backlog < BACKLOG_MAX else SHARE_BEHIND

    def entries(self, *, is_writing: bool) -> int:
        """How many entries a step takes."""
        if not is_writing:
            return IDLE_ENTRIES
        return BUSY_ENTRIES if self.backlog < BACKLOG_MAX else BEHIND_ENTRIES

    def rest(self, spent: float) -> float:
        """Seconds to rest after a step that computed so long, while writes are under way."""
        return min(max(spent * (1 / self._share - 1), REST_SECONDS), REST_SECONDS_MAX)

    def flushing_rest(self, spent: float) -> float:
        """The same after writing a partition's file."""
        return spent * (1 / (self._share * SHARE_OF_FLUSHING) - 1) if self.is_writing else 0.0
