"""The two threads that keep indexes: what they wait for, what they take, what they let go of."""

import resource
import threading
from collections.abc import Callable
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store
from docstore.global_index import block, flushing
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.pacing import (
    BACKLOG_MAX,
    BEHIND_ENTRIES,
    BUSY_ENTRIES,
    IDLE_ENTRIES,
    OVERLAY_MAX,
    REST_SECONDS,
    REST_SECONDS_MAX,
    REST_SECONDS_OVERWHELMED_MAX,
    TAKEN_ENTRIES,
    Pacing,
)
from docstore.global_index.tails import Tail, in_parts
from docstore.global_index.updater import Updater

Cars = Collection[dict[str, Any]]
COLORS = ["red", "blue", "green", "white"]


def made(store: Store, partitions: int = 1) -> tuple[Cars, LiveIndex, Updater]:
    """Forty cars, and an index that nothing moves but the test."""
    cars = store.create_collection(
        "cars", partitions=2, indexes=[GlobalIndex("color", partitions=partitions)]
    )
    cars.put_many({"id": f"{n:02d}", "color": COLORS[n % 4]} for n in range(40))
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    return cars, cars.indexes._live["color"], cars.indexes._updater


def reds(cars: Cars) -> int:
    """How many red ones the index knows, without reading what is new."""
    return cars.indexes.lookup("color", "red", freshness="any").total


def test_following_does_not_wait_for_a_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "BUSY_DOCUMENTS", 1)
    cars, index, updater = made(store)
    assert reds(cars) == 10
    begun, may_end = threading.Event(), threading.Event()
    ended_in_time: list[bool] = []

    def hold(_: Any) -> None:
        begun.set()
        ended_in_time.append(may_end.wait(20))

    held = threading.Thread(target=index.files.partitions[0]._environment.write, args=(hold,))
    held.start()
    assert begun.wait(20)
    cars.put({"id": "00", "color": "blue"})
    updater._step(is_writing=True)
    assert reds(cars) == 9
    assert index.overlay == 1
    may_end.set()
    held.join()
    assert ended_in_time == [True]
    updater.step(is_writing=True)
    assert index.overlay == 0
    assert reds(cars) == 9


def test_what_cannot_be_written_stays_in_memory_and_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "FLUSH_DOCUMENTS", 1)
    cars, index, updater = made(store)
    cars.put({"id": "00", "color": "blue"})
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, unlimited[1]))
    try:
        updater.step(is_writing=False)
        (stats,) = cars.indexes.stats()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert "disk seems full or fails" in stats["error"]
    assert stats["overlay"] == index.overlay == 1
    assert reds(cars) == 9
    updater.step(is_writing=False)
    (stats,) = cars.indexes.stats()
    assert (stats["error"], stats["overlay"]) == (None, 0)
    assert reds(cars) == 9


def test_more_than_memory_is_to_hold_is_written_by_who_follows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.global_index.updater.OVERLAY_MAX", 5)
    monkeypatch.setattr(flushing, "FLUSH_DOCUMENTS", 6)
    cars, index, updater = made(store)
    cars.put_many({"id": f"{n:02d}", "color": "red"} for n in range(5))
    updater._step(is_writing=True)
    assert index.overlay == 5
    cars.put({"id": "39", "color": "red"})
    updater._step(is_writing=True)
    assert index.overlay == 0
    assert reds(cars) == 10 + 3 + 1


def test_large_documents_count_for_what_they_take(store: Store) -> None:
    values = [f"v{n:04}" for n in range(300)]
    declared = [GlobalIndex("values", include=["text"]), GlobalIndex("color", include=["text"])]
    cars: Cars = store.create_collection("cars", partitions=2, indexes=declared)
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    several, one = (cars.indexes._live[name] for name in ("values", "color"))
    car = {"color": "red", "text": "x" * 10_000}
    cars.put_many({**car, "id": f"{n}", "values": values} for n in range(100))
    for index in (several, one):
        index.digest({n: cars.indexes._shard_of(n).head for n in cars.indexes._numbers()})
    assert 1000 <= one.flushing.weight < 1100
    # What the postings of one document share is one object: else it would be 300 MB.
    assert 1000 <= several.flushing.weight < 10_000
    several.flush()
    assert several.flushing.weight == several.overlay == 0


