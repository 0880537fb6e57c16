"""Strategies: how many partitions there are, and so what is split, merged and moved.

- `Fixed`: many more partitions than nodes from the start; whole ones move, none is ever cut.
- `Dynamic`: a partition is split above a size, two neighbours are merged below one.
- `PerNode`: so many partitions per node; who joins has the largest ones split for it.
- `HashModN`: hash modulo the number of nodes, for comparison only: it shows why nobody should.

The first three move by the same levelling, after cutting in place. A cut moves nothing by itself.
Invariant: partitions keep their order, and their bytes in sum.
"""

from dataclasses import dataclass
from typing import ClassVar

from docstore.partitioning import token_of
from docstore.rebalancing.cluster import (
    BYTES_MAX,
    PARTITIONS_MAX,
    By,
    Cluster,
    costs_of,
    is_whole,
    shares_of,
)
from docstore.rebalancing.cutting import Cut, Recut
from docstore.rebalancing.leveling import level
from docstore.rebalancing.placement import Placement, place
from indexing.errors import InvalidCluster

MERGE_ABOVE = 1.5
"""`PerNode` merges only when there are half again as many partitions as there should be:
neighbours rarely live on the same nodes, so a merge moves data that was well where it was."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The partitions there are, for ever."""

    name: ClassVar[str] = "fixed"


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Splits a partition above `split_bytes`, merges two neighbours that are together below
    `merge_bytes`, which is at most half of it: a merge must not be followed by a split.
    """

    split_bytes: int
    merge_bytes: int = 0
    name: ClassVar[str] = "dynamic"

    def __post_init__(self) -> None:
        sizes = (self.split_bytes, self.merge_bytes)
        if not all(map(is_whole, sizes)) or not 2 <= self.split_bytes <= BYTES_MAX:
            raise InvalidCluster(
                "the sizes at which partitions are split and merged are not whole numbers of bytes",
                hint="for example split_bytes=1_000_000_000, merge_bytes=250_000_000",
            )
        if not 0 <= self.merge_bytes <= self.split_bytes // 2:
            raise InvalidCluster(
                "merge_bytes is negative or more than half of split_bytes",
                hint="with more than half, a partition merged now would be split again soon",
            )


@dataclass(frozen=True, slots=True)
class PerNode:
    """`each` partitions for every node."""

    each: int
    name: ClassVar[str] = "per-node"

    def __post_init__(self) -> None:
        if not is_whole(self.each) or not 1 <= self.each <= PARTITIONS_MAX:
            raise InvalidCluster(
                f"{self.each!r} partitions per node",
                hint=f"choose a whole number from 1 to {PARTITIONS_MAX}",
            )


@dataclass(frozen=True, slots=True)
class HashModN:
    """A key's node is its hash modulo the number of nodes. Weights cannot be respected."""

    name: ClassVar[str] = "hash mod N"


Strategy = Fixed | Dynamic | PerNode | HashModN


def first_placement(strategy: Strategy, cluster: Cluster, by: By = "bytes") -> Placement:
    """Where a new cluster's copies go."""
    return _modulo(cluster) if isinstance(strategy, HashModN) else place(cluster, by)


def recut(strategy: Strategy, cluster: Cluster) -> Recut:
    """Split and merge as the strategy wants it for the nodes and sizes there are now."""
    match strategy:
        case Dynamic(split_bytes, merge_bytes):
            cut = Cut(cluster)
            cut.merge_while(lambda size, _: size < merge_bytes)
            cut.split_while(lambda size, _: size > split_bytes)
            return cut.done()
        case PerNode(each):
            target = min(each * len(cluster.nodes), PARTITIONS_MAX)
            cut = Cut(cluster)
            cut.split_while(lambda _, count: count < target)
            if len(cluster.partitions) > MERGE_ABOVE * target:
                cut.merge_while(lambda _, count: count > target)
            return cut.done()
    return Recut(cluster, {})


def target_of(
    strategy: Strategy, cluster: Cluster, inherited: Placement, by: By = "bytes"
) -> Placement:
    """Where the copies should be, given where they are."""
    if isinstance(strategy, HashModN):
        return _modulo(cluster)
    return level(cluster, inherited, costs_of(cluster, by), shares_of(cluster))


def _modulo(cluster: Cluster) -> Placement:
    """The first copy on node hash mod N, the others on the next nodes in other zones."""
    nodes = cluster.nodes
    placement = {}
    for partition in cluster.partitions:
        first = token_of(b"%d" % partition.number) % len(nodes)
        chosen: dict[tuple[bool, str], str] = {}
        for step in range(len(nodes)):
            node = nodes[(first + step) % len(nodes)]
            chosen.setdefault(node.place, node.name)
            if len(chosen) == cluster.replicas:
                break
        placement[partition.number] = tuple(chosen.values())
    return placement
