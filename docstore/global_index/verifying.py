"""Comparing documents with the indexes a few at a time, for ever, while everything goes on.

What is found is counted and the last of it kept; nothing is repaired, for whoever reads the gauge
decides that. Off unless a rate is given.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from docstore.global_index.checking import Divergence, check_document
from docstore.global_index.live_index import LiveIndex
from docstore.shards.records import Record
from docstore.shards.shard import Shard
from indexing.errors import Corruption, InvalidRequest

BATCH_MAX = 64
"""Documents compared in one go, so that nobody waits for it."""


class Verifier:
    """Walks all shards, one after another, round after round; called by one thread.

    `verified` documents were compared with every index, `divergent` of them differed, `rounds`
    times all were.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        self.verified = 0
        self.divergent = 0
        self.rounds = 0
        self.last: Divergence | None = None
        self._place = 0
        self._after = b""
        self._due = 0.0

    def step(
        self,
        numbers: Sequence[int],
        shard_of: Callable[[int], Shard],
        indexes: Iterable[LiveIndex],
    ) -> None:
        """Compare some documents if it is time for them."""
        rate, now = self.rate, time.monotonic()
        if rate is None or now < self._due:
            return
        number = numbers[self._place % len(numbers)]
        batch = list(islice(shard_of(number).scan_batch(self._after), BATCH_MAX))
        self._due = now + max(len(batch), 1) / rate
        for index in indexes:
            if index.state(numbers) == "ready":
                try:
                    self._compare(index, number, batch)
                except Corruption as error:
                    index.refill(error)
        self.verified += len(batch)
        if len(batch) == BATCH_MAX:
            self._after = batch[-1][0]
            return
        self._after = b""
        self._place += 1
        if self._place >= len(numbers):
            self._place = 0
            self.rounds += 1

    def _compare(
        self, index: LiveIndex, number: int, batch: Sequence[tuple[bytes, Record]]
    ) -> None:
        for key, record in batch:
            # A later document is not on disk yet: its turn comes in the next round.
            if record.seq <= index.files.floor(number):
                for each in islice(check_document(index, number, key, record), 1):
                    self.divergent += 1
                    self.last = each

    def gauge(self) -> dict[str, Any]:
        """`rate`, documents `verified`, `divergent` ones, `rounds` over all, `last` in words."""
        return {
            "rate": self.rate,
            "verified": self.verified,
            "divergent": self.divergent,
            "rounds": self.rounds,
            "last": None if self.last is None else f"{self.last.rule}: {self.last.detail}",
        }


def check_rate(documents_per_second: float | None) -> None:
    """Refuse a rate that is none; None is no bound. Raises InvalidRequest."""
    is_number = type(documents_per_second) in (int, float)
    if documents_per_second is not None and not (is_number and documents_per_second > 0):
        raise InvalidRequest(
            f"{documents_per_second!r} documents a second", hint="give more than none, or None"
        )
