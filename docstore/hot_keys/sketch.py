"""A heavy-hitter sketch: the most frequent keys of a stream in bounded memory, with its error.

Space-Saving in the form that takes whole batches: at most `size` counters; when a batch brings more
keys, the count of the first that does not fit is taken from all and what falls to nothing is
forgotten (Misra and Gries 1982; that this is Space-Saving and keeps its bound when summaries are
merged: Agarwal et al., Mergeable Summaries, PODS 2012).

Invariants, for every key with true weight w in a stream of weight W, under any decay:
1. count <= w <= count + missed: what is told is at least true and at most `missed` short.
2. missed <= W / (size + 1): so every key with more than that share is among the counted.

Pure: no clock, no sampling; decay is asked for by whoever knows the time.
"""

from collections.abc import Mapping


class HeavyHitters:
    """Counts of the heaviest keys. `total` is the weight of all that was added, decayed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._counts: dict[bytes, float] = {}
        self.missed = 0.0
        self.total = 0.0

    def add(self, weights: Mapping[bytes, float]) -> None:
        """Add a batch: each key with its weight, above zero."""
        counts = self._counts
        for key, weight in weights.items():
            counts[key] = counts.get(key, 0.0) + weight
            self.total += weight
        if len(counts) > self._size:
            cut = sorted(counts.values(), reverse=True)[self._size]
            self._counts = {key: count - cut for key, count in counts.items() if count > cut}
            self.missed += cut

    def decay(self, factor: float) -> None:
        """Let what was added so far weigh `factor` times as much, 0 to 1."""
        self._counts = {key: count * factor for key, count in self._counts.items()}
        self.missed *= factor
        self.total *= factor

    def count(self, key: bytes) -> float:
        """What is known of a key's weight: at least true, at most `missed` short."""
        return self._counts.get(key, 0.0)

    def heaviest(self, most: int) -> list[tuple[bytes, float]]:
        """Up to so many keys with their counts, the heaviest first, equal ones in key order."""
        return sorted(self._counts.items(), key=lambda each: (-each[1], each[0]))[:most]
