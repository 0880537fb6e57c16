"""New shards are made by another process, and where that cannot be, in this one."""

import io
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from docstore import (
    Collection,
    GlobalIndex,
    Key,
    PartitionChange,
    Range,
    Store,
    Unavailable,
    working_apart,
)
from docstore.giving_way import WORK_SECONDS, giving_way
from docstore.map_changes import moving_apart
from docstore.map_changes.moving import Progress
from docstore.map_changes.reshaping import reshaped, split_at
from docstore.map_format import map_to_json
from docstore.partitioning import PartitionMap

Things = Collection[dict[str, Any]]
PHASES = ["copying documents", "copying the log", "indexing"]
MAP = PartitionMap.even(1)


class Apart:
    """Notes whether the shards of each change were made apart, and interferes at a phase."""

    def __init__(self) -> None:
        self.made: list[bool] = []
        self.phases: list[str] = []
        self.at: dict[str, Callable[[], None]] = {}
        self._make = moving_apart.make_apart

    def make_apart(
        self,
        collection: Path,
        after: PartitionMap,
        is_wanted: Callable[[], bool],
        progress: Progress,
    ) -> dict[int, int] | None:
        def heard(phase: str, done: int, of: int) -> None:
            self.phases.append(phase)
            self.at.pop(phase, lambda: None)()
            progress(phase, done, of)

        self.made.append(False)
        found = self._make(collection, after, is_wanted, heard)
        self.made[-1] = found is not None
        return found


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Apart:
    """Shards are made apart however few documents they hold."""
    noted = Apart()
    monkeypatch.setattr(moving_apart, "DOCUMENTS_MIN", 1)
    monkeypatch.setattr(moving_apart, "make_apart", noted.make_apart)
    return noted


def filled(store: Store, count: int = 50, **scheme: Any) -> Things:
    things = store.create_collection("things", **(scheme or {"partitions": 1}))
    things.put_many({"id": f"k{n:04}", "n": n, "text": "common words"} for n in range(count))
    return things


def children() -> list[int]:
    """The processes that make shards for this one."""
    mine = f"/proc/self/task/{threading.get_native_id()}/children"
    return list(map(int, Path(mine).read_text().split()))


@pytest.mark.parametrize(
    "scheme",
    [
        {"partitions": 1},
        {"partitioning": Range(), "key": Key("n", "id")},
        {"partitions": 1, "indexes": [GlobalIndex("n")]},
    ],
)
def test_the_shards_of_a_split_and_a_merge_are_made_apart(
    open_store: Callable[[], Store], apart: Apart, scheme: dict[str, Any]
) -> None:
    things = filled(open_store(), 500, **scheme)
    things.split(0)
    assert apart.made == [True]
    assert set(PHASES) <= set(apart.phases)
    assert things.search("common", limit=0).total == 500
    assert things.search(filter={"n": {"gte": 490}}, sort="-n").hits[0].document["n"] == 499
    things.put({"id": "k0000", "n": 0, "text": "other"})
    assert things.search("common", limit=0).total == 499
    things.merge(1, 2)
    assert apart.made == [True, True]
    assert things.search("common", limit=0).total == 499
    assert len(list(things.changes())) == 501
    things = open_store().collection("things")
    assert things.search("common", limit=0).total == 499
    assert len(list(things.changes())) == 501


def test_the_other_process_gives_way_to_all_others(store: Store, apart: Apart) -> None:
    things = filled(store, 300)
    nice: list[int] = []
    apart.at = {
        "indexing": lambda: nice.extend(os.getpriority(os.PRIO_PROCESS, n) for n in children())
    }
    things.split(0)
    assert nice == [10]


def test_what_is_written_meanwhile_is_followed_there_and_here(store: Store, apart: Apart) -> None:
    things = filled(store, 300)
    written: list[Any] = []

    def write() -> None:
        number = len(written)
        things.delete(f"k{number:04}")
        written.append(things.put({"id": f"new{number}", "text": "common"}, op_id=f"o{number}"))

    apart.at = dict.fromkeys(PHASES, write)
    things.split(0)
    assert apart.made == [True]
    assert len(written) == 3
    assert things.count() == things.search("common", limit=0).total == 300
    for number, answer in enumerate(written):
        assert things.put({"id": f"new{number}"}, op_id=f"o{number}") == answer
    assert len(list(things.changes())) == 306


def test_a_bulk_load_beside_splits_is_neither_refused_nor_loses_anything(
    store: Store, apart: Apart
) -> None:
    things = filled(store, 500)
    refused: list[Any] = []

    def load() -> None:
        for first in range(500, 12_500, 400):
            batch = (
                {"id": f"k{n:05}", "n": n, "text": "common"} for n in range(first, first + 400)
            )
            refused.extend(things.put_many(batch).errors)

    loading = threading.Thread(target=load)
    loading.start()
    while loading.is_alive() or len(things.partitions.numbers) < 3:
        held = {
            number: things.partitions.shard(number).count() for number in things.partitions.numbers
        }
        things.split(max(held, key=held.__getitem__))
    loading.join()
    assert set(apart.made) == {True}
    assert refused == []
    assert things.count() == things.search("common", limit=0).total == 12_500
    assert {found.version for found in things.scan()} == {1}
    assert len(list(things.changes())) == 12_500
    assert list(store.check()) == []


