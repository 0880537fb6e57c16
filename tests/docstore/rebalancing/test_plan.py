"""What a plan promises: whole placements, little movement, even nodes, and no step astray."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from docstore import InvalidCluster
from docstore.rebalancing import (
    Cluster,
    Dynamic,
    Fail,
    Fixed,
    Grow,
    HashModN,
    Join,
    Leave,
    Node,
    PerNode,
    Plan,
    SizedPartition,
    Slow,
    Strategy,
    carried_out,
    described,
    fault_of,
    first_placement,
    imbalance_of,
    mod_n_moved,
    plan,
)
from docstore.rebalancing.strategies import recut
from tests.docstore.rebalancing.clusters import STRATEGIES, clusters, events

EVENLY: tuple[Strategy, ...] = (Fixed(), PerNode(100))
unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def planned(data: st.DataObject, strategy: Strategy) -> Plan:
    cluster = data.draw(clusters())
    cut = recut(strategy, cluster).cluster
    event = data.draw(events(cut))
    if isinstance(event, Leave | Fail):
        left = {node.place for node in cut.nodes if node.name != event.name}
        assume(len(left) >= cut.replicas)
    return plan(strategy, cut, first_placement(strategy, cut), event)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.name)
@given(cluster=clusters())
@unhurried
def test_every_partition_is_placed_once_per_replica_and_apart(
    strategy: Strategy, cluster: Cluster
) -> None:
    placement = first_placement(strategy, cluster)
    assert fault_of(cluster, placement) is None
    assert placement == first_placement(strategy, replace(cluster))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.name)
@given(data=st.data())
@unhurried
def test_a_plan_leads_to_a_whole_placement_and_its_moves_lead_there(
    strategy: Strategy, data: st.DataObject
) -> None:
    made = planned(data, strategy)
    assert fault_of(made.cluster, made.after) is None
    reached = carried_out(made)
    assert {number: set(names) for number, names in reached.items()} == {
        number: set(names) for number, names in made.after.items()
    }
    again = plan(strategy, made.cluster_before, made.before, made.event)
    assert (again.moves, again.after) == (made.moves, made.after)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.name)
@given(data=st.data())
@unhurried
def test_the_sums_of_a_plan_are_those_of_its_moves(strategy: Strategy, data: st.DataObject) -> None:
    made = planned(data, strategy)
    assert sum(made.flows.values()) == sum(made.received.values()) == made.bytes_moved
    assert made.peak[1] <= made.bytes_moved * 2
    both = Counter(made.received)
    both.update(made.sent)
    assert made.peak[1] == max(both.values(), default=0)
    if isinstance(made.event, Slow):
        assert made.moves == ()


@given(data=st.data())
@unhurried
def test_no_event_moves_more_than_it_must_but_for_a_partition_per_node(data: st.DataObject) -> None:
    made = planned(data, Fixed())
    largest = max(part.bytes for part in made.cluster.partitions)
    nodes = {*made.cluster_before.by_name, *made.cluster.by_name}
    assert made.bytes_moved <= made.bytes_min + len(nodes) * largest


@given(data=st.data())
@unhurried
def test_cutting_keeps_every_byte_and_says_where_it_was(data: st.DataObject) -> None:
    cluster = data.draw(clusters())
    cut = recut(data.draw(st.sampled_from(STRATEGIES)), cluster)
    before = Counter({part.number: part.bytes for part in cluster.partitions})
    told: Counter[int] = Counter()
    for part in cut.cluster.partitions:
        sources = cut.sources(part)
        assert sum(size for _, size in sources) == part.bytes
        for number, size in sources:
            told[number] += size
    assert +told == +before
    loads = sum(part.load for part in cluster.partitions)
    assert sum(part.load for part in cut.cluster.partitions) == pytest.approx(loads)


@pytest.mark.parametrize("strategy", EVENLY, ids=lambda each: each.name)
@pytest.mark.parametrize("nodes", [1, 2, 3, 7, 10, 19])
@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_a_joining_node_moves_no_more_than_its_share(
    strategy: Strategy, nodes: int, spread: float
) -> None:
    cluster = described(nodes, 100 * nodes, spread=spread)
    made = plan(strategy, cluster, first_placement(strategy, cluster), Join(Node("new")))
    assert 0.95 / (nodes + 1) <= made.fraction_moved <= 1.05 / (nodes + 1)
    assert {move.target for move in made.moves} == {"new"}
    assert made.imbalance_after < 0.02


@pytest.mark.parametrize("each", [1, 2, 5, 12, 20, 60])
@pytest.mark.parametrize("replicas", [1, 3])
def test_few_partitions_per_node_move_no_more_than_the_share_either(
    each: int, replicas: int
) -> None:
    cluster = described(200, 200 * each, replicas=replicas, zones=5)
    for strategy in (Fixed(), PerNode(each)):
        placement = first_placement(strategy, cluster)
        made = plan(strategy, cluster, placement, Join(Node("new", 1.0, "zone-1")))
        assert made.fraction_moved <= 1.05 / 201
        assert len(made.received) <= 1


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("zones", [0, 3, 5])
def test_ten_nodes_with_a_thousand_partitions_are_even(replicas: int, zones: int) -> None:
    weights = (1.0,) if zones else (1.0, 2.0, 4.0)
    cluster = described(10, 1_000, replicas=replicas, zones=zones, weights=weights, spread=0.5)
    placement = first_placement(Fixed(), cluster)
    assert imbalance_of(cluster, placement) < 0.02
    for event in (Join(Node("new", 1.0, "zone-1" if zones else None)), Fail("node-4")):
        made = plan(Fixed(), cluster, placement, event)
        assert made.imbalance_after < 0.02
        assert made.bytes_moved <= 1.05 * made.bytes_min


def test_weights_are_respected() -> None:
    cluster = described(6, 1_200, weights=(1.0, 3.0))
    held = Counter(name for names in first_placement(Fixed(), cluster).values() for name in names)
    assert all(95 <= held[f"node-{number}"] <= 105 for number in (1, 3, 5))
    assert all(290 <= held[f"node-{number}"] <= 310 for number in (2, 4, 6))


def test_a_zone_too_heavy_for_its_copies_is_asked_for_one_of_each() -> None:
    nodes = [Node("big", 100.0, "a"), *(Node(f"n{n}", 1.0, f"z{n}") for n in range(4))]
    cluster = Cluster(tuple(nodes), tuple(SizedPartition(n, 10) for n in range(100)), 2)
    held = Counter(name for names in first_placement(Fixed(), cluster).values() for name in names)
    assert 98 <= held["big"] <= 100
    assert all(24 <= held[f"n{number}"] <= 27 for number in range(4))


@pytest.mark.parametrize("by", ["bytes", "load", "both"])
def test_what_is_levelled_is_even(by: str) -> None:
    cluster = described(8, 800, spread=0.5)
    placement = first_placement(Fixed(), cluster, by)  # type: ignore[arg-type]  # one of By
    assert imbalance_of(cluster, placement, by) < 0.02  # type: ignore[arg-type]  # one of By


def test_hash_mod_n_moves_nearly_everything() -> None:
    cluster = described(10, 11_000)
    made = plan(HashModN(), cluster, first_placement(HashModN(), cluster), Join(Node("new")))
    assert mod_n_moved(10, 11) == pytest.approx(10 / 11)
    assert made.fraction_moved == pytest.approx(10 / 11, abs=0.01)
    fixed = plan(Fixed(), cluster, first_placement(Fixed(), cluster), Join(Node("new")))
    assert made.bytes_moved > 9 * fixed.bytes_moved


def test_a_failed_node_is_copied_from_many_to_many() -> None:
    cluster = described(20, 2_000, replicas=3)
    made = plan(Fixed(), cluster, first_placement(Fixed(), cluster), Fail("node-7"))
    assert made.lost == ()
    assert "node-7" not in made.sent
    assert len(made.sent) == len(made.received) == 19
    assert max(made.received.values()) < 2 * made.bytes_moved / 19


def test_only_copies_that_were_alone_are_lost() -> None:
    cluster = described(5, 50)
    placement = first_placement(Fixed(), cluster)
    there = {number for number, names in placement.items() if "node-2" in names}
    assert set(plan(Fixed(), cluster, placement, Fail("node-2")).lost) == there
    left = plan(Fixed(), cluster, placement, Leave("node-2"))
    assert left.lost == ()
    assert set(left.sent) == {"node-2"}


def test_dynamic_splits_what_grew_and_merges_what_shrank_without_moving() -> None:
    strategy = Dynamic(2_000, 600)
    cluster = described(5, 100, bytes_total=100_000)
    placement = first_placement(strategy, cluster)
    grown = plan(strategy, cluster, placement, Grow(3.0))
    assert len(grown.cluster.partitions) == 200
    assert (grown.recut.splits, grown.moves) == (100, ())
    assert max(part.bytes for part in grown.cluster.partitions) <= 2_000
    shrunk = plan(strategy, cluster, placement, Grow(0.2))
    parts = shrunk.cluster.partitions
    assert shrunk.recut.merges == 100 - len(parts) > 0
    assert all(a.bytes + b.bytes >= 600 for a, b in pairwise(parts))


def test_per_node_keeps_so_many_partitions_per_node() -> None:
    strategy = PerNode(16)
    cluster = recut(strategy, described(4, 64)).cluster
    assert len(cluster.partitions) == 64
    joined = plan(strategy, cluster, first_placement(strategy, cluster), Join(Node("new")))
    assert len(joined.cluster.partitions) == 80
    held = Counter(name for names in joined.after.values() for name in names)
    assert held["new"] >= 12


def test_a_placement_of_another_cluster_is_refused() -> None:
    with pytest.raises(InvalidCluster, match="missing or unknown"):
        plan(Fixed(), described(3, 4), {}, Fail("node-1"))
