"""What is read and written, by partition key: cheap to note, looked at when somebody asks.

A key is noted by putting it on a list; when the list is full, a quarter of it is drawn and counted.
Old traffic counts less: its weight halves every HALF_LIFE_SECONDS.

Bounded: BATCH keys not yet counted and COUNTERS counters, each for reads and for writes.
"""

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from docstore.hot_keys.sketch import HeavyHitters

COUNTERS = 256
"""Every key with more than 1/257 of the traffic is known: far below what makes a key hot."""
BATCH = 1024
SAMPLED = 4
"""Of so many keys one is counted. Drawing puts a key that was asked for n times off by 2 / sqrt(n)
of it, one standard deviation: 3% where 6,000 writes a minute make it hot, 0.8% at 60,000 reads."""
HALF_LIFE_SECONDS = 60.0
_MEMORY_SECONDS = HALF_LIFE_SECONDS / math.log(2)
"""What all seconds ever weigh together, the last one most."""
_DECAY_SECONDS = 1.0
"""Decaying more often would change nothing that a person could see."""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests per second of one key, of late; `share` is its part of all of them."""

    per_second: float
    share: float


@dataclass(frozen=True, slots=True)
class Loads:
    """The heaviest keys with their loads; no key has more than `error_per_second` beyond its."""

    per_second: float
    error_per_second: float
    by_key: dict[bytes, Load]


class Stream:
    """Requests of one kind. Safe to use from many threads; what races loses a count, never more.

    `partition_of` gives a key's partition key.
    """

    def __init__(
        self, partition_of: Callable[[bytes], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._partition_of = partition_of
        self._clock = clock
        self._seen: list[bytes] = []
        self._counting = threading.Lock()
        self._sketch = HeavyHitters(COUNTERS)
        self._seconds = 0.0  # that the sketch speaks of, decayed as its counts are
        self._at = clock()

    def note(self, key: bytes) -> None:
        """A request for an encoded key, or for all keys that begin with its first part."""
        seen = self._seen
        seen.append(key)
        if len(seen) >= BATCH:
            self._count(BATCH)

    def note_all(self, keys: Iterable[bytes]) -> None:
        """A request for each of some keys."""
        self._seen.extend(keys)
        if len(self._seen) >= BATCH:
            self._count(BATCH)

    def _count(self, least: int) -> None:
        with self._counting:
            if len(self._seen) < least:
                return  # another thread was faster
            batch, self._seen = self._seen, []
            self._pass_time()
            # What somebody who asks finds on the list is little, and counted in full.
            weight = 1
            if len(batch) >= BATCH:
                # Drawn one by one: a fixed step would meet the rhythm of the callers.
                batch = random.choices(batch, k=len(batch) // SAMPLED)  # noqa: S311  no secret
                weight = SAMPLED
            counts = Counter(map(self._partition_of, batch))
            self._sketch.add({key: float(weight * count) for key, count in counts.items()})

    def _pass_time(self) -> None:
        passed = self._clock() - self._at
        if passed >= _DECAY_SECONDS:
            factor = 0.5 ** (passed / HALF_LIFE_SECONDS)
            self._sketch.decay(factor)
            self._seconds = self._seconds * factor + _MEMORY_SECONDS * (1 - factor)
            self._at += passed

    def loads(self) -> Loads:
        """The loads of all keys that are counted, the heaviest first."""
        self._count(1)
        with self._counting:
            self._pass_time()
            sketch = self._sketch
            seconds = max(self._seconds + self._clock() - self._at, _DECAY_SECONDS)
            return Loads(
                sketch.total / seconds,
                sketch.missed / seconds,
                {
                    key: Load(count / seconds, count / sketch.total)
                    for key, count in sketch.heaviest(COUNTERS)
                    if count > 0  # a day without requests leaves nothing of it
                },
            )


class Traffic:
    """The reads and the writes of one collection."""

    def __init__(
        self, partition_of: Callable[[bytes], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.reads = Stream(partition_of, clock)
        self.writes = Stream(partition_of, clock)
