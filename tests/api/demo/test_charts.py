"""What is drawn has the sizes of what it shows."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.demo.charts import (
    CHART_HEIGHT,
    CHART_WIDTH,
    RING_SIZE,
    bars_of,
    line_of,
    ring_of,
    stretches_of,
)
from docstore import Bucket, Histogram


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
def test_bars_fill_the_chart_side_by_side(counts: list[int]) -> None:
    buckets = tuple(Bucket(place, place + 1, count) for place, count in enumerate(counts))
    bars = bars_of(Histogram(1, buckets), None, None)
    assert [bar.documents for bar in bars] == counts
    for bar in bars:
        assert (bar.height > 0) == (bar.documents > 0)
        assert 0 <= bar.y <= CHART_HEIGHT
        assert bar.x + bar.width <= CHART_WIDTH + 0.1
    tallest = max(bars, key=lambda bar: bar.documents)
    assert tallest.height in (0, CHART_HEIGHT)


@given(st.lists(st.integers(0, 10**6), max_size=90))
def test_a_line_ends_at_the_right_with_its_tallest_value_at_the_top(values: list[int]) -> None:
    points = [tuple(map(float, each.split(","))) for each in line_of(values, 60).split()]
    assert len(points) == min(len(values), 60)
    assert all(0 <= x <= CHART_WIDTH and 0 <= y <= CHART_HEIGHT for x, y in points)
    if points:
        assert points[-1][0] == CHART_WIDTH
        assert min(y for _, y in points) == (1 if max(values[-60:]) else CHART_HEIGHT - 1)


def test_bars_within_the_chosen_bounds_are_told_from_the_rest() -> None:
    buckets = tuple(Bucket(low, low + 10, 1) for low in range(0, 50, 10))
    bars = bars_of(Histogram(10, buckets), 15, 30)
    assert [bar.is_in for bar in bars] == [False, True, True, True, False]


@given(st.dictionaries(st.text(max_size=5), st.floats(0, 1000), max_size=8))
def test_stages_share_the_whole_width(timings: dict[str, float]) -> None:
    stretches = stretches_of(timings)
    assert sum(each.width for each in stretches) <= 100.1
    assert [each.value for each in stretches] == list(timings.values())


@given(st.integers(1, 64))
def test_every_partition_has_its_place_in_the_ring(count: int) -> None:
    size = 2**32 // count
    shards: list[dict[str, Any]] = [
        {"partition": n, "lower": n * size, "upper": (n + 1) * size, "documents": n}
        | {"lag": n % 2, "error": None, "rate": n or None}
        for n in range(count)
    ]
    arcs = ring_of(shards)
    assert [arc.is_late for arc in arcs] == [n % 2 == 1 for n in range(count)]
    assert [arc.heat == 0 for arc in arcs] == [n == 0 for n in range(count)]
    assert all(0 <= arc.heat <= 3 for arc in arcs)
    for arc in arcs:
        numbers = [float(each) for each in re.findall(r"-?\d+\.?\d*", arc.slice + arc.bar)]
        assert all(0 <= each <= RING_SIZE for each in numbers)
