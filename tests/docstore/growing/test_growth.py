"""Collections that split and merge by themselves, while they are used."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docstore import (
    AutoSplit,
    Closed,
    Collection,
    Corruption,
    InvalidRequest,
    Key,
    Range,
    Store,
    Unavailable,
)
from docstore.growing import limits as limits_file
from docstore.growing.deciding import PAUSE_SECONDS, REST_SECONDS
from docstore.growing.growth import Growth
from docstore.map_changes import figures
from tests.docstore.steps import each_step
from tests.docstore.test_resharding import Traffic

Things = Collection[dict[str, Any]]
SMALL = AutoSplit(documents=100)


@pytest.fixture(autouse=True)
def _nobody_else_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store's own thread has another clock than the tests."""
    monkeypatch.setattr("docstore.growing.growth.LOOK_SECONDS", 3_600.0)


class Looks:
    """Looks at a collection, at times that a test chooses."""

    def __init__(self, *collections: Things) -> None:
        self._growth = Growth(lambda: [each._live for each in collections], {})
        self.now = 0.0

    def look(self, after: float = 10.0) -> None:
        self.now += after
        self._growth.look(lambda: self.now)


def put(things: Things, count: int, first: int = 0) -> None:
    assert not things.put_many({"id": f"k{n:05}"} for n in range(first, first + count)).errors


def sizes(things: Things) -> list[int]:
    return [each["documents"] for each in things.stats()["partitions"]]


@pytest.mark.parametrize("scheme", [{"partitions": 1}, {"partitioning": Range()}])
def test_a_collection_of_one_partition_grows_and_shrinks(
    store: Store, scheme: dict[str, Any]
) -> None:
    things = store.create_collection("things", auto_split=SMALL, **scheme)
    looks = Looks(things)
    put(things, 100)
    looks.look()
    assert sizes(things) == [100]
    put(things, 300, 100)
    for _ in range(5):
        looks.look()
    assert len(sizes(things)) >= 4
    assert sum(sizes(things)) == 400
    assert max(sizes(things)) <= 100
    history = things.stats()["history"]
    assert "more than 100" in history[0]["why"]
    assert (history[0]["kind"], history[0]["documents"]) == ("split", 400)
    assert history[0]["seconds"] > 0
    assert history[0]["pause_ms"] > 0
    things.delete_many(f"k{n:05}" for n in range(20, 400))
    looks.look()
    for _ in range(6):
        looks.look(REST_SECONDS)
    assert sizes(things) == [20]
    assert "below 25%" in things.stats()["history"][-1]["why"]


def test_what_somebody_cut_or_made_is_not_merged(store: Store) -> None:
    things = store.create_collection("things", partitions=2)
    put(things, 20)
    things.split(0)
    looks = Looks(things)
    for _ in range(3):
        looks.look(REST_SECONDS)
    assert len(sizes(things)) == 3
    assert [each["why"] for each in things.stats()["history"]] == [None]


def test_one_key_is_said_to_be_unsplittable_and_not_tried_again(store: Store) -> None:
    things = store.create_collection(
        "things", key=Key("seller", "n"), partitions=1, auto_split=SMALL
    )
    things.put_many({"seller": "one", "n": n} for n in range(150))
    looks = Looks(things)
    looks.look()
    told = things.stats()["auto_split"]
    assert told["unsplittable"] == [
        {
            "partition": 0,
            "why": "partition 0 has documents of one partition key only: there is nothing to split",
        }
    ]
    assert told["error"] is None
    things.put({"seller": "two", "n": 0})
    looks.look()
    assert sizes(things) == [151]
    things.put_many({"seller": "two", "n": n} for n in range(150))
    looks.look()
    assert sorted(sizes(things)) == [150, 150]
    assert things.stats()["auto_split"]["unsplittable"] == []


@pytest.mark.parametrize("is_even", [True, False])
def test_a_load_is_halved_where_it_can_be(store: Store, is_even: bool) -> None:
    limits = AutoSplit(documents=None, bytes=None, writes_per_second=50, window_seconds=20)
    things = store.create_collection("things", partitioning=Range(), auto_split=limits)
    put(things, 2_000)
    looks = Looks(things)
    for turn in range(4):
        looks.look()
        if is_even:  # all over the last tenth
            things.put_many({"id": f"k{1800 + n * 77 % 200:05}"} for n in range(3_000))
        else:
            put(things, 1_000, 2_000 + 1_000 * turn)
    looks.look()
    if is_even:
        left, right = sizes(things)
        assert (1_850 < left < 1_950, left + right) == (True, 2_000)
        assert "writes/s" in things.stats()["history"][0]["why"]
    else:
        assert sizes(things) == [6_000]
        (told,) = things.stats()["auto_split"]["unsplittable"]
        assert "always to the newest" in told["why"]


