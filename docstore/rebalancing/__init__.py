"""Which node holds which partition, what an event moves, and when to act: planner and simulator.

Pure functions over frozen values, without data and without a network: the same planner answers
what-if questions about thousands of nodes and will serve a cluster.
"""

from docstore.rebalancing.cascade import Story, Trouble, example_cluster, tell
from docstore.rebalancing.cluster import By, Cluster, Node, SizedPartition
from docstore.rebalancing.events import Event, Fail, Grow, Join, Leave, Slow
from docstore.rebalancing.placement import Placement, fault_of, imbalance_of
from docstore.rebalancing.plan import Move, Plan, carried_out, plan
from docstore.rebalancing.policy import EAGER, PATIENT, Decision, Health, Memory, Policy, decide
from docstore.rebalancing.simulate import (
    Step,
    default_strategies,
    described,
    mod_n_moved,
    simulate,
)
from docstore.rebalancing.strategies import (
    Dynamic,
    Fixed,
    HashModN,
    PerNode,
    Strategy,
    first_placement,
)

__all__ = [
    "EAGER",
    "PATIENT",
    "By",
    "Cluster",
    "Decision",
    "Dynamic",
    "Event",
    "Fail",
    "Fixed",
    "Grow",
    "HashModN",
    "Health",
    "Join",
    "Leave",
    "Memory",
    "Move",
    "Node",
    "PerNode",
    "Placement",
    "Plan",
    "Policy",
    "SizedPartition",
    "Slow",
    "Step",
    "Story",
    "Strategy",
    "Trouble",
    "carried_out",
    "decide",
    "default_strategies",
    "described",
    "example_cluster",
    "fault_of",
    "first_placement",
    "imbalance_of",
    "mod_n_moved",
    "plan",
    "simulate",
    "tell",
]
