"""A proposal is carried out when it stands; a burst changes nothing."""

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import Key, Relief, Store
from docstore.hot_keys.policy import Memory, Patience, decide
from docstore.hot_keys.proposing import HotKey

_PATIENCE = Patience(3, 5)


def _told(proposed: int | None, fan: int = 4, key: str = "big") -> HotKey:
    return HotKey("sales", key, 0.0, 0.0, 0.0, 0.0, fan, False, proposed, "")


def _due(looks: Sequence[HotKey]) -> list[int]:
    """At which looks something was due."""
    memory: Memory = {}
    found = []
    for place, each in enumerate(looks, 1):
        memory, due = decide(memory, [each], _PATIENCE)
        found += [place] * len(due)
    return found


def test_a_key_that_stays_hot_is_due_at_the_third_look() -> None:
    assert _due([_told(8)] * 4) == [3]


def test_a_burst_is_not_a_hot_key() -> None:
    assert _due([_told(8), _told(8), _told(None), _told(8), _told(8)]) == []


def test_a_salt_goes_more_slowly_than_it_came() -> None:
    assert _due([_told(1)] * 5) == [5]


def test_what_grows_and_shrinks_in_turn_is_left_alone() -> None:
    assert _due([_told(8), _told(1)] * 20) == []


def test_a_larger_need_does_not_begin_anew() -> None:
    memory, _ = decide({}, [_told(8)], _PATIENCE)
    memory, _ = decide(memory, [_told(16)], _PATIENCE)
    _, due = decide(memory, [_told(32)], _PATIENCE)
    assert [each.proposed_fan for each in due] == [32]


@given(st.lists(st.sampled_from([None, 1, 8]), max_size=40))
def test_nothing_is_due_sooner_than_its_looks_in_a_row(proposed: list[int | None]) -> None:
    for place in _due([_told(each) for each in proposed]):
        latest = proposed[place - 1]
        looks = 3 if latest == 8 else 5
        assert proposed[place - looks : place] == [latest] * looks


@pytest.fixture
def sales(store: Store) -> Store:
    made = store.create_collection("sales", key=Key("seller", "n"), partitions=4)
    made.put_many([{"seller": "big", "n": number} for number in range(50)])
    made.put_many([{"seller": f"s{number}", "n": 0} for number in range(10)])
    return store


def _read_often(store: Store, times: int = 20_000) -> None:
    collection = store.collection("sales")
    for _ in range(times):
        collection.partitions.traffic.reads.note(b"\x20big\x00")


def test_a_hot_key_is_salted_by_the_policy_and_unsalted_when_it_is_cold(sales: Store) -> None:
    relief = Relief(sales, patience=Patience(2, 2))
    _read_often(sales)
    relief.look()
    assert not relief.made
    relief.look()
    (made,) = relief.made
    assert (made.key, made.fan, made.error) == ("big", 4, None)
    hottest = sales.hot_keys()[0]
    assert (hottest.key, hottest.fan, hottest.is_hot) == ("big", 4, False)
    live = sales.collection("sales").partitions
    live.traffic.reads._sketch.decay(0.0)  # an hour later
    relief.look()
    relief.look()
    assert relief.made[-1].fan == 1
    assert sales.collection("sales").partitions.definition.partition_map.salts == ()


def test_what_cannot_be_done_now_is_said_and_tried_again(sales: Store) -> None:
    relief = Relief(sales, patience=Patience(1, 1))
    _read_often(sales)
    with sales.collection("sales")._live.changing():
        relief.look()
    assert relief.made[-1].error is not None
    relief.look()
    assert relief.made[-1].error is None


def test_the_thread_looks_until_it_is_stopped(sales: Store) -> None:
    changed = threading.Event()

    class Told(Relief):
        """A policy that says when it has changed something."""

        def look(self) -> None:
            super().look()
            if self.made:
                changed.set()

    _read_often(sales)
    with Told(sales, every=0.01, patience=Patience(1, 1000)) as relief:
        assert changed.wait(20)
    assert [made.fan for made in relief.made] == [4]
    assert sales.collection("sales").count() == 60