def test_a_failure_is_shown_and_tried_again_after_a_pause(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = store.create_collection("things", partitions=1, auto_split=SMALL)
    put(things, 150)
    looks = Looks(things)
    tried: list[int] = []

    def full(*_: object) -> None:
        tried.append(1)
        raise Unavailable("the disk is full", hint="free some space", retryable=True)

    with monkeypatch.context() as patch:
        patch.setattr("docstore.map_changes.moving.Moving.copy_documents", full)
        looks.look()
        looks.look(PAUSE_SECONDS - 1)
    assert tried == [1]
    assert "the disk is full" in things.stats()["auto_split"]["error"]
    looks.look(2)
    assert len(sizes(things)) == 2
    assert things.stats()["auto_split"]["error"] is None


def test_never_more_than_one_change_at_a_time_in_a_store(store: Store) -> None:
    first, second = (
        store.create_collection(name, partitions=1, auto_split=SMALL) for name in ("a", "b")
    )
    for each in (first, second):
        put(each, 150)
    looks = Looks(first, second)

    def look_meanwhile() -> None:
        looks.look(1.0)
        assert len(second.partitions.numbers) == 1

    with each_step(look_meanwhile):
        first.split(0)
    looks.look()
    assert len(sizes(second)) == 2


def test_limits_are_kept_and_can_be_set_anew(open_store: Callable[[], Store]) -> None:
    store = open_store()
    assert store.create_collection("default").auto_split() == AutoSplit()
    assert store.create_collection("never", auto_split=False).auto_split() is None
    store.create_collection("small", auto_split=SMALL)
    store = open_store()
    assert store.collection("never").auto_split() is None
    small = store.collection("small")
    assert small.auto_split() == SMALL
    small.set_auto_split(False)
    assert small.stats()["auto_split"] == {"limits": None, "unsplittable": [], "error": None}
    small.set_auto_split(AutoSplit(documents=5))
    store.collection("never").set_auto_split(True)
    store = open_store()
    assert store.collection("small").auto_split() == AutoSplit(documents=5)
    assert store.collection("never").auto_split() == AutoSplit()


def test_a_collection_that_says_never_is_left_alone(store: Store) -> None:
    things = store.create_collection("things", partitions=1, auto_split=False)
    put(things, 300)
    Looks(things).look()
    assert sizes(things) == [300]


def test_a_reader_sets_no_limits(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.create_collection("things", auto_split=SMALL)
    with Store.open(tmp_path, read_only=True) as reader:
        things = reader.collection("things")
        assert things.auto_split() == SMALL
        with pytest.raises(Unavailable, match="read-only"):
            things.set_auto_split(False)


def test_wrong_limits_make_no_collection(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="auto_split"):
        store.create_collection("things", auto_split="yes")  # type: ignore[call-overload]
    assert store.collections() == []


@pytest.mark.parametrize("content", [b"{}", b"no json", b'{"format": 1, "auto_split": {"x": 1}}'])
def test_a_broken_file_of_limits_is_damage_that_is_named(tmp_path: Path, content: bytes) -> None:
    with Store.open(tmp_path) as store:
        store.create_collection("things")
    (tmp_path / "things" / limits_file.LIMITS_FILE).write_bytes(content)
    with Store.open(tmp_path) as store, pytest.raises(Corruption):
        store.collection("things")


def test_the_thread_of_a_store_splits_and_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.growing.growth.LOOK_SECONDS", 0.01)
    split, save = threading.Event(), figures.save

    def saved(*given: Any) -> None:
        save(*given)
        split.set()

    monkeypatch.setattr(figures, "save", saved)
    with Store.open(tmp_path) as store:
        things = store.create_collection("things", partitions=1, auto_split=SMALL)
        put(things, 150)
        assert split.wait(30)
    assert "docstore-growth" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(Closed):
        things.count()
    with Store.open(tmp_path, auto_split=False) as store:
        things = store.collection("things")
        assert len(sizes(things)) == 2
        put(things, 150, 150)
        assert "docstore-growth" not in [thread.name for thread in threading.enumerate()]


def test_searches_and_writes_see_every_document_once_while_a_collection_grows(
    store: Store,
) -> None:
    things = store.create_collection("things", partitions=1, auto_split=AutoSplit(documents=60))
    things.put_many({"id": f"k{n:04}", "n": n, "text": "common"} for n in range(300))
    looks, traffic = Looks(things), Traffic(things)
    with traffic:
        for turn in range(24):
            if turn == 12:
                things.set_auto_split(AutoSplit(documents=5_000))
            looks.look(10.0 if turn < 12 else REST_SECONDS)
    assert traffic.faults == []
    kinds = [each["kind"] for each in things.stats()["history"]]
    assert {"split", "merge"} == set(kinds)
    assert len(sizes(things)) == 1
