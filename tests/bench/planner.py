"""`python -m tests.bench.planner`: what planning takes, in seconds and peak memory, as a table.

Each figure is one process, so that its peak is its own; the figures of moved data are exact.
"""

import json
import resource
import subprocess
import sys
import time

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from docstore.rebalancing import (
    Join,
    Node,
    Plan,
    Strategy,
    default_strategies,
    described,
    simulate,
)
from tests.conftest import ROOT

SIZES = ((10, 1_000, 1), (10, 1_000, 3), (100, 10_000, 3), (1_000, 100_000, 3))
"""Nodes, partitions, replicas."""


def measure(nodes: int, partitions: int, replicas: int, number: int) -> dict[str, float]:
    """Place everything, add a node and plan, with one strategy; seconds, bytes and shares."""
    cluster = described(nodes, partitions, replicas=replicas, zones=5)
    strategy: Strategy = default_strategies(cluster)[number]
    began = time.perf_counter()
    (step,) = simulate(cluster, [Join(Node("new", 1.0, "zone-1"))], [strategy])
    seconds = time.perf_counter() - began
    made: Plan = step.plans[0]
    return {
        "seconds": seconds,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "moved": made.fraction_moved,
        "imbalance": made.imbalance_after,
    }


def main() -> None:
    """Measure in fresh processes and print."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(*map(int, sys.argv[1:]))))
        return
    table = Table(
        *("nodes", "partitions", "copies", "strategy", "seconds", "peak MB", "moved", "even"),
        *("uneven", ""),
        title="A node joins: first placement and plan",
        caption="moved: share of all data; even: what a perfectly even split needs",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in table.columns:
        column.justify = "right"
    for size in SIZES:
        for number, strategy in enumerate(default_strategies(described(*size[:2]))):
            command = [sys.executable, "-m", "tests.bench.planner", *map(str, (*size, number))]
            ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            found = json.loads(ran.stdout)
            moved = found["moved"] * (size[0] + 1)
            is_met = moved <= 1.05 and found["imbalance"] < 0.02 and found["peak"] < 1e9
            is_compared = strategy.name == "hash mod N"
            table.add_row(
                *(f"{each:,}" for each in size),
                strategy.name,
                f"{found['seconds']:.2f}",
                f"{found['peak'] / 1e6:,.0f}",
                f"{found['moved']:.2%}",
                f"{1 / (size[0] + 1):.2%}",
                f"{found['imbalance']:.2%}",
                "" if is_compared else "[green]met[/]" if is_met else "[red]missed[/]",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
