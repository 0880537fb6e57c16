"""Up to which entry of each shard's log an index is in memory, and what the next entries change.

Invariant: `digested` moves with what `changes` returns, so both are taken together under a lock.
`newest` is up to which entry the index may hold something: what was read from documents, and
documents of a tail that was cut, are newer than `digested`.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from docstore.global_index.ages import Ages
from docstore.global_index.extracting import Extractor, Spread
from docstore.global_index.tails import Tail
from docstore.shards.shard import Shard

NOTHING: dict[bytes, bytes] = {}
"""What a document is in a partition where it has no postings and may have had some."""


class Place:
    """Where an index is in the logs of its shards."""

    def __init__(self) -> None:
        self.digested: dict[int, int] = {}
        self.newest: dict[int, int] = {}

    def begin(self, shard: int, after: int, newest: int | None) -> None:
        """Follow a shard's log from a seq; `newest` None is found out when it has to be known."""
        self.digested[shard] = after
        if newest is None:
            self.newest.pop(shard, None)
        else:
            self.newest[shard] = newest

    def behind(self, heads: Mapping[int, int]) -> dict[int, int]:
        """The shards, and the last seq digested, that have later entries."""
        digested = self.digested
        if digested == heads:
            return {}  # the usual case, at the price of comparing it
        return {
            number: after
            for number, head in heads.items()
            if (after := digested.get(number, 0)) < head
        }

    def lag(self, heads: Mapping[int, int], ages: Ages) -> tuple[int, float]:
        """Acknowledged entries that are not digested, and milliseconds since the oldest."""
        behind = self.behind(heads)
        if not behind:
            return 0, 0.0
        entries = sum(heads[number] - after for number, after in behind.items())
        oldest = ages.oldest(behind.items())
        age = 0.0 if oldest is None else max(0.0, time.time() * 1000 - oldest / 1000)
        return entries, age

    def changes(
        self, tails: Iterable[Tail], extractor: Extractor, shard_of: Callable[[int], Shard]
    ) -> Spread:
        """What documents become in every partition by some tails; what was taken is left out."""
        found: Spread = [{} for _ in range(extractor.definition.partitions)]
        for shard, after, last, seen, documents in tails:
            digested = self.digested.get(shard)
            if digested is None or not after <= digested < last:
                continue
            newest = self.newest.get(shard)
            if newest is None:
                newest = shard_of(shard).visible_head
            # What was created after all that is in no partition, and need not be looked for.
            held = [each.key for each in documents if each.created <= newest]
            if held:
                gone = dict.fromkeys(held, NOTHING)
                for here in found:
                    here.update(gone)
            extractor.spread(documents, shard, found)
            self.digested[shard] = last
            self.newest[shard] = max(newest, seen)
        return found
