"""Splits and merges of a store that is in use: what is refused, what goes on, what is left."""

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docstore import (
    Collection,
    Delete,
    InvalidRequest,
    Key,
    LogTrimmed,
    NotFound,
    PartitionChange,
    Position,
    Put,
    Range,
    Store,
    Unavailable,
)
from docstore.files import read_json
from docstore.global_index.definition import GlobalIndex
from docstore.shards.environment import Environment
from docstore.shards.inherited import INHERITED_FILE
from tests.docstore.steps import copied, each_step, each_write_step

Things = Collection[dict[str, Any]]
SCHEMES = [{"partitions": 1}, {"partitioning": Range()}]


def filled(store: Store, count: int = 100, **scheme: Any) -> Things:
    things = store.create_collection("things", **scheme)
    things.put_many({"id": f"k{n:04}", "n": n, "text": "common"} for n in range(count))
    return things


def directories(things: Things) -> list[str]:
    return sorted(path.name for path in things.partitions.shards.directory.iterdir())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_split_at_the_median_leaves_half_on_either_side(
    open_store: Callable[[], Store], scheme: dict[str, Any]
) -> None:
    things = filled(open_store(), **scheme)
    change = things.split(0)
    assert (change.kind, change.epoch, change.sources, change.targets) == ("split", 2, (0,), (1, 2))
    assert change.documents == 100
    left, right = things.stats()["partitions"]
    assert (left["documents"], right["documents"]) == (50, 50)
    assert left["upper"] == right["lower"]
    assert things.search("common", limit=100).total == 100
    assert [found.key for found in things.scan()] == [f"k{n:04}" for n in range(100)]
    things = open_store().collection("things")
    assert things.partitions.numbers == (1, 2)
    assert directories(things) == ["1", "2"]
    assert things.count() == 100


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_merge_undoes_a_split(open_store: Callable[[], Store], scheme: dict[str, Any]) -> None:
    things = filled(open_store(), **scheme)
    things.split(0)
    change = things.merge(2, 1)
    assert (change.kind, change.sources, change.targets) == ("merge", (1, 2), (3,))
    assert things.count() == things.search("common").total == 100
    assert [past["kind"] for past in things.stats()["history"]] == ["split", "merge"]
    things = open_store().collection("things")
    assert directories(things) == ["3"]


def test_documents_keep_their_versions_and_conditions_hold(store: Store) -> None:
    things = filled(store, 10, partitions=1)
    things.put({"id": "k0003", "n": 1}, if_version=1)
    things.split(0)
    found = things.fetch("k0003")
    assert found is not None
    assert found.version == 2
    assert things.put({"id": "k0003", "n": 2}, if_version=2).version == 3
    assert things.patch("k0003", {"n": 3}).version == 4


def test_a_range_is_split_at_a_given_key(store: Store) -> None:
    things = filled(store, partitioning=Range())
    things.split(0, at="k0010")
    left, right = things.stats()["partitions"]
    assert (left["documents"], right["documents"], right["lower"]) == (10, 90, "k0010")
    assert things.search(filter={"id": {"lt": "k0005"}}).plan.chosen.shards == (1,)