@pytest.mark.parametrize("phase", PHASES)
def test_one_that_is_killed_at_any_phase_leaves_the_work_to_this_process(
    store: Store, apart: Apart, phase: str
) -> None:
    things = filled(store, 300)

    def kill() -> None:
        for child in children():
            os.kill(child, signal.SIGKILL)

    apart.at = {phase: kill}
    things.split(0)
    assert apart.made == [False] or apart.phases[-1] == "indexing"  # it was done already
    assert things.count() == things.search("common", limit=0).total == 300
    assert list(store.check()) == []


@pytest.mark.parametrize("phase", PHASES)
def test_a_store_that_is_closed_at_any_phase_ends_it_and_keeps_the_old_map(
    tmp_path: Path, apart: Apart, phase: str
) -> None:
    store = Store.open(tmp_path)
    things = filled(store, 300)
    closing = threading.Thread(target=store.close)
    shards = things.partitions.shards

    def close() -> None:
        closing.start()
        while not shards.is_closed:
            closing.join(0.001)

    apart.at = {phase: close}
    outcome: PartitionChange | Exception
    try:
        outcome = things.split(0)
    except Exception as error:  # noqa: BLE001  looked at below
        outcome = error
    closing.join()
    assert outcome.code == "closed"  # type: ignore[union-attr]
    assert children() == []
    assert [path.name for path in shards.directory.iterdir()] == ["0"]
    with Store.open(tmp_path) as store:
        assert store.collection("things").count() == 300


PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from docstore import Store
from docstore.map_changes import moving_apart

