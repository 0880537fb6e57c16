"""Which node holds which: the copies of every partition, the first placement, and how even it is.

Invariants of a placement of a cluster:
1. Every partition has exactly as many copies as the cluster has replicas.
2. No two copies of a partition share a node or a zone.
3. Equal clusters are placed equally: nothing depends on time, chance or the order of a set.

Deliberately absent: leaders. The first copy named is no more than the first.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate

from docstore.partitioning import TOKENS, token_of
from docstore.rebalancing.cluster import By, Cluster, costs_of, shares_of
from docstore.rebalancing.leveling import level

Placement = Mapping[int, tuple[str, ...]]
"""The names of the nodes that hold each partition's copies, by the partition's number."""

_FIRST_TOLERANCE = 0.002
"""Moving costs nothing before there is data, so the first placement is levelled finely."""


def place(cluster: Cluster, by: By = "bytes") -> dict[int, tuple[str, ...]]:
    """The first placement: every copy drawn by the shares of the nodes, then levelled.

    Draws, not rounds, because a node's partitions then have their other copies all over the
    cluster: when it fails, everybody lends a hand and nobody is crushed.
    """
    shares = shares_of(cluster)
    names = [node.name for node in cluster.nodes]
    ends = list(accumulate(shares[name] for name in names))
    places = [node.place for node in cluster.nodes]
    drawn: dict[int, tuple[str, ...]] = {}
    for partition in cluster.partitions:
        chosen: dict[tuple[bool, str], str] = {}
        # A zone's share is at most 1/replicas, so a draw finds a new zone at least once in
        # `replicas` times on average, whatever is already taken.
        for point in _points(partition.number):
            index = min(bisect_right(ends, point * ends[-1]), len(names) - 1)
            chosen.setdefault(places[index], names[index])
            if len(chosen) == cluster.replicas:
                break
        drawn[partition.number] = tuple(chosen.values())
    return level(cluster, drawn, costs_of(cluster, by), shares, tolerance=_FIRST_TOLERANCE)


def _points(number: int) -> Iterator[float]:
    """Points of [0, 1), evenly spread and always the same for one partition."""
    attempt = 0
    while True:
        yield token_of(b"%d/%d" % (number, attempt)) / TOKENS
        attempt += 1


def held_by(cluster: Cluster, placement: Placement, costs: Mapping[int, float]) -> dict[str, float]:
    """What each of the cluster's nodes holds; copies on other nodes are not counted."""
    held = dict.fromkeys((node.name for node in cluster.nodes), 0.0)
    for partition in cluster.partitions:
        cost = costs[partition.number]
        for name in placement[partition.number]:
            if name in held:
                held[name] += cost
    return held


def imbalance_of(cluster: Cluster, placement: Placement, by: By = "bytes") -> float:
    """How far the fullest node is over its share of what is held: 0.1 is 10%, 0 is perfect."""
    shares = shares_of(cluster)
    held = held_by(cluster, placement, costs_of(cluster, by))
    total = sum(held.values())
    if not total:
        return 0.0
    # A zone of the least weight can be left a share of nothing when the others are full.
    ratios = [amount / total / shares[name] for name, amount in held.items() if shares[name] > 1e-9]
    return max(0.0, *ratios) - 1.0


def fault_of(cluster: Cluster, placement: Placement) -> str | None:
    """What breaks an invariant of a placement, in words; None when nothing does."""
    if placement.keys() != {partition.number for partition in cluster.partitions}:
        return "partitions are missing or unknown"
    for number, names in placement.items():
        if len(names) != cluster.replicas:
            return f"partition {number} has {len(names)} copies, not {cluster.replicas}"
        if any(name not in cluster.by_name for name in names):
            return f"partition {number} is on a node that does not exist"
        if len({cluster.by_name[name].place for name in names}) != len(names):
            return f"two copies of partition {number} share a node or a zone"
    return None
