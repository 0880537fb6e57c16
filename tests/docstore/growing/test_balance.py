"""A cut halves the writes to come, or there is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.growing.balance import SHARE_MIN, halving


@given(st.lists(st.integers(0, 50)))
def test_a_cut_leaves_some_of_the_newer_writes_on_either_side(points: list[int]) -> None:
    bound = halving(points)
    if bound is not None:
        newer = points[len(points) // 2 :]
        below = sum(point < bound for point in newer)
        assert SHARE_MIN * len(newer) <= below <= (1 - SHARE_MIN) * len(newer)


def test_writes_to_everywhere_are_cut_in_the_middle() -> None:
    assert 400 < halving([n * 7919 % 1_000 for n in range(4_000)]) < 600


@pytest.mark.parametrize("points", [[], [b"k"], list(range(4_000)), [7] * 4_000])
def test_one_place_or_ever_newer_ones_cannot_be_halved(points: list[Any]) -> None:
    assert halving(points) is None
