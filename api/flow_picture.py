"""The geometry of a plan's picture: nodes before on the left, after on the right, bytes between.

Pure: numbers and path strings, no markup. Invariant: a node's bar is as high as what it holds, and
the bands that leave and reach it fill it exactly. More nodes than BARS_MAX are drawn in groups.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docstore.rebalancing import Plan

BARS_MAX = 16
"""More bars than this cannot be told apart, or their names read."""
WIDTH, HEIGHT = 484.0, 400.0
_TOP = 8.0
_LABEL = 104.0
"""On either side, for the names."""
_BAR = 12.0
_GAP = 5.0
_DOTS_MAX = 60
"""Bands with moving dots; the smallest go without, so that a page stays quick."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A node or a group of nodes on one side."""

    name: str
    x: float
    y: float
    height: float
    kind: str
    """`kept`, `new` for who joined, `gone` for who left or failed."""


@dataclass(frozen=True, slots=True)
class Band:
    """Bytes that stay or move; `line` is its middle, where dots run, if it has some."""

    area: str
    line: str
    is_moved: bool
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything to draw, in the coordinates of WIDTH x HEIGHT."""

    left: tuple[Bar, ...]
    right: tuple[Bar, ...]
    bands: tuple[Band, ...]


def picture_of(made: Plan) -> Picture:
    """The picture of a plan."""
    group_of, groups = _groups(made)
    moved: Counter[tuple[str, str]] = Counter()
    for (source, target), size in made.flows.items():
        if source is not None:
            moved[group_of[source], group_of[target]] += size
    held = _held(made)
    after: Counter[str] = Counter()
    for name, size in held.items():
        after[group_of[name]] += size
    arrived: Counter[str] = Counter()
    for (_, target), size in moved.items():
        arrived[target] += size
    flows = dict(moved)
    kept = {group: max(0, after[group] - arrived[group]) for group in groups}
    return _drawn(made, groups, flows, kept)


def _groups(made: Plan) -> tuple[dict[str, str], list[str]]:
    """Which bar each node belongs to, and the bars in order: new and gone nodes stand alone."""
    before = [node.name for node in made.cluster_before.nodes]
    names = list(dict.fromkeys([*before, *(node.name for node in made.cluster.nodes)]))
    if len(names) <= BARS_MAX:
        return {name: name for name in names}, names
    both = set(before) & made.cluster.by_name.keys()
    staying = [name for name in names if name in both]
    bars = BARS_MAX - min(len(names) - len(staying), BARS_MAX // 2)
    group_of = {name: name for name in names if name not in both}
    for number in range(bars):
        part = staying[number * len(staying) // bars : (number + 1) * len(staying) // bars]
        group_of.update(dict.fromkeys(part, _group_name(part)))
    return group_of, list(dict.fromkeys(group_of[name] for name in names))


def _group_name(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}…{names[-1].rpartition('-')[2]}"


def _held(made: Plan) -> Mapping[str, int]:
    held: Counter[str] = Counter()
    for part in made.cluster.partitions:
        for name in made.after[part.number]:
            held[name] += part.bytes
    return held


def _drawn(
    made: Plan, groups: Sequence[str], moved: dict[tuple[str, str], int], kept: dict[str, int]
) -> Picture:
    leaving, coming = Counter(kept), Counter(kept)
    for (source, target), size in moved.items():
        leaving[source] += size
        coming[target] += size
    total = max(1, sum(leaving.values()))
    scale = (HEIGHT - 2 * _TOP - _GAP * (len(groups) - 1)) / total
    order = {group: index for index, group in enumerate(groups)}
    left = _bars(made, groups, leaving, scale, _LABEL)
    right = _bars(made, groups, coming, scale, WIDTH - _LABEL - _BAR)
    starts = {bar.name: bar.y for bar in left}
    ends = {bar.name: bar.y for bar in right}
    flows = [(source, target, size, True) for (source, target), size in moved.items()]
    flows += [(group, group, size, False) for group, size in kept.items() if size]
    flows.sort(key=lambda flow: (order[flow[0]], order[flow[1]], flow[3]))
    from_y = {}
    for flow in flows:
        from_y[flow] = starts[flow[0]]
        starts[flow[0]] += flow[2] * scale
    dotted = set(sorted((f for f in flows if f[3]), key=lambda f: -f[2])[:_DOTS_MAX])
    bands = []
    for flow in sorted(flows, key=lambda flow: (order[flow[1]], order[flow[0]], flow[3])):
        source, target, size, is_moved = flow
        height = size * scale
        area, line = _band(from_y[flow], ends[target], height)
        ends[target] += height
        share = size / total
        title = (
            f"{source} to {target}: {share:.1%} of all data"
            if is_moved
            else f"{source} keeps {share:.1%} of all data"
        )
        bands.append(Band(area, line if flow in dotted else "", is_moved, title))
    bands.sort(key=lambda band: band.is_moved)
    return Picture(tuple(left), tuple(right), tuple(bands))


def _bars(
    made: Plan, groups: Sequence[str], held: Mapping[str, int], scale: float, x: float
) -> list[Bar]:
    before, now = made.cluster_before.by_name, made.cluster.by_name
    bars, y = [], _TOP
    for group in groups:
        is_known = group in before or group in now
        kind = "kept"
        if is_known and group not in before:
            kind = "new"
        elif is_known and group not in now:
            kind = "gone"
        height = held[group] * scale
        bars.append(Bar(group, x, round(y, 2), round(height, 2), kind))
        y += height + _GAP
    return bars


def _band(from_y: float, to_y: float, height: float) -> tuple[str, str]:
    x0, x1 = _LABEL + _BAR, WIDTH - _LABEL - _BAR
    middle = (x0 + x1) / 2
    area = (
        f"M{x0:g},{from_y:.2f}C{middle:g},{from_y:.2f} {middle:g},{to_y:.2f} {x1:g},{to_y:.2f}"
        f"v{height:.2f}"
        f"C{middle:g},{to_y + height:.2f} {middle:g},{from_y + height:.2f} "
        f"{x0:g},{from_y + height:.2f}z"
    )
    start, end = from_y + height / 2, to_y + height / 2
    line = f"M{x0:g},{start:.2f}C{middle:g},{start:.2f} {middle:g},{end:.2f} {x1:g},{end:.2f}"
    return area, line
