"""What cannot be planned is refused with a hint, never with a foreign exception."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from docstore import InvalidCluster
from docstore.rebalancing import (
    PATIENT,
    Cluster,
    Dynamic,
    Fail,
    Fixed,
    Grow,
    Join,
    Leave,
    Node,
    PerNode,
    Policy,
    SizedPartition,
    Slow,
    Trouble,
    described,
    example_cluster,
    first_placement,
    mod_n_moved,
    plan,
    simulate,
    tell,
)
from docstore.rebalancing.cluster import PARTITIONS_MAX

ONE = (SizedPartition(0, 10),)
TWO = (Node("a"), Node("b"))
ANY: Any = None


def event(what: Any) -> Callable[[], Any]:
    cluster = Cluster(TWO, ONE, 2)
    return lambda: plan(Fixed(), cluster, first_placement(Fixed(), cluster), what)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: Cluster((), ONE), "no nodes"),
        (lambda: Cluster(TWO, ()), "no partitions"),
        (lambda: Cluster((Node("a"), Node("a")), ONE), "two nodes"),
        (lambda: Cluster((Node(""),), ONE), "no name"),
        (lambda: Cluster((ANY,), ONE), "no name"),
        *[
            (lambda weight=weight: Cluster((Node("a", weight),), ONE), "weight")
            for weight in (0, -1.0, math.nan, math.inf, 1e300, 1e-300, True, "2", None)
        ],
        (lambda: Cluster((Node("a", zone=""),), ONE), "zone"),
        (lambda: Cluster(TWO, ONE, 3), "3 replicas cannot stay apart in 2 zones"),
        (lambda: Cluster((Node("a", 1, "z"), Node("b", 1, "z")), ONE, 2), "in 1 zone"),
        *[(lambda count=count: Cluster(TWO, ONE, count), "replicas") for count in (0, 1.5, True)],
        (lambda: Cluster(TWO, (ANY,)), "no partition"),
        (lambda: Cluster(TWO, ONE + ONE), "used twice"),
        (lambda: Cluster(TWO, (SizedPartition(-1, 1),)), "not a whole number"),
        *[
            (lambda size=size: Cluster(TWO, (SizedPartition(0, size),)), "bytes")
            for size in (-1, 1.5, 2**63, math.nan)
        ],
        *[
            (lambda load=load: Cluster(TWO, (SizedPartition(0, 1, load),)), "load")
            for load in (-1.0, math.nan, math.inf)
        ],
        (lambda: Cluster(TWO, (SizedPartition(0, 2**62), SizedPartition(1, 2**62)), 2), "2\\^63"),
        (lambda: described(10, 1_000_000), "partitions"),
        (lambda: Cluster(TWO, ONE * (PARTITIONS_MAX + 1)), "more than can be planned"),
        (lambda: described(0), "nodes"),
        (lambda: described(2.5), "nodes"),  # type: ignore[arg-type]  # on purpose
        (lambda: described(3, zones=4), "zones"),
        (lambda: described(weights=()), "weights"),
        (lambda: described(spread=math.nan), "spread"),
        (lambda: described(load_total=-1.0), "load"),
        (lambda: described(bytes_total=-1), "bytes"),
        (event(Leave("z")), "no node 'z'"),
        (event(Fail(ANY)), "no node None"),
        (event(Slow("z")), "no node"),
        (event(Fail("a")), "cannot stay apart"),
        (event(Join(Node("a"))), "already"),
        (event(Join(Node("c", -1.0))), "weight"),
        (event(Join(ANY)), "no name"),
        *[(event(Grow(factor)), "grow") for factor in (0, -2.0, math.nan, 1e9)],
        (event(Grow(ANY)), "grow"),
        (lambda: Dynamic(1), "whole numbers"),
        (lambda: Dynamic(100, 51), "half"),
        (lambda: Dynamic(100.5), "whole numbers"),  # type: ignore[arg-type]  # on purpose
        (lambda: PerNode(0), "per node"),
        (lambda: mod_n_moved(0, 3), "nodes"),
        (lambda: simulate(described(2), [], by="weight"), "level by"),  # type: ignore[arg-type]  # on purpose
        (lambda: Policy(dead_after=math.nan), "dead_after"),
        (lambda: Policy(uneven_over=0.1, uneven_under=0.2), "uneven_under"),
        (lambda: Policy(transfer_share_max=2.0), "transfer_share_max"),
        (lambda: tell(example_cluster(), PATIENT, Trouble("z", 0, 1, 0.5)), "no node"),
        (lambda: tell(described(200), PATIENT, Trouble("node-1", 0, 1, 0.5)), "200 nodes"),
        (lambda: tell(example_cluster(), PATIENT, Trouble("node-1", 0, 1, -1.0)), "range"),
        (
            lambda: tell(example_cluster(), PATIENT, Trouble("node-1", 0, 1, 0.5), seconds=0),
            "seconds",
        ),
        (
            lambda: tell(
                described(3, load_total=0.0), PATIENT, Trouble("node-1", 0, 1, 0.5), seconds=9
            ),
            "load",
        ),
    ],
)
def test_it_is_refused_in_words(act: Callable[[], Any], said: str) -> None:
    with pytest.raises(InvalidCluster, match=said) as refused:
        act()
    assert refused.value.hint
    assert refused.value.as_dict()["code"] == "invalid-cluster"


def test_partitions_without_any_bytes_are_placed_evenly() -> None:
    placement = first_placement(Fixed(), described(4, 100, bytes_total=0))
    counts = [sum(name in names for names in placement.values()) for name in ("node-1", "node-4")]
    assert counts == [25, 25]
