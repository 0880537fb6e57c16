"""A plan: what an event asks to be moved, by which strategy, and what that costs.

Invariants:
1. Carried out move by move, a plan leads from the placement before to the one after; in between no
   partition has fewer copies than it started with, and none shares a node or a zone.
2. A plan moves only what it says: bytes, moves and flows are counted from the same list.

A plan is shown without being carried out (what if); `carried_out` is pure as well.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from docstore.rebalancing.cluster import By, Cluster, SizedPartition, shares_of
from docstore.rebalancing.cutting import Recut
from docstore.rebalancing.events import Event, Leave, Slow, after
from docstore.rebalancing.placement import Placement, fault_of, imbalance_of
from docstore.rebalancing.strategies import Strategy, recut, target_of
from indexing.errors import InvalidCluster

Reason = Literal["balance", "node gone", "merge"]


@dataclass(frozen=True, slots=True)
class Move:
    """One copy of `partition` is made on `target` from `source`, `bytes` long.

    Then the copy on `replaces` is dropped, if one is named. `source` is None when no copy is left:
    it must come from a backup. A merge brings a part to where the partition is already.
    """

    partition: int
    source: str | None
    target: str
    replaces: str | None
    bytes: int
    reason: Reason


@dataclass(frozen=True)
class Plan:
    """The answer of one strategy to one event, with what it costs.

    Shares are of 1, bytes count all copies. `bytes_min` is what any strategy must move at least
    until every node of the new cluster holds exactly its share. Imbalances are of `by`: before the
    event, after it if nothing moved, and after the plan.
    """

    strategy: Strategy
    event: Event
    by: By
    cluster_before: Cluster = field(repr=False)
    before: Placement = field(repr=False)
    recut: Recut = field(repr=False)
    after: Placement = field(repr=False)
    moves: tuple[Move, ...] = field(repr=False)
    bytes_min: int
    imbalance_before: float
    imbalance_unmoved: float
    imbalance_after: float

    @property
    def cluster(self) -> Cluster:
        """The cluster after the event, with its partitions cut anew."""
        return self.recut.cluster

    @cached_property
    def bytes_moved(self) -> int:
        """The bytes of all moves."""
        return sum(move.bytes for move in self.moves)

    @property
    def fraction_moved(self) -> float:
        """The moved share of all copies."""
        return self.bytes_moved / self.cluster.bytes_total if self.cluster.bytes_total else 0.0

    @property
    def fraction_min(self) -> float:
        """The share that must move at least."""
        return self.bytes_min / self.cluster.bytes_total if self.cluster.bytes_total else 0.0

    @cached_property
    def flows(self) -> Mapping[tuple[str | None, str], int]:
        """Bytes from each node to each, by what they replace: where copies leave and arrive."""
        flows: Counter[tuple[str | None, str]] = Counter()
        for move in self.moves:
            flows[move.replaces or move.source, move.target] += move.bytes
        return flows

    @cached_property
    def received(self) -> Mapping[str, int]:
        """Bytes that arrive at each node."""
        received: Counter[str] = Counter()
        for move in self.moves:
            received[move.target] += move.bytes
        return received

    @cached_property
    def sent(self) -> Mapping[str, int]:
        """Bytes that each node sends."""
        sent: Counter[str] = Counter()
        for move in self.moves:
            if move.source is not None:
                sent[move.source] += move.bytes
        return sent

    @property
    def peak(self) -> tuple[str, int]:
        """The node that sends and receives most together, and how many bytes."""
        if not self.moves:
            return "", 0
        busy = Counter(self.received)
        busy.update(self.sent)
        return min(busy.items(), key=lambda each: (-each[1], each[0]))

    @property
    def lost(self) -> tuple[int, ...]:
        """The partitions of which no copy is left to copy from."""
        return tuple(sorted({move.partition for move in self.moves if move.source is None}))


def plan(
    strategy: Strategy, cluster: Cluster, placement: Placement, event: Event, by: By = "bytes"
) -> Plan:
    """What the strategy would do about an event. Raises InvalidCluster on what cannot be planned.

    `placement` must be one of `cluster`, as `first_placement` or an earlier plan gave it.
    """
    fault = fault_of(cluster, placement)
    if fault:
        raise InvalidCluster(
            f"not a placement of this cluster: {fault}",
            hint="plan from first_placement(strategy, cluster) or from an earlier plan's after",
        )
    changed = after(cluster, event)
    cut = Recut(changed) if isinstance(event, Slow) else recut(strategy, changed)
    inherited = cut.inherited(placement)
    if isinstance(event, Slow):
        target: Placement = inherited
    else:
        target = target_of(strategy, cut.cluster, inherited, by)
    return Plan(
        strategy,
        event,
        by,
        cluster,
        placement,
        cut,
        target,
        tuple(_Copying(cluster, placement, cut, event).moves(inherited, target)),
        _bytes_min(changed, placement),
        imbalance_of(cluster, placement, by),
        imbalance_of(cut.cluster, inherited, by),
        imbalance_of(cut.cluster, target, by),
    )


def carried_out(made: Plan) -> dict[int, tuple[str, ...]]:
    """The placement after a plan's moves, one after the other; raises InvalidCluster if one of
    them would put two copies into one place, which no plan of this module does.
    """
    placement = made.recut.inherited(made.before)
    places = {node.name: node.place for node in made.cluster_before.nodes + made.cluster.nodes}
    for move in made.moves:
        if move.replaces is None:
            continue
        names = placement[move.partition]
        placed = tuple(move.target if name == move.replaces else name for name in names)
        if len({places[name] for name in placed}) != len(names) or placed == names:
            raise InvalidCluster(
                f"the move of partition {move.partition} to {move.target} does not fit",
                hint="make a plan from the placement there is now",
                partition=move.partition,
            )
        placement[move.partition] = placed
    return placement


def _bytes_min(cluster: Cluster, placement: Placement) -> int:
    """What the nodes lack of their shares: at least that much must arrive somewhere."""
    held: Counter[str] = Counter()
    for part in cluster.partitions:
        for name in placement[part.number]:
            held[name] += part.bytes
    total = cluster.bytes_total
    shares = shares_of(cluster)
    return round(sum(max(0.0, share * total - held[name]) for name, share in shares.items()))


class _Copying:
    """Turns a target into moves, spreading what is read over the nodes that can be read."""

    def __init__(self, cluster: Cluster, before: Placement, cut: Recut, event: Event) -> None:
        nodes = (*cluster.nodes, *cut.cluster.nodes)
        self._places = {node.name: node.place for node in nodes}
        self._kept = cut.cluster.by_name.keys()
        # A node that leaves in order can still be read; one that failed cannot.
        self._readable = {*self._kept, *([event.name] if isinstance(event, Leave) else [])}
        self._before = before
        self._cut = cut
        self._sent: Counter[str] = Counter()

    def moves(self, inherited: Placement, target: Placement) -> Iterator[Move]:
        """The moves, partition by partition."""
        for part in self._cut.cluster.partitions:
            old, new = inherited[part.number], target[part.number]
            if old != new or part.number in self._cut.made_of:
                yield from self._moves_of(part, old, new)

    def _moves_of(
        self, part: SizedPartition, old: tuple[str, ...], new: tuple[str, ...]
    ) -> Iterator[Move]:
        sources = self._cut.sources(part)
        main = max(sources, key=lambda source: source[1])
        for source in sources:
            for name in new if source != main else ():
                if name not in self._before[source[0]]:
                    yield self._move(part, source, name, None, "merge")
        for replaces, name in _pairs(old, new, self._places):
            reason: Reason = "balance" if replaces in self._kept else "node gone"
            yield self._move(part, main, name, replaces, reason)

    def _move(
        self,
        part: SizedPartition,
        source: tuple[int, int],
        target: str,
        replaces: str | None,
        reason: Reason,
    ) -> Move:
        number, size = source
        readable = [name for name in self._before[number] if name in self._readable]
        if replaces in readable:
            giver: str | None = replaces
        else:
            giver = min(readable, key=lambda name: (self._sent[name], name), default=None)
        if giver is not None:
            self._sent[giver] += size
        return Move(part.number, giver, target, replaces, size, reason)


def _pairs(
    old: tuple[str, ...], new: tuple[str, ...], places: Mapping[str, tuple[bool, str]]
) -> list[tuple[str, str]]:
    """Which new node replaces which old one: first of the same zone, so that at no step two copies
    share one, then in order.
    """
    leaving = [name for name in old if name not in new]
    coming = [name for name in new if name not in old]
    pairs = []
    for name in list(coming):
        same = next((each for each in leaving if places[each] == places[name]), None)
        if same is not None:
            pairs.append((same, name))
            leaving.remove(same)
            coming.remove(name)
    return pairs + list(zip(leaving, coming, strict=True))
