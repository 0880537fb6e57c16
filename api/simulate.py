"""The command `simulate`: what moves when nodes join, leave or fail, strategy by strategy.

Reads its options into the planner's values; the tables are in `simulate_tables`, the page in
`simulate_page`. No store is opened: clusters are only described.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from api import options, simulate_page, simulate_tables, terminal
from api.dumping import whole_file
from docstore import InvalidCluster
from docstore.rebalancing import (
    EAGER,
    PATIENT,
    By,
    Cluster,
    Event,
    Fail,
    Grow,
    Join,
    Leave,
    Node,
    Plan,
    Slow,
    Step,
    Story,
    Strategy,
    Trouble,
    default_strategies,
    described,
    example_cluster,
    tell,
)
from docstore.rebalancing import simulate as simulate_events

_PREFIXES = ["", "K", "M", "G", "T", "P"]
_NAMED: dict[str, Callable[[str], Event]] = {"leave": Leave, "fail": Fail, "slow": Slow}
_EVENT_HINT = "events are join, join:WEIGHT, leave:NODE, fail:NODE, slow:NODE and grow:FACTOR"
STORY_SECONDS = 600
_SLOW = Trouble("node-5", 60, 240, 0.25)
_DEAD = Trouble("node-5", 60, STORY_SECONDS, 0.0)


def simulate(
    nodes: Annotated[int, typer.Option("--nodes", metavar="N", help="How many nodes.")] = 10,
    partitions: Annotated[
        int, typer.Option("--partitions", metavar="N", help="How many partitions to begin with.")
    ] = 1_000,
    replicas: Annotated[
        int, typer.Option("--replicas", metavar="N", help="Copies of every partition.")
    ] = 3,
    zones: Annotated[
        int, typer.Option("--zones", metavar="N", help="Zones; 0: every node is its own.")
    ] = 0,
    weights: Annotated[
        str, typer.Option("--weights", metavar="A,B", help="Capacities the nodes take in turn.")
    ] = "1",
    size: Annotated[
        str, typer.Option("--size", metavar="BYTES", help="All data in one copy, like 500GB.")
    ] = "1TB",
    spread: Annotated[
        float, typer.Option("--spread", metavar="X", help="Unevenness of partitions: 0 to 2.")
    ] = 0.0,
    by: Annotated[
        str, typer.Option("--by", metavar="bytes|load|both", help="What is levelled.")
    ] = "bytes",
    events: Annotated[
        list[str] | None,
        typer.Option("--event", "-e", metavar="EVENT", help=f"In order; {_EVENT_HINT}."),
    ] = None,
    strategies: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy", metavar="NAME", help="fixed, dynamic, per-node or mod-n; all by default."
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with pictures.")
    ] = None,
    with_moves: Annotated[
        bool, typer.Option("--moves", help="With --json, every move of every plan.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what moves when nodes join, leave, fail or are slow; nothing real is touched."""
    cluster = described(
        nodes,
        partitions,
        replicas=replicas,
        zones=zones,
        weights=_weights(weights),
        bytes_total=_size(size),
        spread=spread,
    )
    steps = simulate_events(
        cluster,
        _events(events or ["join"], cluster, zones),
        _strategies(strategies, cluster),
        cast("By", by),
    )
    stories = tell_stories()
    if html is not None:
        with whole_file(html) as file:
            file.write(simulate_page.page(cluster, steps, stories).encode())
    if as_json:
        terminal.show_json(_as_json(cluster, steps, stories, with_moves=with_moves))
        return
    simulate_tables.show(cluster, steps, stories)
    if html is not None:
        terminal.note(f"wrote {html}")


def tell_stories() -> dict[str, Story]:
    """The cascading failure and how the policy stays out of it, on the example cluster."""
    cluster = example_cluster()
    told = {
        "a slow node, an eager policy": (EAGER, _SLOW),
        "a slow node, the default policy": (PATIENT, _SLOW),
        "a dead node, the default policy": (PATIENT, _DEAD),
    }
    return {
        title: tell(cluster, policy, trouble, seconds=STORY_SECONDS)
        for title, (policy, trouble) in told.items()
    }


def _weights(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError as error:
        raise InvalidCluster(
            f"--weights {text!r} are not numbers", hint="give them with commas: --weights 1,1,2"
        ) from error


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,6})?)\s*([KMGTP]?)B?", text.strip().upper())
    if found is None:
        raise InvalidCluster(f"--size {text!r} is not a size", hint="for example --size 500GB")
    return round(float(found[1]) * 1000.0 ** _PREFIXES.index(found[2]))


def _strategies(names: Sequence[str] | None, cluster: Cluster) -> tuple[Strategy, ...]:
    known = {each.name.replace("hash mod N", "mod-n"): each for each in default_strategies(cluster)}
    for name in names or ():
        if name not in known:
            raise InvalidCluster(
                f"there is no strategy {name!r}", hint=f"choose from {', '.join(known)}"
            )
    return tuple(known[name] for name in dict.fromkeys(names or known))


def _events(texts: Sequence[str], cluster: Cluster, zones: int) -> list[Event]:
    events: list[Event] = []
    number = len(cluster.nodes)
    for text in texts:
        kind, _, value = text.partition(":")
        if kind == "join":
            number += 1
            zone = f"zone-{(number - 1) % zones + 1}" if zones else None
            weight = _number(value, text) if value else 1.0
            events.append(Join(Node(f"node-{number}", weight, zone)))
        elif kind == "grow" and value:
            events.append(Grow(_number(value, text)))
        elif kind in _NAMED and value:
            events.append(_NAMED[kind](value))
        else:
            raise InvalidCluster(f"{text!r} is no event", hint=_EVENT_HINT)
    return events


def _number(value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InvalidCluster(f"{text!r} has no number", hint=_EVENT_HINT) from error


def _as_json(
    cluster: Cluster, steps: Sequence[Step], stories: dict[str, Story], *, with_moves: bool
) -> dict[str, Any]:
    return {
        "nodes": len(cluster.nodes),
        "partitions": len(cluster.partitions),
        "replicas": cluster.replicas,
        "bytes": cluster.bytes_total,
        "steps": [
            {
                "event": str(step.event),
                "plans": [_plan_json(made, with_moves=with_moves) for made in step.plans],
            }
            for step in steps
        ],
        "stories": [
            {
                "story": title,
                "given_up": [{"second": at, "node": name} for at, name in story.given_up],
                "failed_share": story.failed_share,
                "bytes_moved": story.bytes_moved,
            }
            for title, story in stories.items()
        ],
    }


def _plan_json(made: Plan, *, with_moves: bool) -> dict[str, Any]:
    busiest, peak = made.peak
    told: dict[str, Any] = {
        "strategy": made.strategy.name,
        "by": made.by,
        "partitions": len(made.cluster.partitions),
        "splits": made.recut.splits,
        "merges": made.recut.merges,
        "moves": len(made.moves),
        "bytes_moved": made.bytes_moved,
        "bytes_min": made.bytes_min,
        "fraction_moved": made.fraction_moved,
        "fraction_min": made.fraction_min,
        "imbalance_before": made.imbalance_before,
        "imbalance_unmoved": made.imbalance_unmoved,
        "imbalance_after": made.imbalance_after,
        "peak": {"node": busiest, "bytes": peak},
        "lost": len(made.lost),
    }
    if with_moves:
        told["move_list"] = [
            {
                "partition": move.partition,
                "source": move.source,
                "target": move.target,
                "replaces": move.replaces,
                "bytes": move.bytes,
                "reason": move.reason,
            }
            for move in made.moves
        ]
    return told
