"""The page of `simulate --html`: one file with its styles and pictures, nothing fetched.

Words and geometry are made here, markup in `templates/`. Everything that a picture shows is also
in a table or a sentence; colour is never the only sign; motion can be stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.flow_picture import HEIGHT, WIDTH, picture_of
from api.simulate_tables import cluster_text, percent, times_text
from api.text import size_text
from docstore.rebalancing import Cluster, Plan, Slow, Step, Story, mod_n_moved
from docstore.rebalancing.cascade import BUSY
from docstore.rebalancing.strategies import Dynamic, Fixed, HashModN, PerNode

ROW, ROW_GAP = 15, 3
"""Of a story's strips, one per node, in the picture's units; one unit across is one second."""

_HOW: dict[type, str] = {
    Fixed: "Many more partitions than nodes from the start. Whole partitions move, none is cut.",
    Dynamic: "Partitions are split when they grow and merged when they shrink. Whole ones move.",
    PerNode: "So many partitions per node: the largest are split for whoever joins.",
    HashModN: "A key lives on node hash(key) mod N. When N changes, nearly every key moves.",
}


@dataclass(frozen=True, slots=True)
class _Strip:
    """A stretch of seconds in which a node was in one state."""

    start: int
    seconds: int
    y: int
    state: str


def page(cluster: Cluster, steps: Sequence[Step], stories: Mapping[str, Story]) -> str:
    """The whole page as HTML."""
    environment = Environment(
        loader=PackageLoader("api", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("simulate.html").render(
        cluster=cluster_text(cluster),
        steps=[_step(number, step) for number, step in enumerate(steps, 1)],
        stories=[_story(title, story) for title, story in stories.items()],
        width=WIDTH,
        height=HEIGHT,
        row=ROW,
        row_gap=ROW_GAP,
        busy=percent(BUSY),
    )


def _step(number: int, step: Step) -> dict[str, Any]:
    event = str(step.event)
    return {
        "number": number,
        "event": event,
        "lead": _lead(step),
        "has_pictures": any(made.moves for made in step.plans),
        "plans": [_plan(made) for made in step.plans],
    }


def _lead(step: Step) -> str:
    """The answer in a sentence or two."""
    if isinstance(step.event, Slow):
        return "Nothing moves: a slow node is not a dead node. Below is what happens otherwise."
    kept = [made for made in step.plans if not isinstance(made.strategy, HashModN)]
    modulo = [made for made in step.plans if isinstance(made.strategy, HashModN)]
    if not any(made.moves for made in step.plans):
        return "Nothing moves: every node holds the share it did, and splits happen in place."
    said = []
    if kept:
        moved = [percent(each) for each in sorted(made.fraction_moved for made in kept)]
        span = moved[0] if moved[0] == moved[-1] else f"{moved[0]} to {moved[-1]}"
        said.append(
            f"For a perfectly even split {percent(kept[0].fraction_min)} of the data must move. "
            f"Moving whole partitions takes {span}."
        )
    if modulo and modulo[0].moves:
        counts = len(modulo[0].cluster_before.nodes), len(modulo[0].cluster.nodes)
        said.append(
            f"Hash mod N moves {percent(modulo[0].fraction_moved)}: dividing by {counts[1]} "
            f"instead of {counts[0]} sends nearly every key elsewhere "
            f"(with one copy of each, {percent(mod_n_moved(*counts))} of all keys)."
        )
    return " ".join(said)


def _plan(made: Plan) -> dict[str, Any]:
    busiest, peak = made.peak
    cuts = f", {made.recut.splits:,} split" if made.recut.splits else ""
    cuts += f", {made.recut.merges:,} merged" if made.recut.merges else ""
    largest = sorted(made.flows.items(), key=lambda flow: (-flow[1], str(flow[0])))[:8]
    return {
        "name": made.strategy.name,
        "how": _HOW[type(made.strategy)],
        "is_warning": isinstance(made.strategy, HashModN),
        "moved": percent(made.fraction_moved),
        "moved_share": made.fraction_moved,
        "least": percent(made.fraction_min),
        "least_share": made.fraction_min,
        "times": times_text(made),
        "bytes": size_text(made.bytes_moved),
        "moves": f"{len(made.moves):,}",
        "partitions": f"{len(made.cluster.partitions):,}{cuts}",
        "imbalance": (made.imbalance_before, made.imbalance_unmoved, made.imbalance_after),
        "uneven": tuple(
            map(percent, (made.imbalance_before, made.imbalance_unmoved, made.imbalance_after))
        ),
        "peak": size_text(peak),
        "busiest": busiest or "none",
        "lost": len(made.lost),
        "picture": picture_of(made),
        "flows": [
            (source or "a backup", target, size_text(size)) for (source, target), size in largest
        ],
    }


def _story(title: str, story: Story) -> dict[str, Any]:
    strips = []
    for index in range(len(story.nodes)):
        start = 0
        for state, run in groupby(moment[index] for moment in story.states):
            seconds = len(list(run))
            kind = state.replace(" ", "-")
            strips.append(_Strip(start, seconds, index * (ROW + ROW_GAP), kind))
            start += seconds
    return {
        "title": title.capitalize(),
        "nodes": story.nodes,
        "strips": strips,
        "seconds": len(story.states),
        "minutes": range(0, len(story.states) + 1, 120),
        "is_cascade": story.is_cascade,
        "given_up": len(story.given_up),
        "said": _said(story),
    }


def _said(story: Story) -> str:
    """A story in words."""
    failed = percent(story.failed_share) if story.failed_share else "none"
    failed = f"{failed} of all requests fail"
    if not story.given_up:
        return (
            f"{story.trouble.name} is late, but it answers, so nothing is moved. It recovers, "
            f"works off its queue and serves as before; {failed}, all of them its own."
        )
    first, last = story.given_up[0], story.given_up[-1]
    waited = f"{first[0] - story.trouble.start} seconds"
    if story.is_cascade:
        return (
            f"After {waited} {first[1]} is taken for dead and its data copied at full speed. "
            "That loads the nodes that are left until they are late too: by second "
            f"{last[0]} {len(story.given_up)} of {len(story.nodes)} are given up; {failed}."
        )
    return (
        f"Not a late answer but {waited} of silence make {first[1]} dead. Its data is then copied "
        f"gently, {size_text(story.bytes_moved)} until here, and nobody else is late; {failed}."
    )
