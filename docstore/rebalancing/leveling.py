"""Levelling: from any placement to one that is whole and even, moving as little as possible.

Invariants:
1. A copy moves only from the fuller of two nodes to the emptier, and only if the emptier stays
   below what the fuller was: no move is undone by a later one, and the work ends.
2. A copy never goes where its partition has another one, on the node or in the zone.
3. Within the tolerance nothing moves: data is not copied around for a fraction of a percent.

Every choice is by fullness, then by position, so equal input gives equal moves.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from heapq import heappop, heappush
from itertools import chain, islice

from docstore.partitioning import token_of
from docstore.rebalancing.cluster import Cluster

TOLERANCE = 0.01
"""A node this share over or under what it should hold is left alone, as is one that is off by less
than an average copy: a joining node takes whole ones, and who gave one is not to be refilled."""
_ZONES_TRIED = 24
"""The zones whose emptiest node a full one is tried with before it is given up: other copies stand
in the way in `replicas` of them at most for any one partition."""
_SHARE_MIN = 1e-9
"""Below it a node is asked to hold nothing: its zone is left over when the others are full."""

_Entry = tuple[float, int, int]
"""Cost, a scrambled tie-break that keeps a node's partitions mixed, and the partition's number."""


def level(
    cluster: Cluster,
    placement: Mapping[int, tuple[str, ...]],
    costs: Mapping[int, float],
    shares: Mapping[str, float],
    *,
    tolerance: float | None = None,
) -> dict[int, tuple[str, ...]]:
    """A whole and even placement near the given one, whose copies on unknown nodes are replaced.

    `costs` are of one copy of each partition, `shares` of each node; both sum to 1 over all
    copies and all nodes. Without a `tolerance`, TOLERANCE or an average copy, whichever is more.
    """
    work = _Levels(cluster, placement, costs, shares)
    work.fill_missing()
    if tolerance is None:
        copy = 1 / (len(placement) * cluster.replicas)
        work.even_out(
            [max(TOLERANCE, copy / max(shares[n.name], _SHARE_MIN)) for n in cluster.nodes]
        )
    else:
        work.even_out([tolerance] * len(cluster.nodes))
    return work.placement()


class _Levels:
    """The nodes by index with what they hold; changed move by move."""

    def __init__(
        self,
        cluster: Cluster,
        placement: Mapping[int, tuple[str, ...]],
        costs: Mapping[int, float],
        shares: Mapping[str, float],
    ) -> None:
        self._names = [node.name for node in cluster.nodes]
        zones: dict[tuple[bool, str], int] = {}
        self._zone = [zones.setdefault(node.place, len(zones)) for node in cluster.nodes]
        self._share = [max(shares[name], _SHARE_MIN) for name in self._names]
        self._held = [0.0] * len(self._names)
        self._replicas = cluster.replicas
        self._costs = costs
        self._entries: list[list[_Entry]] = [[] for _ in self._names]
        self._copies: dict[int, list[int | None]] = {}
        self._blocked: set[tuple[int, int]] = set()
        index_of = {name: index for index, name in enumerate(self._names)}
        for partition in cluster.partitions:
            number = partition.number
            copies = [index_of.get(name) for name in placement[number]]
            self._copies[number] = copies
            entry = self._entry(number)
            for index in copies:
                if index is not None:
                    self._held[index] += entry[0]
                    self._entries[index].append(entry)
        for entries in self._entries:
            entries.sort()

    def _entry(self, number: int) -> _Entry:
        return self._costs[number], token_of(b"%d" % number), number

    def _fullness(self, index: int, more: float = 0.0) -> float:
        return (self._held[index] + more) / self._share[index]

    def placement(self) -> dict[int, tuple[str, ...]]:
        """The copies as names; each kept copy in its place of the order."""
        names = self._names
        return {
            number: tuple(names[index] for index in copies if index is not None)
            for number, copies in self._copies.items()
        }

    def fill_missing(self) -> None:
        """Give every copy that is nowhere a node: the largest first, to the emptiest that may."""
        missing = [
            (-self._costs[number], number, slot)
            for number, copies in self._copies.items()
            for slot, index in enumerate(copies)
            if index is None
        ]
        if not missing:
            return
        emptiest = _Emptiest(self._zone, self._fullness)
        for _, number, slot in sorted(missing):
            copies = self._copies[number]
            taken = {self._zone[index] for index in copies if index is not None}
            with closing(emptiest.nodes()) as nodes:
                index = next(index for index in nodes if self._zone[index] not in taken)
            entry = self._entry(number)
            copies[slot] = index
            self._held[index] += entry[0]
            insort(self._entries[index], entry)
            emptiest.changed(index)

    def even_out(self, slack: Sequence[float]) -> None:
        """Move copies from the fullest to the emptiest until both are within their slack."""
        fullest = [(-self._fullness(index), index) for index in range(len(self._names))]
        fullest.sort()
        emptiest = _Emptiest(self._zone, self._fullness)
        while fullest:
            fullness, giver = heappop(fullest)
            if -fullness != self._fullness(giver):
                continue  # an old entry: the node is there again with what it holds now
            found = self._first_move(giver, emptiest, slack)
            if found is not None:
                taker, entry = found
                self._move(entry, giver, taker)
                for index in (giver, taker):
                    heappush(fullest, (-self._fullness(index), index))
                    emptiest.changed(index)

    def _first_move(
        self, giver: int, emptiest: "_Emptiest", slack: Sequence[float]
    ) -> tuple[int, _Entry] | None:
        """To whom a full node gives which copy; None when it keeps what it has."""
        is_over = self._fullness(giver) > 1 + slack[giver]
        with closing(emptiest.nodes()) as takers:
            for taker in islice(takers, _ZONES_TRIED):
                if not is_over and self._fullness(taker) >= 1 - slack[taker]:
                    return None
                entry = self._find(giver, taker)
                if entry is not None:
                    return taker, entry
        return None

    def _find(self, giver: int, taker: int) -> _Entry | None:
        """The copy to move: the largest that neither over- nor undershoots, or the least above."""
        zone = self._zone[taker]
        if giver == taker or (giver, zone) in self._blocked:
            return None
        entries = self._entries[giver]
        over = self._held[giver] - self._share[giver]
        under = self._share[taker] - self._held[taker]
        at = bisect_right(entries, (min(over, under), 1 << 32, 0))
        limit = self._fullness(giver) * (1 - 1e-12)
        is_blocked = True
        for index in chain(range(at - 1, -1, -1), range(at, len(entries))):
            entry = entries[index]
            if not entry[0] or not self._may_move(entry[2], giver, zone):
                continue
            is_blocked = False
            if self._fullness(taker, entry[0]) < limit:
                return entry
            if index >= at:
                break  # those after it are larger still
        if is_blocked:
            # Remembered for good: looking again each time would cost more than the rare copy
            # that becomes free later is worth.
            self._blocked.add((giver, zone))
        return None

    def _may_move(self, number: int, giver: int, zone: int) -> bool:
        return all(
            index == giver or index is None or self._zone[index] != zone
            for index in self._copies[number]
        )

    def _move(self, entry: _Entry, giver: int, taker: int) -> None:
        copies = self._copies[entry[2]]
        copies[copies.index(giver)] = taker
        entries = self._entries[giver]
        del entries[bisect_right(entries, entry) - 1]
        insort(self._entries[taker], entry)
        self._held[giver] -= entry[0]
        self._held[taker] += entry[0]


class _Emptiest:
    """The emptiest node of every zone, the emptiest zone first; told when a node changed."""

    def __init__(self, zone: Sequence[int], fullness: Callable[[int], float]) -> None:
        self._zone = zone
        self._fullness = fullness
        self._nodes: list[list[tuple[float, int]]] = [[] for _ in set(zone)]
        for index, each in enumerate(zone):
            self._nodes[each].append((fullness(index), index))
        for nodes in self._nodes:
            nodes.sort()
        self._zones = sorted((*nodes[0], each) for each, nodes in enumerate(self._nodes))

    def changed(self, index: int) -> None:
        """A node holds more or less than before."""
        heappush(self._nodes[self._zone[index]], (self._fullness(index), index))
        self._renew(self._zone[index])

    def _renew(self, zone: int) -> None:
        nodes = self._nodes[zone]
        while nodes[0][0] != self._fullness(nodes[0][1]):
            heappop(nodes)  # an old entry: every node's present one is in the heap too
        heappush(self._zones, (*nodes[0], zone))

    def nodes(self) -> Generator[int, None, None]:
        """The emptiest node of each zone in turn; must be closed before anything changes."""
        passed: list[tuple[float, int, int]] = []
        seen: set[int] = set()
        try:
            while self._zones:
                entry = heappop(self._zones)
                if entry[2] in seen or entry[:2] != self._nodes[entry[2]][0]:
                    continue
                seen.add(entry[2])
                passed.append(entry)
                yield entry[1]
        finally:
            for entry in passed:
                heappush(self._zones, entry)
