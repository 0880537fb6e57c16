"""Cutting: partitions split in half and neighbours merged, with what each new one is made of.

Invariants: the order of the space is kept, no byte is lost or counted twice, and the left half of a
split keeps its number, as the larger of two merged ones does. Where anything lies does not matter
here, and nothing moves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush

from docstore.rebalancing.cluster import PARTITIONS_MAX, Cluster, SizedPartition

Sources = tuple[tuple[int, int], ...]
"""The partitions a new one is made of, in order, each with how many of its bytes."""


@dataclass(frozen=True, slots=True)
class Recut:
    """A cluster whose partitions were cut anew; `made_of` names the sources of each changed one."""

    cluster: Cluster
    made_of: Mapping[int, Sources] = field(default_factory=dict)
    splits: int = 0
    merges: int = 0

    def sources(self, partition: SizedPartition) -> Sources:
        """What a partition of the new cut is made of; an uncut one of itself."""
        return self.made_of.get(partition.number) or ((partition.number, partition.bytes),)

    def inherited(self, placement: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
        """Where the new partitions lie before anything moves: where their largest source does."""
        return {
            part.number: placement[max(self.sources(part), key=lambda source: source[1])[0]]
            for part in self.cluster.partitions
        }


class Cut:
    """Partitions being cut: a chain in the order of their space."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pieces: list[SizedPartition | None] = list(cluster.partitions)
        count = len(self._pieces)
        self._next = [*range(1, count), -1]
        self._previous = list(range(-1, count - 1))
        self._made_of: dict[int, Sources] = {}
        self._count = count
        self._number = max(part.number for part in cluster.partitions) + 1
        self._splits = self._merges = 0

    def split_while(self, wanted: Callable[[int, int], bool]) -> None:
        """Halve the largest as long as `wanted(its bytes, how many partitions there are)`.

        Stops at partitions of one byte and at PARTITIONS_MAX.
        """
        largest = [(-part.bytes, at) for at, part in enumerate(self._pieces) if part is not None]
        heapify(largest)
        while largest and self._count < PARTITIONS_MAX:
            size, at = heappop(largest)
            if -size < 2 or not wanted(-size, self._count):
                return
            for piece in (at, self._split(at)):
                heappush(largest, (-self._at(piece).bytes, piece))

    def merge_while(self, wanted: Callable[[int, int], bool]) -> None:
        """Join the two neighbours that are smallest together as long as `wanted`, as above."""
        pairs: list[tuple[int, int, int]] = []
        for at, part in enumerate(self._pieces):
            if part is not None:
                self._add_pair(pairs, at)
        while pairs and self._count > 1:
            size, left, right = heappop(pairs)
            pieces = self._pieces[left], self._pieces[right]
            if pieces[0] is None or pieces[1] is None or self._next[left] != right:
                continue
            if pieces[0].bytes + pieces[1].bytes != size:
                continue  # an old entry: one of them grew by another merge
            if not wanted(size, self._count):
                return
            self._merge(left, right)
            self._add_pair(pairs, left)
            self._add_pair(pairs, self._previous[left])

    def done(self) -> Recut:
        """The cluster as it is cut now."""
        if not self._made_of:
            return Recut(self._cluster)
        at, parts = 0, []
        while at != -1:
            parts.append(self._at(at))
            at = self._next[at]
        cluster = replace(self._cluster, partitions=tuple(parts))
        return Recut(cluster, self._made_of, self._splits, self._merges)

    def _at(self, at: int) -> SizedPartition:
        piece = self._pieces[at]
        assert piece is not None  # noqa: S101  the chain leads only to pieces that are there
        return piece

    def _sources(self, piece: SizedPartition) -> Sources:
        return self._made_of.get(piece.number, ((piece.number, piece.bytes),))

    def _add_pair(self, pairs: list[tuple[int, int, int]], left: int) -> None:
        if left != -1 and (right := self._next[left]) != -1:
            heappush(pairs, (self._at(left).bytes + self._at(right).bytes, left, right))

    def _split(self, at: int) -> int:
        """Halve a piece; the place of its right half."""
        whole = self._at(at)
        half = whole.bytes // 2
        load = whole.load * half / whole.bytes
        left = replace(whole, bytes=half, load=load)
        right = SizedPartition(self._number, whole.bytes - half, whole.load - load)
        first, second = _divided(self._sources(whole), half)
        self._made_of[left.number], self._made_of[right.number] = first, second
        new = len(self._pieces)
        self._pieces[at] = left
        self._pieces.append(right)
        following = self._next[at]
        self._next.append(following)
        self._previous.append(at)
        self._next[at] = new
        if following != -1:
            self._previous[following] = new
        self._number += 1
        self._count += 1
        self._splits += 1
        return new

    def _merge(self, left: int, right: int) -> None:
        """Join two neighbours at the place of the left one."""
        one, other = self._at(left), self._at(right)
        sources = (*self._sources(one), *self._sources(other))
        number, gone = (
            (one.number, other.number) if one.bytes >= other.bytes else (other.number, one.number)
        )
        self._made_of.pop(gone, None)
        self._made_of[number] = sources
        self._pieces[left] = SizedPartition(number, one.bytes + other.bytes, one.load + other.load)
        self._pieces[right] = None
        following = self._next[right]
        self._next[left] = following
        if following != -1:
            self._previous[following] = left
        self._count -= 1
        self._merges += 1


def _divided(sources: Sources, at: int) -> tuple[Sources, Sources]:
    """Sources cut after `at` bytes."""
    first: list[tuple[int, int]] = []
    second: list[tuple[int, int]] = []
    for number, size in sources:
        taken = min(size, at)
        at -= taken
        if taken:
            first.append((number, taken))
        if size > taken:
            second.append((number, size - taken))
    return tuple(first), tuple(second)
