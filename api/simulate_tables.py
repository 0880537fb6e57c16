"""What `simulate` prints for people: per event a table of strategies, then the stories.

Deliberately absent: planning. Each function shows values that the planner already gave.
"""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from api import terminal
from api.text import counted, plain, size_text
from docstore.rebalancing import Cluster, Plan, Slow, Step, Story

BAR_CELLS = 10
"""The width of the bar that stands for all data."""
_GOOD = 1.5
"""Up to so many times what an even split needs a plan is shown as a good one."""


def show(cluster: Cluster, steps: Sequence[Step], stories: Mapping[str, Story]) -> None:
    """The cluster in one line, a table per event, and the stories."""
    terminal.show(Text(cluster_text(cluster), style="bold"))
    for step in steps:
        terminal.show("")
        terminal.show(_step(step))
        lost = max(len(made.lost) for made in step.plans)
        if lost:
            terminal.note(f"{counted(lost, 'partition')} had no other copy: restore from a backup")
    terminal.note(
        "of need: times what a perfectly even split must move, the mark in the bar; "
        "uneven: how far the fullest node ends above its share"
    )
    terminal.show("")
    terminal.show(_stories(stories))


def cluster_text(cluster: Cluster) -> str:
    """A cluster in a few words."""
    zones = len({node.zone for node in cluster.nodes if node.zone is not None})
    weights = {node.weight for node in cluster.nodes}
    parts = [
        counted(len(cluster.nodes), "node"),
        *([counted(zones, "zone")] if zones else []),
        *(["uneven hardware"] if len(weights) > 1 else []),
        counted(len(cluster.partitions), "partition"),
        f"{cluster.replicas} {'copies' if cluster.replicas > 1 else 'copy'} of each",
        f"{size_text(cluster.bytes_total)} in all",
    ]
    return ", ".join(parts)


def percent(share: float) -> str:
    """A share as a percentage with two digits that tell something."""
    if not share:
        return "0%"
    return f"{share:.2%}" if share < 0.01 else f"{share:.1%}"


def times_text(made: Plan) -> str:
    """How many times what an even split needs a plan moves."""
    if not made.bytes_moved:
        return "nothing"
    if not made.bytes_min:
        return "needless"
    return f"{made.bytes_moved / made.bytes_min:.2f} x"


def _step(step: Step) -> Table:
    table = Table(
        title=Text(plain(str(step.event)).capitalize(), style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("strategy", style="bold", no_wrap=True)
    table.add_column("moved", justify="right", no_wrap=True)
    table.add_column("", width=BAR_CELLS, no_wrap=True)
    for name in ("of need", "bytes", "busiest", "uneven", "partitions"):
        table.add_column(name, justify="right", no_wrap=True)
    for made in step.plans:
        is_good = made.bytes_moved <= _GOOD * made.bytes_min or isinstance(step.event, Slow)
        style = "green" if is_good else "red"
        table.add_row(
            made.strategy.name,
            Text(percent(made.fraction_moved), style=style),
            _bar(made.fraction_moved, made.fraction_min, style),
            times_text(made),
            size_text(made.bytes_moved),
            size_text(made.peak[1]),
            percent(made.imbalance_after),
            f"{len(made.cluster.partitions):,}",
        )
    return table


def _bar(share: float, least: float, style: str) -> Text:
    """A bar for what moves, with a mark at what an even split needs."""
    filled = round(min(share, 1.0) * BAR_CELLS)
    mark = min(round(least * BAR_CELLS), BAR_CELLS - 1)
    text = Text()
    for cell in range(BAR_CELLS):
        if cell == mark and least:
            text.append("│", style="bold")
        else:
            text.append("█" if cell < filled else "·", style=style if cell < filled else "dim")
    return text


def _stories(stories: Mapping[str, Story]) -> Table:
    nodes = max(len(story.nodes) for story in stories.values())
    told_on = Text(f" (an example of {nodes} nodes)", style="not bold dim")
    table = Table(
        title=Text("A slow node is not a dead node", style="bold").append(told_on),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("story", style="bold")
    for name in ("nodes given up", "moved", "requests failed"):
        table.add_column(name, justify="right", no_wrap=True)
    for title, story in stories.items():
        style = "red" if story.is_cascade else "green"
        table.add_row(
            title,
            Text(f"{len(story.given_up)} of {len(story.nodes)}", style=style),
            size_text(story.bytes_moved),
            Text(percent(story.failed_share), style=style),
        )
    return table
