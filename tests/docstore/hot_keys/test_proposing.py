"""What makes a key hot, and what is proposed for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.hot_keys.proposing import Cut, HotKey, fan_for, judged
from docstore.hot_keys.traffic import Load
from docstore.map_changes.salting import FAN_MAX

_COMPOUND = Cut(64, is_range=False, is_compound=True)
_QUIET = Load(0.0, 0.0)


def _judged(share: float, fan: int = 1, cut: Cut = _COMPOUND, rate: float = 5_000.0) -> HotKey:
    return judged("cars", "seller-1", _QUIET, Load(rate, share), fan, cut)


def test_a_key_with_much_of_the_writes_is_to_be_salted() -> None:
    told = _judged(0.2)
    assert told.is_hot
    assert told.proposed_fan == 32
    assert "32 shards" in told.action


def test_a_large_share_of_little_traffic_is_not_hot() -> None:
    told = _judged(0.9, rate=3.0)
    assert not told.is_hot
    assert told.proposed_fan is None


def test_a_key_that_is_spread_well_is_left_alone() -> None:
    told = _judged(0.2, fan=32)
    assert not told.is_hot
    assert told.action == "nothing to do"


def test_a_fan_shrinks_only_when_it_is_four_times_too_large() -> None:
    assert _judged(0.2, fan=64).proposed_fan is None
    assert _judged(0.04, fan=64).proposed_fan == 8
    assert _judged(0.0, fan=4).action == "unsalt it"


@pytest.mark.parametrize(
    ("cut", "word"),
    [
        (Cut(64, is_range=False, is_compound=False), "one document"),
        (Cut(64, is_range=True, is_compound=False), "split"),
        (Cut(64, is_range=True, is_compound=True), "split"),
        (Cut(1, is_range=False, is_compound=True), "nothing to do"),
    ],
)
def test_what_salting_cannot_help_gets_another_proposal(cut: Cut, word: str) -> None:
    told = _judged(0.5, cut=cut)
    assert told.proposed_fan is None
    assert word in told.action


@given(st.floats(0, 1), st.integers(1, 4096))
def test_a_proposed_fan_is_a_power_of_two_that_is_no_larger_than_helps(
    share: float, partitions: int
) -> None:
    fan = fan_for(share, partitions)
    assert fan & (fan - 1) == 0
    assert 1 <= fan <= FAN_MAX
    assert fan < 2 * partitions


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 4096))
def test_more_load_never_needs_a_smaller_fan(one: float, other: float, partitions: int) -> None:
    assert fan_for(min(one, other), partitions) <= fan_for(max(one, other), partitions)