def test_files_wait_while_writers_take_all_there_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "BUSY_DOCUMENTS", 1)
    cars, index, updater = made(store)
    cars.put_many({"id": f"new{n}", "color": "red"} for n in range(20))
    updater._step(is_writing=True)
    # That many a second, if it is believed: each took a second.
    updater._pacing.note_step(BEHIND_ENTRIES, BACKLOG_MAX, BEHIND_ENTRIES)
    assert updater._pacing.is_overwhelmed
    assert updater._flusher.step(is_writing=True) == (False, True)
    assert index.overlay == 20
    monkeypatch.setattr(flushing, "FLUSH_DOCUMENTS", 1)
    assert updater._flusher.step(is_writing=False)[1]
    assert index.overlay == 0


def test_a_block_shows_what_was_taken_before_and_after_it_was_written(store: Store) -> None:
    cars, index, updater = made(store)
    assert reds(cars) == 10  # a block is loaded
    for color in ("blue", "red", "blue"):
        cars.put({"id": "00", "color": color})
        updater._step(is_writing=True)  # nothing is shown yet
    index.flush()
    cars.put({"id": "01", "color": "blue"})
    cars.put({"id": "02", "color": "red"})
    updater._step(is_writing=True)
    index.flush()
    cars.put({"id": "01", "color": "red"})
    updater._step(is_writing=True)
    rows = cars.indexes.lookup("color", "red", freshness="any", limit=40).rows
    assert sorted(row.key for row in rows) == [
        each.key for each in cars.scan() if each.document["color"] == "red"
    ]
    assert list(store.check()) == []


def test_blocks_are_made_anew_beside_who_changes_and_searches_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "CHANGED_MIN", 4)
    cars, index, updater = made(store)
    is_over = threading.Event()

    def tend() -> None:
        while not is_over.is_set():
            index.tend()

    tending = threading.Thread(target=tend)
    tending.start()
    try:
        for turn in range(60):
            cars.put_many({"id": f"{n:02d}", "color": COLORS[(n + turn) % 4]} for n in range(40))
            updater._step(is_writing=False)
            rows = cars.indexes.lookup("color", "red", freshness="any", limit=40).rows
            assert [row.key for row in rows] == [f"{n:02d}" for n in range(-turn % 4, 40, 4)]
    finally:
        is_over.set()
        tending.join()
    assert list(store.check()) == []


def test_a_block_that_nobody_reads_is_let_go_when_much_has_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "CHANGED_MIN", 4)
    cars, index, updater = made(store)
    assert index.change(lambda residents: residents[0].rows_held) == 0
    assert reds(cars) == 10
    held = []
    for color in ("blue", "green"):
        cars.put_many({"id": f"{n:02d}", "color": color} for n in range(12))
        updater.step(is_writing=False)
        held.append(index.change(lambda residents: residents[0].rows_held))
    assert held == [40, 0]
    assert reds(cars) == 7
    assert list(store.check()) == []


def told(index: LiveIndex) -> int:
    """Documents that partitions were told of and have not written."""
    return index.change(lambda residents: sum(len(each.pending) for each in residents))


def test_what_is_new_to_an_index_is_told_to_its_partition_alone(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "FLUSH_SECONDS", 1000)
    cars, index, updater = made(open_store(), partitions=4)
    cars.put_many({"id": f"new{n}", "color": COLORS[n % 4]} for n in range(20))
    updater._step(is_writing=False)
    assert told(index) == 20
    cars.put({"id": "00", "color": "blue"})
    updater._step(is_writing=False)
    assert told(index) == 20 + 4
    cars.put_many({"id": f"later{n}", "color": COLORS[n % 4]} for n in range(20))
    cars = open_store().collection("cars")
    index, updater = cars.indexes._live["color"], cars.indexes._updater
    updater.stop()
    updater._step(is_writing=False)
    assert told(index) == 20
    assert list(cars.check()) == []


