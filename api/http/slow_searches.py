"""The searches that took longest lately, so that whoever runs a server sees what to look at.

Bounded: the last `KEPT` searches are remembered, the slowest of them are told.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from docstore import SearchResult

KEPT = 1_000
_QUERY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Ran:
    """One search that was answered. `at` is seconds since 1970."""

    at: float
    collection: str
    query: str
    plan: str
    shards: int
    total: int
    took_ms: float


class SlowSearches:
    """The latest searches of one server; safe to use from many threads."""

    def __init__(self) -> None:
        self._latest: deque[Ran] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._count = 0

    @property
    def count(self) -> int:
        """Searches answered since the server began."""
        return self._count

    def note(self, collection: str, result: SearchResult[Any]) -> None:
        """Remember a search."""
        ran = Ran(
            time.time(),
            collection,
            result.plan.query[:_QUERY_CHARACTERS],
            result.plan.chosen.name,
            result.shards_touched,
            result.total,
            result.took_ms,
        )
        with self._lock:
            self._count += 1
            self._latest.append(ran)

    def note_kept(self) -> None:
        """Count a search whose answer was still known: it took no time worth remembering."""
        with self._lock:
            self._count += 1

    def slowest(self, most: int) -> list[Ran]:
        """The slowest of the latest searches, the slowest first."""
        with self._lock:
            latest = list(self._latest)
        return nlargest(most, latest, key=lambda ran: ran.took_ms)
