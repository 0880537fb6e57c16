"""Edges of buckets: multiples of their width that hold all values, and no more than allowed."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from indexing.edges import (
    BUCKETS_MAX,
    UNITS,
    Edges,
    date_edges,
    edges_of,
    nice_date_edges,
    nice_edges,
)
from indexing.errors import InvalidQuery
from indexing.values import microseconds_of

finite = st.floats(-1e300, 1e300) | st.integers(-(2**62), 2**62).map(float)
moments = st.integers(microseconds_of("0001-01-01"), microseconds_of("9999-12-31T23:59:59.999999"))


def _holds(edges: Edges, low: float, high: float) -> None:
    assert edges.at[0] <= low < edges.at[1]
    assert edges.at[-2] <= high < edges.at[-1]
    assert all(one < other for one, other in pairwise(edges.at))


@given(st.lists(finite, min_size=2, max_size=2).map(sorted), st.integers(2, BUCKETS_MAX))
def test_nice_buckets_hold_the_values_and_are_not_too_many(ends: list[float], buckets: int) -> None:
    low, high = ends
    edges = nice_edges(buckets, low, high, whole=False, path="x")
    _holds(edges, low, high)
    assert len(edges.at) <= buckets + 1


@given(
    st.integers(-(2**53), 2**53),
    st.integers(0, 10**6),
    st.sampled_from([0.1, 0.25, 0.3, 1, 3, 1000]),
)
def test_buckets_of_an_interval_are_its_multiples(low: int, width: int, interval: float) -> None:
    try:
        edges = edges_of(interval, low, low + width, "x")
    except InvalidQuery:
        assume(abs(low) < 2**40)
        assert width / interval >= BUCKETS_MAX - 1
        return
    _holds(edges, low, low + width)
    assert edges.at[0] / interval == pytest.approx(round(edges.at[0] / interval))


def test_edges_are_written_as_a_person_writes_them() -> None:
    assert edges_of(0.1, 0.0, 0.25, "x").shown() == [0, 0.1, 0.2, 0.3]
    assert edges_of(0.1, 0.3, 0.3, "x").shown() == [0.3, 0.4]
    assert edges_of(1000, 1, 2500, "x").shown() == [0, 1000, 2000, 3000]
    assert nice_edges(10, 3, 98, whole=True, path="x").interval == 10
    assert nice_edges(20, 1, 3, whole=True, path="x").shown() == [1, 2, 3, 4]
    assert nice_edges(20, 0.5, 0.5, whole=False, path="x").shown() == [0, 1]


def test_an_interval_that_floats_cannot_tell_apart_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="larger interval"):
        edges_of(0.5, 1e20, 1e20, "x")


@given(moments, moments, st.sampled_from(sorted(UNITS)))
def test_units_of_the_calendar_hold_the_moments(one: int, other: int, unit: str) -> None:
    low, high = sorted((one, other))
    try:
        edges = date_edges(unit, low, high, "x")
    except InvalidQuery:
        return
    _holds(edges, low, high)
    assert len(edges.at) <= BUCKETS_MAX + 1


@given(moments, moments, st.integers(2, 100))
def test_some_unit_of_the_calendar_always_does(one: int, other: int, buckets: int) -> None:
    low, high = sorted((one, other))
    edges = nice_date_edges(buckets, low, high)
    _holds(edges, low, high)
    assert len(edges.at) <= buckets + 1


def test_dates_are_shown_as_dates() -> None:
    edges = date_edges("quarter", microseconds_of("2024-05-06"), microseconds_of("2024-07-01"), "x")
    assert edges.shown() == ["2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z", "2024-10-01T00:00:00Z"]