def test_how_new_what_a_file_holds_is_need_not_be_known(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "FLUSH_SECONDS", 1000)
    cars, index, _ = made(open_store(), partitions=4)
    for partition in index.files.partitions:
        known, _ = partition.checkpoints()
        partition.apply({}, {shard: each._replace(newest=None) for shard, each in known.items()})
    cars.put({"id": "00", "color": "blue"})
    cars.put({"id": "new", "color": "red"})
    cars = open_store().collection("cars")
    index, updater = cars.indexes._live["color"], cars.indexes._updater
    updater.stop()
    updater._step(is_writing=False)
    assert told(index) == 4 + 4
    assert reds(cars) == 10
    assert list(cars.check()) == []


def test_how_much_is_taken_goes_by_who_writes_and_by_what_is_left() -> None:
    pacing = Pacing()
    before = pacing.is_writing
    assert pacing.flushing_rest(1.0) == 0.0
    assert pacing.entries(is_writing=False) == IDLE_ENTRIES
    pacing.note_write()
    assert (before, pacing.is_writing) == (False, True)
    assert pacing.entries(is_writing=True) == BUSY_ENTRIES
    near = pacing.rest(0.01, 1.0), pacing.flushing_rest(0.01)
    assert pacing.rest(0.0, 0.0) == REST_SECONDS
    assert pacing.rest(1.0, 10.0) == REST_SECONDS_MAX
    pacing.note_step(BEHIND_ENTRIES, BACKLOG_MAX, 0.000001)
    assert not pacing.is_overwhelmed
    assert pacing.entries(is_writing=True) == BEHIND_ENTRIES
    assert (pacing.rest(0.01, 1.0), pacing.flushing_rest(0.01)) == near


def test_who_writes_more_than_can_be_followed_is_left_most_of_the_machine() -> None:
    pacing = Pacing()
    pacing.note_write()
    near = pacing.rest(0.01, 0.01), pacing.flushing_rest(0.01)
    for turn in range(1, 60):
        # A second for each thousand entries: however few come, more are left each time.
        pacing.note_step(BEHIND_ENTRIES, turn * BACKLOG_MAX, BEHIND_ENTRIES / 1000)
    overwhelmed = pacing.is_overwhelmed
    much = pacing.rest(0.01, 0.01), pacing.flushing_rest(0.01)
    assert overwhelmed
    assert not pacing.may_flush(OVERLAY_MAX // 2)
    assert pacing.may_flush(OVERLAY_MAX // 2 + 1)
    assert near[0] < much[0]
    assert near[1] < much[1]
    assert pacing.rest(1.0, 10.0) == pacing.flushing_rest(10.0) == REST_SECONDS_OVERWHELMED_MAX
    for _ in range(60):  # and then next to nothing is written
        pacing.note_step(TAKEN_ENTRIES, pacing.backlog - TAKEN_ENTRIES, 0.000001)
    assert overwhelmed != pacing.is_overwhelmed
    assert pacing.may_flush(1)
    assert pacing.rest(0.01, 10.0) == near[0]


@pytest.mark.parametrize("was_busy", [False, True])
@pytest.mark.parametrize(("a_second", "is_overwhelmed"), [(2000, False), (20_000, True)])
def test_what_is_written_from_now_on_is_known_at_once(
    was_busy: bool, a_second: int, is_overwhelmed: bool
) -> None:
    now = 100.0
    pacing = Pacing(lambda: now)
    if was_busy:
        pacing.note_write()
        for _ in range(100):
            now += 0.005
            pacing.note_step(TAKEN_ENTRIES, 0, 0.001)
        assert pacing.is_overwhelmed
    now += 60.0
    pacing.note_write()
    for _ in range(6):  # that is 30 ms; each step takes what it can and computes 20 us for each
        now += 0.005
        left = pacing.backlog + a_second // 200
        taken = min(left, BEHIND_ENTRIES)
        pacing.note_step(taken, left - taken, taken * 20e-6)
    assert pacing.is_overwhelmed == is_overwhelmed


def test_tails_are_taken_in_parts_and_none_is_left_out() -> None:
    tails = [Tail(n, 0, entries, entries, []) for n, entries in enumerate([3, 1, 9, 2, 2])]
    parts = list(in_parts(tails, 4))
    assert [[tail.shard for tail in part] for part in parts] == [[0, 1], [2], [3, 4]]
    assert list(in_parts(tails[:1], 4)) == [tails[:1]]
    assert list(in_parts([], 4)) == []
