"""The simulator: a cluster that is only described, led through events by several strategies.

Nothing here has data: a thousand nodes and a hundred thousand partitions take seconds. Equal
descriptions give equal results; unevenness comes from a hash, not from chance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from docstore.partitioning import TOKENS, token_of
from docstore.rebalancing.cluster import (
    BYTES_MAX,
    NODES_MAX,
    PARTITIONS_MAX,
    By,
    Cluster,
    Node,
    SizedPartition,
    is_whole,
)
from docstore.rebalancing.events import Event
from docstore.rebalancing.placement import Placement
from docstore.rebalancing.plan import Plan, plan
from docstore.rebalancing.strategies import (
    Dynamic,
    Fixed,
    HashModN,
    PerNode,
    Strategy,
    first_placement,
    recut,
)
from indexing.errors import InvalidCluster

SPREAD_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """One event with the plan of every strategy, in the order they were asked for."""

    event: Event
    plans: tuple[Plan, ...]


def described(
    nodes: int = 10,
    partitions: int = 1_000,
    *,
    replicas: int = 1,
    zones: int = 0,
    weights: Sequence[float] = (1.0,),
    bytes_total: int = 10**12,
    load_total: float = 100_000.0,
    spread: float = 0.0,
) -> Cluster:
    """A cluster of `node-1`… in `zone-1`…, taking zones and weights in turn.

    `bytes_total` are of one copy. `spread` is the sigma of the log-normal sizes: 0 makes equal
    partitions, 1 some that are ten times the others. Load is spread apart from size, likewise.
    Raises InvalidCluster.
    """
    _check_count("nodes", nodes, 1, NODES_MAX)
    _check_count("partitions", partitions, 1, PARTITIONS_MAX)
    _check_count("zones", zones, 0, nodes)
    _check_count("bytes", bytes_total, 0, BYTES_MAX)
    if not weights:
        raise InvalidCluster("there are no weights", hint="give one, like 1, or several in turn")
    if not _is_amount(spread, SPREAD_MAX):
        raise InvalidCluster(
            f"the spread is {spread!r}", hint=f"choose a number from 0 to {SPREAD_MAX:g}"
        )
    if not _is_amount(load_total, 1e15):
        raise InvalidCluster(
            f"the load is {load_total!r}", hint="give requests per second, from 0 to 1e15"
        )
    sizes = _shares(b"size", partitions, spread)
    loads = _shares(b"load", partitions, spread)
    bounds = [round(bytes_total * share) for share in _sums(sizes)]
    return Cluster(
        tuple(
            Node(
                f"node-{number + 1}",
                weights[number % len(weights)],
                f"zone-{number % zones + 1}" if zones else None,
            )
            for number in range(nodes)
        ),
        tuple(
            SizedPartition(number, bounds[number + 1] - bounds[number], load_total * loads[number])
            for number in range(partitions)
        ),
        replicas,
    )


def default_strategies(cluster: Cluster) -> tuple[Strategy, ...]:
    """All four, set so that each begins with about the partitions of the cluster."""
    mean = sum(part.bytes for part in cluster.partitions) // len(cluster.partitions)
    return (
        Fixed(),
        Dynamic(max(2, 2 * mean), mean // 2),
        PerNode(max(1, len(cluster.partitions) // len(cluster.nodes))),
        HashModN(),
    )


def simulate(
    cluster: Cluster,
    events: Sequence[Event],
    strategies: Sequence[Strategy] = (),
    by: By = "bytes",
) -> tuple[Step, ...]:
    """Lead the cluster through the events; every strategy goes on from its own plan before.

    Without strategies, all. A strategy first cuts the partitions as it likes them, then places
    them. Raises InvalidCluster on the first event that cannot happen.
    """
    chosen = tuple(strategies) or default_strategies(cluster)
    states: list[tuple[Cluster, Placement]] = []
    uncut: dict[bool, Placement] = {}  # strategies that cut nothing begin alike, but for mod N
    for strategy in chosen:
        cut = recut(strategy, cluster).cluster
        key = isinstance(strategy, HashModN)
        if cut is not cluster:
            states.append((cut, first_placement(strategy, cut, by)))
            continue
        if key not in uncut:
            uncut[key] = first_placement(strategy, cut, by)
        states.append((cut, uncut[key]))
    steps = []
    for event in events:
        plans = tuple(
            plan(strategy, *state, event, by)
            for strategy, state in zip(chosen, states, strict=True)
        )
        states = [(made.cluster, made.after) for made in plans]
        steps.append(Step(event, plans))
    return tuple(steps)


def mod_n_moved(before: int, after: int) -> float:
    """The share of keys that hash mod N moves between two numbers of nodes, if nodes are only
    added or removed at the end: all but min / lcm of them, 10/11 from 10 nodes to 11.
    """
    _check_count("nodes", min(before, after), 1, NODES_MAX)
    return 1 - min(before, after) / math.lcm(before, after)


def _shares(what: bytes, count: int, spread: float) -> list[float]:
    """Shares that sum to 1, log-normal; equal for a spread of 0."""
    if not spread:
        return [1.0 / count] * count
    normal = NormalDist()
    amounts = [
        math.exp(spread * normal.inv_cdf((token_of(b"%s %d" % (what, n)) + 0.5) / TOKENS))
        for n in range(count)
    ]
    total = math.fsum(amounts)
    return [amount / total for amount in amounts]


def _sums(shares: list[float]) -> list[float]:
    sums = [0.0]
    for share in shares:
        sums.append(sums[-1] + share)
    return [each / sums[-1] for each in sums]


def _check_count(what: str, count: object, least: int, most: int) -> None:
    if not is_whole(count) or not least <= count <= most:  # type: ignore[operator]  # is whole
        raise InvalidCluster(
            f"the number of {what} is {count!r}",
            hint=f"choose a whole number from {least} to {most:,}",
            **{f"{what}_max": most},
        )


def _is_amount(value: object, most: float) -> bool:
    # NaN is in no range.
    return (is_whole(value) or isinstance(value, float)) and 0 <= value <= most  # type: ignore[operator]  # a number
