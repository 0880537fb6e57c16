"""A cluster as the planner sees it: nodes with weights and zones, partitions with sizes and load.

Invariants:
1. Names of nodes and numbers of partitions are unique; partitions stand in the order of their
   space, so neighbours here are neighbours there.
2. There are at least as many zones as replicas: a placement without two copies in one zone exists.
3. Every value is finite, and weights differ by at most a factor of a million, so sums stay exact
   enough to compare.

Deliberately absent: where a partition lives (`placement`), and bytes of real data.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from indexing.errors import InvalidCluster

NODES_MAX = 10_000
"""More nodes than any cluster of this kind has; beyond it a plan takes minutes."""
PARTITIONS_MAX = 200_000
"""Twice what a plan is promised to take seconds for."""
REPLICAS_MAX = 7
WEIGHT_MIN = 0.001
WEIGHT_MAX = 1_000.0
BYTES_MAX = 2**63 - 1
"""Of one partition, and of all together times the replicas, so sums fit the JSON they end in."""

By = Literal["bytes", "load", "both"]
"""What is levelled: bytes, requests per second, or the mean of a partition's two shares."""


@dataclass(frozen=True, slots=True)
class Node:
    """A process that holds shards: twice the `weight` is twice the capacity.

    Nodes of one `zone` fail together; without one, a node is a zone of its own.
    """

    name: str
    weight: float = 1.0
    zone: str | None = None

    @property
    def place(self) -> tuple[bool, str]:
        """What two replicas must never share; a zone never equals another node's name."""
        return (False, self.name) if self.zone is None else (True, self.zone)


