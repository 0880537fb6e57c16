"""The cascading failure, told second by second: one node in trouble, and what a policy makes of it.

Every node has a queue. It works off `capacity` requests a second, less what transfers take. When a
queue is longer than TIMEOUT its answers are late; when it is longer than QUEUE, requests fail. The
copies of a partition that answer share its load; new copies serve when they are complete.

Deliberately absent: retries and clients that give up, both of which would make a cascade worse.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from docstore.rebalancing.cluster import Cluster, is_whole
from docstore.rebalancing.events import Fail
from docstore.rebalancing.placement import Placement, place
from docstore.rebalancing.plan import Move, plan
from docstore.rebalancing.policy import Health, Memory, Policy, decide
from docstore.rebalancing.simulate import described
from docstore.rebalancing.strategies import Fixed
from indexing.errors import InvalidCluster

BUSY = 0.68
"""The share of its capacity that a node works when all is well: what operators run at."""
TIMEOUT = 2.0
"""Seconds of work queued at a node from which on its answers are late."""
QUEUE = 5.0
"""Seconds of work a queue holds; what does not fit fails."""
SECONDS_MAX = 3_600
NODES_TOLD_MAX = 100
"""A story is watched by a person: more nodes would be told in too many lines."""

State = Literal["serving", "late", "silent", "given up"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """From second `start` to `end` a node has only this share of its capacity; 0: it is dead."""

    name: str
    start: int
    end: int
    capacity: float


@dataclass(frozen=True, slots=True)
class Story:
    """What happened: the state of every node in every second, and the sums."""

    policy: Policy
    trouble: Trouble
    nodes: tuple[str, ...]
    states: tuple[tuple[State, ...], ...]
    failed: tuple[float, ...]
    given_up: tuple[tuple[int, str], ...]
    bytes_moved: int

    @property
    def failed_share(self) -> float:
        """The share of all requests that failed."""
        return sum(self.failed) / len(self.failed)

    @property
    def is_cascade(self) -> bool:
        """Were nodes given up besides the one in trouble?"""
        return len(self.given_up) > 1


def example_cluster() -> Cluster:
    """Twelve nodes in three zones, three copies of 240 partitions of 1 GB, 10,000 requests/s."""
    return described(12, 240, replicas=3, zones=3, bytes_total=240 * 10**9, load_total=10_000.0)


def tell(
    cluster: Cluster,
    policy: Policy,
    trouble: Trouble,
    *,
    seconds: int = 600,
    busy: float = BUSY,
    bytes_per_second: float = 500e6,
) -> Story:
    """The story of a cluster whose nodes are `busy` (a share of their capacity) when all is well.

    `bytes_per_second` is what a node could transfer if it did nothing else. Raises InvalidCluster.
    """
    cluster.node(trouble.name)
    if len(cluster.nodes) > NODES_TOLD_MAX:
        raise InvalidCluster(
            f"a story of {len(cluster.nodes):,} nodes", hint=f"tell it of {NODES_TOLD_MAX} at most"
        )
    if not is_whole(seconds) or not 1 <= seconds <= SECONDS_MAX:
        raise InvalidCluster(
            f"a story of {seconds!r} seconds", hint=f"choose a whole number up to {SECONDS_MAX:,}"
        )
    if not 0 < busy < 1 or not 0 <= trouble.capacity <= 1 or not 0 < bytes_per_second < 1e15:
        raise InvalidCluster(
            "a share or a speed is out of range",
            hint="busy lies between 0 and 1, capacity from 0 to 1, bytes_per_second above 0",
        )
    if not sum(part.load for part in cluster.partitions):
        raise InvalidCluster(
            "a story without any load", hint="give the partitions requests per second"
        )
    world = _World(cluster, place(cluster), busy, bytes_per_second * policy.transfer_share_max)
    memory = Memory()
    states, failed = [], []
    given_up: list[tuple[int, str]] = []
    for second in range(seconds):
        is_troubled = trouble.start <= second < trouble.end
        world.slowed = {trouble.name: trouble.capacity} if is_troubled else {}
        failed.append(world.serve(bytes_per_second))
        memory, decision = decide(
            policy, memory, float(second), world.seen(), is_moving=bool(world.pending)
        )
        for name in decision.nodes if not decision.needs_person else ():
            world.give_up(name)
            given_up.append((second, name))
        states.append(world.states())
    names = tuple(node.name for node in cluster.nodes)
    return Story(
        policy, trouble, names, tuple(states), tuple(failed), tuple(given_up), world.bytes_moved
    )


@dataclass(slots=True)
class _Transfer:
    move: Move
    left: float


@dataclass
class _World:
    """Queues, copies that serve, and transfers under way."""

    cluster: Cluster
    placement: Placement
    busy: float
    speed: float
    """Bytes per second a node may send, and as many receive."""
    slowed: dict[str, float] = field(default_factory=dict)
    pending: list[_Transfer] = field(default_factory=list)
    bytes_moved: int = 0

    def __post_init__(self) -> None:
        self._all = tuple(node.name for node in self.cluster.nodes)
        self._serving = {number: set(names) for number, names in self.placement.items()}
        self._loads = {part.number: part.load for part in self.cluster.partitions}
        self._load = sum(self._loads.values())
        per_weight = self._load / self.busy / sum(node.weight for node in self.cluster.nodes)
        self._capacity = {node.name: node.weight * per_weight for node in self.cluster.nodes}
        self._queue = dict.fromkeys(self._all, 0.0)
        self._given_up: set[str] = set()

    def serve(self, bytes_per_second: float) -> float:
        """One second of work; the share of requests that failed."""
        demand, failed = self._demand()
        transferred = self._transfer()
        for name in self._all:
            if name in self._given_up:
                continue
            capacity = self._capacity[name]
            # A transfer costs what it takes of the node, its disk and its network alike.
            free = self.slowed.get(name, 1.0) - transferred[name] / bytes_per_second
            queue = max(0.0, self._queue[name] + demand.get(name, 0.0) - capacity * max(0.0, free))
            bound = QUEUE * capacity
            failed += max(0.0, queue - bound)
            self._queue[name] = min(queue, bound)
        return failed / self._load

    def _demand(self) -> tuple[Mapping[str, float], float]:
        demand: defaultdict[str, float] = defaultdict(float)
        nowhere = 0.0
        silent = {name for name, capacity in self.slowed.items() if capacity == 0}
        for number, copies in self._serving.items():
            names = copies - silent
            if not names:
                nowhere += self._loads[number]
            for name in names:
                demand[name] += self._loads[number] / len(names)
        return demand, nowhere

    def _transfer(self) -> Mapping[str, float]:
        """Move on what is being copied; the bytes each node sent and received."""
        sent: defaultdict[str, float] = defaultdict(float)
        received: defaultdict[str, float] = defaultdict(float)
        for each in self.pending:
            move = each.move
            sources = self._serving[move.partition]
            source = move.source if move.source in sources else min(sources, default=None)
            if source is None:
                continue  # no copy is left to read
            step = min(each.left, self.speed - sent[source], self.speed - received[move.target])
            each.left -= step
            sent[source] += step
            received[move.target] += step
            if each.left <= 0:
                sources.add(move.target)
                self.bytes_moved += move.bytes
        self.pending = [each for each in self.pending if each.left > 0]
        return {name: sent[name] + received[name] for name in self._all}

    def give_up(self, name: str) -> None:
        """Take a node for dead: its copies serve no more and are made anew elsewhere."""
        self._given_up.add(name)
        for names in self._serving.values():
            names.discard(name)
        self.pending = [each for each in self.pending if each.move.target != name]
        try:
            made = plan(Fixed(), self.cluster, self.placement, Fail(name))
        except InvalidCluster:
            return  # too few zones are left for all copies: the rest goes on with what it has
        self.cluster, self.placement = made.cluster, made.after
        self.pending += [_Transfer(move, float(move.bytes)) for move in made.moves]

    def seen(self) -> dict[str, Health]:
        """What a watcher sees of the nodes that are not given up."""
        return {name: self._health(name) for name in self._all if name not in self._given_up}

    def _health(self, name: str) -> Health:
        if self.slowed.get(name) == 0:
            return "silent"
        return "late" if self._queue[name] > TIMEOUT * self._capacity[name] else "answers"

    def states(self) -> tuple[State, ...]:
        """The state of every node, as a person would name it."""
        named: dict[Health, State] = {"answers": "serving", "late": "late", "silent": "silent"}
        return tuple(
            "given up" if name in self._given_up else named[self._health(name)]
            for name in self._all
        )