def test_a_heavy_first_part_of_a_compound_key_is_cut_by_ranges_only(store: Store) -> None:
    key = Key("seller", "at")
    ranged = store.create_collection("ranged", key=key, partitioning=Range())
    hashed = store.create_collection("hashed", key=key, partitions=1)
    for sales in (ranged, hashed):
        sales.put_many({"seller": 42, "at": at} for at in range(20))
    ranged.split(0)
    assert [part["documents"] for part in ranged.stats()["partitions"]] == [10, 10]
    assert [found.key for found in ranged.scan(prefix=(42,))] == [(42, at) for at in range(20)]
    with pytest.raises(InvalidRequest, match="one partition key only"):
        hashed.split(0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_to_split_is_refused_and_leaves_nothing(
    store: Store, scheme: dict[str, Any]
) -> None:
    things = filled(store, 0, **scheme)
    with pytest.raises(InvalidRequest, match="no documents"):
        things.split(0)
    things.put({"id": "only"})
    with pytest.raises(InvalidRequest, match="one partition key"):
        things.split(0)
    assert directories(things) == ["0"]


@pytest.mark.parametrize(
    ("scheme", "at"),
    [
        ({"partitions": 2}, "k0010"),
        ({"partitions": 2}, -1),
        ({"partitions": 2}, 2**31),
        ({"partitions": 2}, True),
        ({"partitioning": Range(pre_split=["k0050"])}, 7),
        ({"partitioning": Range(pre_split=["k0050"])}, ""),
        ({"partitioning": Range(pre_split=["k0050"])}, "k0050"),
        ({"partitioning": Range(pre_split=["k0050"])}, "z" * 600),
    ],
)
def test_a_bound_that_is_none_is_refused(store: Store, scheme: dict[str, Any], at: Any) -> None:
    things = filled(store, **scheme)
    with pytest.raises(InvalidRequest) as refused:
        things.split(0, at=at)
    assert refused.value.hint


def test_unknown_partitions_and_no_neighbours_are_refused(store: Store) -> None:
    things = filled(store, partitions=3)
    for unknown in (3, -1, "0", True):
        with pytest.raises(NotFound):
            things.split(unknown)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        things.merge(0, 7)
    with pytest.raises(InvalidRequest, match="not neighbours"):
        things.merge(0, 2)
    things.split(1)
    with pytest.raises(NotFound):
        things.merge(0, 1)


def test_a_store_that_is_only_read_is_not_split(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        filled(store)
    with Store.open(tmp_path, read_only=True) as reader:
        with pytest.raises(Unavailable, match="read-only"):
            reader.collection("things").split(0)
        with pytest.raises(Unavailable, match="read-only"):
            reader.collection("things").merge(0, 1)


def test_one_change_at_a_time(store: Store) -> None:
    things = filled(store, partitions=2)
    refused: list[Unavailable] = []
    shown: list[Any] = []

    def change_again() -> None:
        shown.append(things.stats()["moving"])
        with pytest.raises(Unavailable, match="already") as second:
            things.split(1)
        refused.append(second.value)

    with each_step(change_again):
        things.split(0)
    assert all(each.retryable for each in refused)
    assert {each["phase"] for each in shown if each} >= {"copying documents"}
    assert shown[-1] is None or shown[-1]["from"] == [0]
    assert things.stats()["moving"] is None


# What else goes on


@pytest.mark.parametrize("scheme", SCHEMES)
def test_writes_at_every_step_of_a_split_and_a_merge_are_kept(
    store: Store, scheme: dict[str, Any]
) -> None:
    things = filled(store, 40, **scheme)
    model = {found.key: found.version for found in things.scan()}
    step = 0

    def write(_: int) -> None:
        nonlocal step
        step += 1
        for key in (f"k{step % 40:04}", f"new{step % 7}"):
            model[key] = model.get(key, 0) + 1
            assert things.put({"id": key, "text": "common"}).version == model[key]
        if model.pop(f"k{(step + 20) % 40:04}", None):
            assert things.delete(f"k{(step + 20) % 40:04}").deleted
        assert things.search("common", limit=0).total == len(model) == things.count()

    for is_split in (True, False):
        with each_write_step(things, write):
            things.split(0) if is_split else things.merge(1, 2)
        assert {found.key: found.version for found in things.scan()} == model
        assert {hit.key for hit in things.search("common", limit=100).hits} == model.keys()
    assert step > 30


class Traffic:
    """Threads that write, search, scan and read the changes, and note whatever is not as it was."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.faults: list[object] = []
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work,))
            for work in (self._write, self._write_many, self._search, self._fold)
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[int], object]) -> None:
        turn = 0
        try:
            while not self._done.is_set():
                fault = work(turn)
                if fault:
                    self.faults.append(fault)
                turn += 1
        except Exception as error:  # noqa: BLE001  whatever it is, it is a fault
            self.faults.append(error)

    def _write(self, turn: int) -> object:
        key = f"k{turn % 300:04}"
        version = self.things.put({"id": key, "n": turn, "text": "common"}).version
        found = self.things.fetch(key)
        return found is None or found.version != version

    def _write_many(self, turn: int) -> object:
        keys = [f"m{turn % 3}-{n}" for n in range(5)]
        operations = [Put({"id": key, "text": "other"}) for key in keys]
        return self.things.write_many([*operations, *map(Delete, keys)]).errors

    def _search(self, turn: int) -> object:
        if turn % 2:
            found = sorted(hit.key for hit in self.things.search("common", limit=400).hits)
        else:
            found = sorted(each.key for each in self.things.scan(prefix="k"))
        return None if found == [f"k{n:04}" for n in range(300)] else found

    def _fold(self, _: int) -> object:
        state: dict[str, int] = {}
        for change in self.things.changes():
            expected = state.get(change.key, 0) + 1 if change.operation == "put" else 0
            if change.version != expected:
                return change
            state[change.key] = change.version
        return None


def test_writers_and_searchers_see_every_document_once_while_partitions_change(
    store: Store,
) -> None:
    things = filled(store, 300, partitions=2)
    traffic = Traffic(things)
    with traffic:
        for _ in range(2):
            for number in things.partitions.numbers:
                things.split(number)
            numbers = things.partitions.numbers
            for left, right in zip(numbers[::2], numbers[1::2], strict=True):
                things.merge(left, right)
    assert traffic.faults == []
    assert len(things.partitions.numbers) == 2


def test_a_search_and_a_scan_end_on_the_map_they_began_with(store: Store) -> None:
    things = filled(store, 600, partitions=2)
    scan = things.scan()
    seen = [next(scan).key for _ in range(3)]
    feed = things.changes()
    things.split(0)
    seen += [found.key for found in scan]
    assert seen == [f"k{n:04}" for n in range(600)]
    assert len(list(feed)) == 600


# Positions from before


def test_positions_and_answers_from_before_a_split_stay_valid(store: Store) -> None:
    things = filled(store, 20, partitions=1)
    written = things.put({"id": "k0001", "n": 7}, op_id="once")
    things.split(0)
    assert things.put({"id": "k0001", "n": 7}, op_id="once") == written
    assert things.search("common", after=written.position).total == 19
    things.merge(1, 2)
    assert things.put({"id": "k0001", "n": 7}, op_id="once") == written
    assert things.put_many([]).position == ()
    assert things.write_many([Put({"id": "k0001"}, op_id="once")])[0] == written
    assert things.search("common", after=str(written.position)).total == 19
    with pytest.raises(InvalidRequest, match="beyond"):
        things.search("common", after=Position(0, 1, 22))
    for nowhere in (Position(4, 1, 1), Position(0, 2, 1), Position(3, 1, 1)):
        with pytest.raises(InvalidRequest, match="does not have"):
            things.search("common", after=nowhere)
    for nothing in ("", " "):
        with pytest.raises(InvalidRequest, match="is not a position"):
            list(things.changes(after=nothing))


def test_the_changes_go_on_over_splits_and_merges(store: Store) -> None:
    things = filled(store, 30, partitions=1)
    seen: dict[int, Position] = {}
    read: list[tuple[str, int]] = []

    def read_some(limit: int | None) -> None:
        for change in things.changes(seen.values(), limit):
            seen[change.position.partition] = change.position
            read.append((change.key, change.version))

    read_some(11)
    things.split(0)
    things.put({"id": "k0029"})
    read_some(7)
    things.merge(1, 2)
    things.put({"id": "k0000"})
    read_some(15)
    things.put({"id": "k0000"})
    read_some(None)
    assert len(read) == len(set(read)) == 33
    assert [version for key, version in read if key == "k0000"] == [1, 2, 3]
    assert list(things.changes(seen.values())) == []
    assert list(things.changes(things.position())) == []
    assert len(list(things.changes("0@1:25"))) == 8


# Others that follow


def test_a_global_index_answers_during_and_after_a_split(store: Store) -> None:
    things = filled(store, 50, partitions=2, indexes=[GlobalIndex("n", partitions=2)])
    things.indexes.catch_up()

    def look_up() -> None:
        assert things.indexes.lookup("n", gte=0, limit=0).total == 50

    with each_step(look_up):
        things.split(0)
        things.merge(*things.partitions.numbers[:2])
    things.put({"id": "k0049", "n": 999})
    (row,) = things.indexes.lookup("n", 999).rows
    assert row.key == "k0049"


def test_a_reading_process_follows_the_map(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        filled(store, 40, partitions=1)
    with Store.open(tmp_path, read_only=True) as reader:
        things = reader.collection("things")
        assert things.search("common", limit=50).total == 40
        program = (
            "import sys; from docstore import Store; store = Store.open(sys.argv[1]); "
            "things = store.collection('things'); things.split(0); "
            "things.put({'id': 'new', 'text': 'common'}); store.close()"
        )
        scan = things.scan()
        next(scan)
        subprocess.run([sys.executable, "-c", program, tmp_path], check=True)
        assert things.get("new") == {"id": "new", "text": "common"}
        assert things.search("common", limit=50).total == 41
        assert things.partitions.numbers == (1, 2)
        assert len(list(scan)) == 39
        assert reader.collection("things").count() == 41
        assert len(list(things.changes())) == 41


# Faults


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_crash_at_any_step_leaves_the_old_map_or_the_new_one(
    tmp_path: Path, scheme: dict[str, Any]
) -> None:
    """Every state in which a killed process can leave the files, one after another."""
    copies: list[Path] = []

    def copy() -> None:
        copies.append(tmp_path / f"copy-{len(copies)}")
        copied(tmp_path / "data", copies[-1])

    with Store.open(tmp_path / "data") as store:
        things = filled(store, 30, indexes=[GlobalIndex("n")], **scheme)
        things.put({"id": "k0003", "n": 1}, op_id="once")
        expected = {found.key: found.version for found in things.scan()}
        with each_step(copy):
            things.split(0)
            things.merge(1, 2)
    epochs = []
    for path in copies:
        with Store.open(path) as store:
            things = store.collection("things")
            assert list(store.check()) == []
            assert {found.key: found.version for found in things.scan()} == expected
            assert things.search("common", limit=0).total == 29
            assert len(list(things.changes())) == 31
            assert things.put({"id": "k0003"}, op_id="once").position == Position(0, 1, 31)
            assert directories(things) == sorted(map(str, things.partitions.numbers))
            assert not (path / "things" / "moving.json").exists()
            epochs.append(things.partitions.definition.partition_map.epoch)
            things.put({"id": "after"})
        shutil.rmtree(path)
    assert epochs == sorted(epochs)
    assert set(epochs) == {1, 2, 3}


@pytest.mark.parametrize("failing", range(1, 60, 3))
def test_a_full_disk_at_any_step_changes_nothing_and_leaves_nothing(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    things = filled(open_store(), 30, partitions=1)
    step = 0
    real = Environment.write

    def write(self: Environment, body: Callable[[Any], Any]) -> Any:
        nonlocal step
        is_new = self.path.parent.name in ("1", "2")
        step += is_new
        if is_new and step == failing:
            raise Unavailable("the disk seems full", hint="free some space", retryable=True)
        return real(self, body)

    monkeypatch.setattr(Environment, "write", write)
    outcome: PartitionChange | Unavailable
    try:
        outcome = things.split(0)
    except Unavailable as error:
        outcome = error
    monkeypatch.undo()
    if isinstance(outcome, Unavailable):
        assert "full" in outcome.message
        assert directories(things) == ["0"]
        assert not (things.partitions.shards.directory.parent / "moving.json").exists()
        assert things.split(0).targets == (1, 2)
    else:
        assert step < failing
    assert things.count() == things.search("common").total == 30


def test_a_map_that_cannot_be_written_is_not_changed(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    things = filled(open_store(), 30, partitions=1)
    real = Path.replace

    def replaced(self: Path, target: Path) -> Path:
        if target.name == "collection.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replaced)
    with pytest.raises(Unavailable):
        things.split(0)
    monkeypatch.undo()
    things.put({"id": "after", "text": "common"})
    assert things.search("common").total == 31
    assert directories(things) == ["0"]
    things = open_store().collection("things")
    assert things.count() == 31


def test_a_map_of_which_nobody_knows_whether_it_is_on_disk_takes_no_writes(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    things = filled(open_store(), 30, partitions=1)
    real = Path.replace

    def replaced(self: Path, target: Path) -> Path:
        real(self, target)
        if target.name == "collection.json":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return target

    monkeypatch.setattr(Path, "replace", replaced)
    with pytest.raises(Unavailable):
        things.split(0)
    monkeypatch.undo()
    with pytest.raises(Unavailable, match="durable"):
        things.put({"id": "k0001"})
    with pytest.raises(Unavailable, match="durable"):
        things.split(0)
    assert things.get("k0001") is not None
    things = open_store().collection("things")
    assert (things.partitions.numbers, things.count()) == ((1, 2), 30)


def test_a_store_that_is_closed_during_a_split_keeps_the_old_map(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    things = filled(store, 200, partitions=1)
    begun = threading.Event()
    outcome: list[object] = []

    def split() -> None:
        with each_step(begun.set):
            try:
                outcome.append(things.split(0))
            except Exception as error:  # noqa: BLE001  looked at below
                outcome.append(error)

    thread = threading.Thread(target=split)
    thread.start()
    begun.wait()
    store.close()
    thread.join()
    assert isinstance(outcome[0], PartitionChange) or outcome[0].code == "closed"  # type: ignore[attr-defined]
    with Store.open(tmp_path) as store:
        assert list(store.check()) == []
        assert store.collection("things").count() == 200


def test_a_map_is_written_with_its_history(store: Store) -> None:
    things = filled(store, 10, partitioning=Range())
    things.split(0, at="k0005")
    stored = read_json(store.path / "things" / "collection.json")
    assert stored["format"] == 2
    (change,) = stored["partition_map"]["history"]
    assert (change["from"], change["into"]) == ([{"number": 0, "epoch": 1, "last": 10}], [1, 2])


def test_what_was_written_before_goes_when_the_log_since_has_no_beginning(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.shards.shard.LOG_ENTRIES_KEPT", 10)
    things = filled(open_store(), 20, partitions=1)
    things.refresh()
    before = things.position()
    things.put({"id": "k0001"})
    things.split(0)
    histories = [things.partitions.shard(n).directory / INHERITED_FILE for n in (1, 2)]
    assert all(path.exists() for path in histories)
    reader = things.changes(before)
    assert [change.key for change in reader] == ["k0001"]
    kept = histories[0].read_bytes()
    shard = things.partitions.shard(1)
    mine = [f"m{n}" for n in range(200) if things.partitions.owner_of(f"m{n}") == 1][:30]
    late = things.changes(before)
    for key in mine[:9]:
        things.put({"id": key})
    things.refresh()
    assert histories[0].exists()
    seen = [next(late).key]
    for key in mine[9:]:
        things.put({"id": key})
        things.refresh()
    assert not shard.has_whole_log
    assert [path.exists() for path in histories] == [False, True]
    assert seen == ["k0001"]
    with pytest.raises(LogTrimmed):
        list(things.changes(before))
    assert list(things.changes(things.position())) == []
    things.partitions.shards.close(refresh=False)
    histories[0].write_bytes(kept)  # as if the process had died before it was removed
    things = open_store().collection("things")
    assert things.count() == 20 + len(mine)
    assert not histories[0].exists()