@dataclass(frozen=True, slots=True)
class SizedPartition:
    """A partition's number, its bytes in one copy, and the requests per second for all copies."""

    number: int
    bytes: int
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes, partitions in order, and how many copies of each partition there must be.

    Raises InvalidCluster, naming what is at fault, unless the invariants above hold.
    """

    nodes: tuple[Node, ...]
    partitions: tuple[SizedPartition, ...]
    replicas: int = 1
    by_name: Mapping[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        object.__setattr__(self, "partitions", tuple(self.partitions))
        _check_nodes(self.nodes)
        object.__setattr__(self, "by_name", {node.name: node for node in self.nodes})
        _check_replicas(self.nodes, self.replicas)
        _check_partitions(self.partitions, self.replicas)

    @property
    def bytes_total(self) -> int:
        """Bytes of all copies of all partitions."""
        return sum(partition.bytes for partition in self.partitions) * self.replicas

    def node(self, name: str) -> Node:
        """The node of that name; raises InvalidCluster naming some there are."""
        found = self.by_name.get(name) if isinstance(name, str) else None
        if found is None:
            some = ", ".join(node.name for node in self.nodes[:5])
            more = ", …" if len(self.nodes) > 5 else ""
            raise InvalidCluster(
                f"there is no node {name!r}", hint=f"the nodes are {some}{more}", node=str(name)
            )
        return found


def shares_of(cluster: Cluster) -> dict[str, float]:
    """The share of all copies that each node should hold; they sum to 1.

    Proportional to the weights, but for zones that would need two copies of a partition: those get
    one copy of everything, 1/replicas, and the others divide the rest by weight.
    """
    weights: dict[tuple[bool, str], float] = defaultdict(float)
    for node in cluster.nodes:
        weights[node.place] += node.weight
    left_share, left_weight = 1.0, math.fsum(weights.values())
    most = 1.0 / cluster.replicas
    full: dict[tuple[bool, str], float] = {}
    for place, weight in sorted(weights.items(), key=lambda each: (-each[1], each[0])):
        if left_share * weight <= most * left_weight * (1 + 1e-12):
            break
        full[place] = most
        left_share -= most
        left_weight -= weight
    return {
        node.name: (
            full[node.place] * node.weight / weights[node.place]
            if node.place in full
            else max(left_share, 0.0) * node.weight / left_weight
        )
        for node in cluster.nodes
    }


def costs_of(cluster: Cluster, by: By) -> dict[int, float]:
    """What one copy of each partition adds to a node; all copies together sum to 1.

    When nothing weighs anything, all partitions weigh the same.
    """
    sizes = _shared({part.number: float(part.bytes) for part in cluster.partitions})
    loads = _shared({part.number: part.load for part in cluster.partitions})
    if by == "bytes":
        chosen = sizes
    elif by == "load":
        chosen = loads
    elif by == "both":
        chosen = {number: (size + loads[number]) / 2 for number, size in sizes.items()}
    else:
        raise InvalidCluster(
            f"cannot level by {by!r}", hint="choose bytes, load or both", by=str(by)
        )
    return {number: cost / cluster.replicas for number, cost in chosen.items()}


def _shared(amounts: dict[int, float]) -> dict[int, float]:
    total = math.fsum(amounts.values())
    if not total:
        return dict.fromkeys(amounts, 1.0 / len(amounts))
    return {number: amount / total for number, amount in amounts.items()}


def _check_nodes(nodes: tuple[Node, ...]) -> None:
    if not nodes:
        raise InvalidCluster("there are no nodes", hint="give at least one node")
    if len(nodes) > NODES_MAX:
        raise _too_many("nodes", len(nodes), NODES_MAX)
    seen: set[str] = set()
    for node in nodes:
        if not isinstance(node, Node) or not isinstance(node.name, str) or not node.name:
            raise InvalidCluster("a node has no name", hint="give every node a name of its own")
        if node.name in seen:
            raise InvalidCluster(
                f"two nodes are called {node.name}",
                hint="give every node a name of its own",
                node=node.name,
            )
        seen.add(node.name)
        if not _is_number(node.weight) or not WEIGHT_MIN <= node.weight <= WEIGHT_MAX:
            raise InvalidCluster(
                f"the weight of {node.name} is {node.weight!r}",
                hint=f"a weight is a number from {WEIGHT_MIN} to {WEIGHT_MAX:g}; "
                "1 is an ordinary node, 2 one with twice the capacity",
                node=node.name,
            )
        if node.zone is not None and (not isinstance(node.zone, str) or not node.zone):
            raise InvalidCluster(
                f"the zone of {node.name} has no name", hint="name it, or give None for no zone"
            )


def _check_replicas(nodes: tuple[Node, ...], replicas: Any) -> None:
    if not is_whole(replicas) or not 1 <= replicas <= REPLICAS_MAX:
        raise InvalidCluster(
            f"the number of replicas is {replicas!r}",
            hint=f"choose a whole number from 1 to {REPLICAS_MAX}",
            replicas_max=REPLICAS_MAX,
        )
    zones = len({node.place for node in nodes})
    if replicas > zones:
        raise InvalidCluster(
            f"{replicas} replicas cannot stay apart in {zones} zone{'s' * (zones != 1)}",
            hint="copies never share a node or a zone: add nodes in other zones, "
            f"or ask for at most {zones}",
            replicas=replicas,
            zones=zones,
        )


def _check_partitions(partitions: tuple[SizedPartition, ...], replicas: int) -> None:
    if not partitions:
        raise InvalidCluster("there are no partitions", hint="give at least one partition")
    if len(partitions) > PARTITIONS_MAX:
        raise _too_many("partitions", len(partitions), PARTITIONS_MAX)
    seen: set[int] = set()
    for partition in partitions:
        if not isinstance(partition, SizedPartition):
            raise InvalidCluster(
                f"{partition!r} is no partition", hint="give SizedPartition(number, bytes, load)"
            )
        number, size, load = partition.number, partition.bytes, partition.load
        if not is_whole(number) or number < 0 or number in seen:
            raise InvalidCluster(
                f"partition number {number!r} is not a whole number from 0, or used twice",
                hint="give every partition a number of its own",
            )
        seen.add(number)
        if not is_whole(size) or not 0 <= size <= BYTES_MAX:
            raise InvalidCluster(
                f"partition {number} holds {size!r} bytes",
                hint=f"bytes are a whole number from 0 to {BYTES_MAX}",
                partition=number,
            )
        if not _is_number(load) or not 0 <= load <= 1e15:
            raise InvalidCluster(
                f"the load of partition {number} is {load!r}",
                hint="load is a number of requests per second from 0 to 1e15",
                partition=number,
            )
    if sum(partition.bytes for partition in partitions) * replicas > BYTES_MAX:
        raise InvalidCluster(
            "all copies together exceed 2^63 bytes", hint="give fewer or smaller partitions"
        )


def _too_many(what: str, count: int, most: int) -> InvalidCluster:
    return InvalidCluster(
        f"{count:,} {what} are more than can be planned for",
        hint=f"plan with at most {most:,}; a plan for fewer, larger {what} shows the same",
        **{f"{what}_max": most},
    )


def is_whole(value: object) -> bool:
    """Is it an integer? True and False are not, whatever Python says."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))
