"""Pictures as numbers: the bars of a histogram, the ring of partitions, the stages of an answer.

Pure geometry in the units of an SVG's viewBox; markup is in the templates. Everything drawn here is
also written somewhere beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docstore import Histogram

CHART_WIDTH, CHART_HEIGHT = 240, 64
_BAR_MIN = 1.5
"""A bucket with any document can be seen."""
RING_SIZE = 360
_RING_INNER, _RING_OUTER, _RING_REACH = 92.0, 112.0, 52.0
_TOKENS = 2**32
_HEATS = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket: `is_in` says whether it is within what is chosen."""

    x: float
    y: float
    width: float
    height: float
    low: int
    high: int
    documents: int
    is_in: bool


def bars_of(histogram: Histogram, low: int | None, high: int | None) -> list[Bar]:
    """The bars of a histogram side by side; heights are by square root, so that small ones show."""
    buckets = histogram.buckets
    if not buckets:
        return []
    tallest = max(bucket.documents for bucket in buckets) or 1
    width = CHART_WIDTH / len(buckets)
    bars = []
    for place, bucket in enumerate(buckets):
        share = math.sqrt(bucket.documents / tallest)
        height = max(share * CHART_HEIGHT, _BAR_MIN) if bucket.documents else 0.0
        is_in = (low is None or bucket.high > low) and (high is None or bucket.low <= high)
        bars.append(
            Bar(
                round(place * width, 2),
                round(CHART_HEIGHT - height, 2),
                round(max(width - 1, width * 0.8), 2),
                round(height, 2),
                int(bucket.low),
                int(bucket.high),
                bucket.documents,
                is_in,
            )
        )
    return bars


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a bar from `x` on, in percent of the whole."""

    name: str
    x: float
    width: float
    value: float


def stretches_of(timings: Mapping[str, float]) -> list[Stretch]:
    """Stages one after the other, each as wide as its share of the time."""
    whole = sum(timings.values()) or 1.0
    found, at = [], 0.0
    for name, value in timings.items():
        width = 100 * value / whole
        found.append(Stretch(name, round(at, 2), round(width, 2), value))
        at += width
    return found


def line_of(values: Sequence[float], most: int) -> str:
    """The points of a line over the last `most` values, the newest at the right; "" for none."""
    shown = values[-most:]
    tallest = max(shown, default=0) or 1
    step = CHART_WIDTH / max(most - 1, 1)
    start = CHART_WIDTH - step * (len(shown) - 1)
    return " ".join(
        f"{start + place * step:.1f},{CHART_HEIGHT - 1 - (CHART_HEIGHT - 2) * value / tallest:.1f}"
        for place, value in enumerate(shown)
    )


@dataclass(frozen=True, slots=True)
class Arc:
    """One partition in the ring: its slice of the tokens, and a bar outwards for what it holds.

    `heat` is its share of the writes now, from 0 (none) to 3 (as many as any other).
    """

    partition: int
    slice: str
    bar: str
    x: float
    y: float
    heat: int
    is_late: bool
    is_broken: bool


def ring_of(partitions: Sequence[Mapping[str, Any]]) -> list[Arc]:
    """The partitions around a ring, from the top clockwise, as the token space goes."""
    most = max((each["documents"] for each in partitions), default=0) or 1
    busiest = max((each["rate"] or 0 for each in partitions), default=0) or 1
    arcs = []
    for each in partitions:
        begin, end = each["lower"] / _TOKENS, each["upper"] / _TOKENS
        gap = min(0.004, (end - begin) / 8)
        begin, end = begin + gap, end - gap
        reach = _RING_OUTER + 4 + _RING_REACH * each["documents"] / most
        x, y = _point((begin + end) / 2, _RING_INNER - 20)
        arcs.append(
            Arc(
                each["partition"],
                _sector(begin, end, _RING_INNER, _RING_OUTER),
                _sector(begin, end, _RING_OUTER + 4, reach),
                x,
                y,
                math.ceil(_HEATS * (each["rate"] or 0) / busiest),
                each["lag"] > 0,
                each["error"] is not None,
            )
        )
    return arcs


def _point(turn: float, radius: float) -> tuple[float, float]:
    angle = turn * math.tau - math.tau / 4
    middle = RING_SIZE / 2
    return (
        round(middle + radius * math.cos(angle), 2),
        round(middle + radius * math.sin(angle), 2),
    )


def _sector(begin: float, end: float, inner: float, outer: float) -> str:
    """A slice of a ring as a path; a whole turn is drawn a little open, or it would be nothing."""
    end = min(end, begin + 0.9999)
    large = 1 if end - begin > 0.5 else 0
    (ax, ay), (bx, by) = _point(begin, outer), _point(end, outer)
    (cx, cy), (dx, dy) = _point(end, inner), _point(begin, inner)
    return (
        f"M{ax} {ay}A{outer:.2f} {outer:.2f} 0 {large} 1 {bx} {by}"
        f"L{cx} {cy}A{inner:.2f} {inner:.2f} 0 {large} 0 {dx} {dy}Z"
    )
