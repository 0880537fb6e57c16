"""Clusters for the planner's tests, as hypothesis strategies."""

from hypothesis import strategies as st

from docstore.rebalancing import (
    Cluster,
    Dynamic,
    Event,
    Fail,
    Fixed,
    Grow,
    HashModN,
    Join,
    Leave,
    Node,
    PerNode,
    SizedPartition,
    Slow,
    Strategy,
)

STRATEGIES: tuple[Strategy, ...] = (Fixed(), Dynamic(4_000, 500), PerNode(8), HashModN())


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    """Few nodes, weights and zones of all kinds, sizes from nothing to ten times the others."""
    zones = draw(st.one_of(st.none(), st.integers(1, 5)))
    count = draw(st.integers(max(2, zones or 1), 9))
    weights = draw(st.lists(st.sampled_from([0.5, 1.0, 2.0, 4.0]), min_size=count, max_size=count))
    nodes = tuple(
        Node(f"n{index}", weight, f"z{index % zones}" if zones else None)
        for index, weight in enumerate(weights)
    )
    partitions = draw(
        st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1_000)), min_size=1, max_size=60)
    )
    replicas = draw(st.integers(1, min(3, zones or count)))
    return Cluster(
        nodes,
        tuple(SizedPartition(index, *each) for index, each in enumerate(partitions)),
        replicas,
    )


@st.composite
def events(draw: st.DrawFn, cluster: Cluster) -> Event:
    """An event that can happen to the cluster, unless too few zones would be left."""
    name = draw(st.sampled_from([node.name for node in cluster.nodes]))
    zone = draw(st.sampled_from([node.zone for node in cluster.nodes]))
    new = Node("new", draw(st.sampled_from([0.5, 1.0, 3.0])), zone)
    factor = draw(st.sampled_from([0.1, 0.5, 2.0, 10.0]))
    possible: list[Event] = [Join(new), Leave(name), Fail(name), Slow(name), Grow(factor)]
    return draw(st.sampled_from(possible))