def make_apart(collection, after, is_wanted, progress):
    def heard(phase, done, of):
        if phase == sys.argv[2]:
            task = f"/proc/self/task/{threading.get_native_id()}"
            print(Path(task, "children").read_text(), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    return make(collection, after, is_wanted, heard)

make, moving_apart.make_apart, moving_apart.DOCUMENTS_MIN = moving_apart.make_apart, make_apart, 1
things = Store.open(sys.argv[1]).create_collection("things", partitions=1)
things.put_many({"id": f"k{n:04}", "n": n, "text": "common words"} for n in range(300))
things.split(0)
"""


@pytest.mark.parametrize("phase", PHASES)
def test_it_ends_with_a_process_that_is_killed_and_leaves_nothing(
    tmp_path: Path, phase: str
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), phase]
    killed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    with Store.open(tmp_path) as store:  # at once, as a supervisor would
        things = store.collection("things")
        directory = things.partitions.shards.directory
        with suppress(ProcessLookupError):  # it has ended already
            other = os.pidfd_open(int(killed.stdout))
            assert select.select([other], [], [], 30)[0]
            os.close(other)
        assert [path.name for path in directory.iterdir()] == ["0"]
        assert not (tmp_path / "things" / "moving.json").exists()
        assert things.count() == things.search("common", limit=0).total == 300
        things.split(0)
        assert list(store.check()) == []
    assert sorted(path.name for path in directory.iterdir()) == ["1", "2"]


def test_while_one_that_was_stopped_lives_on_nobody_touches_what_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = PROGRAM.replace(
        "os.kill(os.getpid()",
        "os.kill(int(Path(task, 'children').read_text()), signal.SIGSTOP)\n"
        "            os.kill(os.getpid()",
    )
    command = [sys.executable, "-c", stopping, str(tmp_path), "copying documents"]
    killed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    directory = tmp_path / "things" / "shards"
    made = sorted(path.name for path in directory.iterdir())
    assert made == ["0", "1", "2"]
    try:
        monkeypatch.setattr(working_apart, "ENDS_SECONDS_MAX", 0.0)
        with pytest.raises(Unavailable) as refused, Store.open(tmp_path) as store:
            store.collection("things")
        assert refused.value.retryable
        assert "moving_apart" in refused.value.hint
        assert sorted(path.name for path in directory.iterdir()) == made
        with Store.open(tmp_path, read_only=True) as store:
            assert store.collection("things").count() == 300
    finally:
        os.kill(int(killed.stdout), signal.SIGCONT)
    monkeypatch.undo()
    with Store.open(tmp_path) as store:
        assert store.collection("things").count() == 300
        assert [path.name for path in directory.iterdir()] == ["0"]


@pytest.mark.parametrize("is_held_open", [False, True], ids=["closed", "held by a fork"])
def test_one_whose_parent_is_gone_before_it_begins_makes_nothing(
    tmp_path: Path, is_held_open: bool
) -> None:
    with Store.open(tmp_path) as store:
        things = filled(store)
        cut = split_at(things.partitions.definition.partition_map, 0, 5)
        after = reshaped(things.partitions.definition.partition_map, cut, {0: 50}, 0)
    collection, answers = tmp_path / "things", io.BytesIO()
    line = orjson.dumps(map_to_json(after)) + b"\n"
    reading, writing = os.pipe()
    os.write(writing, line)
    if not is_held_open:
        os.close(writing)
    with open(reading, "rb") as asked:  # noqa: PTH123  a pipe has no path
        parent = os.getpid() if is_held_open else os.getppid()
        moving_apart.main(collection, parent, asked, answers)
    if is_held_open:
        os.close(writing)
    assert answers.getvalue() == b""
    assert [path.name for path in (collection / "shards").iterdir()] == ["0"]


@pytest.mark.parametrize("executable", ["", "/usr/bin/uwsgi", "/nowhere/python3"])
def test_without_another_interpreter_the_shards_are_made_here(
    store: Store, apart: Apart, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    things = filled(store)
    monkeypatch.setattr(sys, "executable", executable)
    things.split(0)
    assert apart.made == [False]
    assert things.search("common", limit=0).total == 50


def test_the_other_process_ends_when_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert moving_apart.make_apart(tmp_path, MAP, lambda: False, print) is None
    assert time.monotonic() - begun < 10
    assert children() == []


def test_the_other_process_ends_with_this_one() -> None:
    program = (
        "import os, sys; from docstore.working_apart import _end_with_parent as end;"
        "end(os.getppid(), sys.stdin)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 1


def test_what_another_process_could_not_make_is_made_here(
    store: Store, apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = filled(store)
    monkeypatch.setattr(moving_apart, "__name__", "docstore.no_such_module")
    things.split(0)
    assert apart.made == [False]
    assert things.search("common", limit=0).total == 50


def on_a_small_disk(directory: Path) -> Path:
    """An interpreter that can write no file of more than 64 blocks."""
    limited = directory / "python3"
    limited.write_text(f'#!/bin/sh\nulimit -f 64\nexec {sys.executable} "$@"\n')
    limited.chmod(0o755)
    return limited


def test_a_disk_that_is_full_there_is_not_filled_again_here(
    store: Store, apart: Apart, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    things = filled(store, 2_000)
    limited = on_a_small_disk(tmp_path)
    monkeypatch.setattr(sys, "executable", str(limited))
    with pytest.raises(Unavailable) as refused:
        things.split(0)
    assert refused.value.retryable
    assert refused.value.hint
    assert apart.made == [False]
    assert [path.name for path in things.partitions.shards.directory.iterdir()] == ["0"]
    assert things.count() == things.search("common", limit=0).total == 2_000


def test_a_disk_that_is_full_there_lets_writers_go_on_and_the_split_be_made_later(
    store: Store, apart: Apart, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    things = filled(store, 2_000)
    limited = on_a_small_disk(tmp_path)
    written: list[int] = []
    failed: list[Exception] = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            try:
                things.put({"id": f"new{len(written):05}", "text": "common"})
                assert things.search("common", limit=0).total == 2_001 + len(written)
            except Exception as error:  # noqa: BLE001  looked at below
                failed.append(error)
                return
            written.append(1)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        with monkeypatch.context() as full:
            full.setattr(sys, "executable", str(limited))
            with pytest.raises(Unavailable) as refused:
                things.split(0)
        assert "full" in refused.value.message
        assert refused.value.retryable
        before = len(written)
        assert [path.name for path in things.partitions.shards.directory.iterdir()] == ["0"]
        assert not (store.path / "things" / "moving.json").exists()
        things.split(0)
    finally:
        done.set()
        writing.join()
    assert failed == []
    assert len(written) > before > 0
    assert apart.made == [False, True]
    assert things.count() == things.search("common", limit=0).total == 2_000 + len(written)
    assert list(store.check()) == []


def test_no_more_is_done_than_there_is(store: Store, apart: Apart) -> None:
    told: list[tuple[str, int, int]] = []
    things = filled(store, 5_000)

    def make_apart(
        collection: Path,
        after: PartitionMap,
        is_wanted: Callable[[], bool],
        progress: Progress,
    ) -> dict[int, int] | None:
        def heard(phase: str, done: int, of: int) -> None:
            told.append((phase, done, of))
            if done == 2_000:
                things.put_many({"id": f"{n}"} for n in range(600))
            progress(phase, done, of)

        return apart.make_apart(collection, after, is_wanted, heard)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving_apart, "make_apart", make_apart)
        things.split(0)
    assert apart.made == [True]
    assert {phase for phase, _, _ in told} >= set(PHASES)
    assert [each for each in told if not 0 <= each[1] <= each[2]] == []


def test_long_work_gives_way_and_leaves_nothing_out() -> None:
    assert list(giving_way(range(20_000))) == list(range(20_000))
    pauses: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("docstore.giving_way.time.sleep", pauses.append)
        for _ in giving_way(range(64)):
            until = time.perf_counter() + WORK_SECONDS / 4
            while time.perf_counter() < until:
                pass
    assert 1 <= len(pauses) <= 64 // 8
