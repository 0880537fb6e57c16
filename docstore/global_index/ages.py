"""How long entries wait for an index: when each was written, read from its log once.

Bounded by one entry for each shard.
"""

from collections.abc import Callable, Iterable

from docstore.shards.shard import Shard


class Ages:
    """Safe to use from many threads: at worst an entry is read twice."""

    def __init__(self, shard_of: Callable[[int], Shard]) -> None:
        self._shard_of = shard_of
        self._known: dict[int, tuple[int, int]] = {}

    def oldest(self, waiting: Iterable[tuple[int, int]]) -> int | None:
        """When the first of all entries after a seq of some shards was written, in microseconds."""
        found = [at for number, after in waiting if (at := self._at(number, after)) is not None]
        return min(found, default=None)

    def _at(self, number: int, after: int) -> int | None:
        known = self._known.get(number)
        if known is not None and known[0] == after:
            return known[1]
        at = self._shard_of(number).written_at(after)
        if at is not None:
            self._known[number] = (after, at)
        return at
