"""What happens to a cluster: a node joins, leaves, fails or is slow; the data grows.

An event changes who there is and how much there is, never where anything lies. Deliberately absent:
the answer to it, which is a strategy's and a policy's business.
"""

from dataclasses import dataclass, replace

from docstore.rebalancing.cluster import Cluster, Node, is_whole
from indexing.errors import InvalidCluster

GROWTH_MAX = 1_000.0


@dataclass(frozen=True, slots=True)
class Join:
    """A new, empty node."""

    node: Node

    def __str__(self) -> str:
        return f"{self.node.name} joins"


@dataclass(frozen=True, slots=True)
class Leave:
    """A node is taken out of service in order: its copies can still be read."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} leaves"


@dataclass(frozen=True, slots=True)
class Fail:
    """A node is gone, and its copies with it."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} fails"


@dataclass(frozen=True, slots=True)
class Slow:
    """A node answers late. It is not dead: nothing is moved."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is slow"


@dataclass(frozen=True, slots=True)
class Grow:
    """Every partition holds and serves `factor` times as much."""

    factor: float

    def __str__(self) -> str:
        return f"the data grows {self.factor:g}-fold"


Event = Join | Leave | Fail | Slow | Grow


def after(cluster: Cluster, event: Event) -> Cluster:
    """The cluster once the event has happened; raises InvalidCluster if it cannot happen."""
    match event:
        case Join(node):
            if isinstance(node, Node) and node.name in cluster.by_name:
                raise InvalidCluster(
                    f"{node.name} is in the cluster already",
                    hint="give the new node a name of its own",
                    node=node.name,
                )
            return replace(cluster, nodes=(*cluster.nodes, node))
        case Leave(name) | Fail(name):
            gone = cluster.node(name)
            return replace(cluster, nodes=tuple(n for n in cluster.nodes if n != gone))
        case Slow(name):
            cluster.node(name)
            return cluster
        case Grow(factor):
            return _grown(cluster, factor)


def _grown(cluster: Cluster, factor: float) -> Cluster:
    is_number = is_whole(factor) or isinstance(factor, float)
    if not is_number or not 1 / GROWTH_MAX <= factor <= GROWTH_MAX:
        raise InvalidCluster(
            f"data cannot grow by the factor {factor!r}",
            hint=f"give a number from {1 / GROWTH_MAX:g} to {GROWTH_MAX:g}; 2 doubles the data",
        )
    grown = (
        replace(part, bytes=round(part.bytes * factor), load=part.load * factor)
        for part in cluster.partitions
    )
    return replace(cluster, partitions=tuple(grown))
