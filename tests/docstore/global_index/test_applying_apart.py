"""Changes of index partitions are written by another process, and where that cannot be, here."""

import io
import marshal
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store, Unavailable, working_apart
from docstore.files import Identity
from docstore.global_index import applying_apart
from docstore.global_index.applying_apart import Applier
from docstore.global_index.index_partition import IndexPartition
from docstore.global_index.partition_changes import Changes, Checkpoint
from docstore.global_index.postings import packed

Cars = Collection[dict[str, Any]]
READY, DONE, NOT_DONE = applying_apart._READY, applying_apart._DONE, applying_apart._NOT_DONE
AT = {3: Checkpoint(17, None, 20), 4: Checkpoint(5, b"k4")}
NONE = 0, 0
PARTS = Path("cars", "indexes", "color", "0")


def changes(count: int, term: bytes = b"\x03red\x00") -> dict[bytes, dict[bytes, bytes]]:
    """A posting of some documents each."""
    keys = [b"k%04d" % n for n in range(count)]
    return {key: {term: packed(term, key, 1, 2, 3, b"[7]")} for key in keys}


def several(key: bytes, *terms: bytes) -> dict[bytes, bytes]:
    """The postings of one document, of which some share what they carry."""
    rest = b',"' + key + b'"]'
    plain = packed(b"\x03red\x00", key, 1, 2, 3, b"[7]")
    return {b"\x03red\x00": plain} | {
        term: packed(term, key, 1, 2, 3, b"[7]", several=True, shared=rest) for term in terms
    }


def content(partition: IndexPartition) -> tuple[Any, ...]:
    """All that a partition holds."""
    return (
        partition.rows(b"", None, 9999),
        list(partition.entries()),
        list(partition.documents()),
        list(partition.counted()),
        partition.checkpoints(),
    )


@pytest.fixture
def partition(tmp_path: Path) -> Iterator[IndexPartition]:
    """One that is open here, as those of an index are."""
    opened = IndexPartition(tmp_path / PARTS, read_only=False)
    opened.checkpoints()
    yield opened
    opened.close()


def file(partition: IndexPartition) -> Identity:
    """The one that a partition has open."""
    assert partition.identity is not None
    return partition.identity


@pytest.fixture
def applier(monkeypatch: pytest.MonkeyPatch) -> Iterator[Applier]:
    """One that is asked whatever there is, and has started."""
    monkeypatch.setattr(applying_apart, "FIRST_DOCUMENTS_MIN", 0)
    monkeypatch.setattr(applying_apart, "DOCUMENTS_MIN", 0)
    opened = Applier()
    started(opened)
    yield opened
    opened.close()


def started(applier: Applier) -> int:
    """The number of its process, once that is ready."""
    applier.apply(Path("/no/such/place"), NONE, {}, {})
    other = applier._other
    assert other is not None
    assert other.was_ready or select.select([other._socket], [], [], 30)[0]
    assert other.is_ready
    return other._process.pid


def test_what_is_applied_there_is_what_is_applied_here(
    partition: IndexPartition, applier: Applier, tmp_path: Path
) -> None:
    here = IndexPartition(tmp_path / "here" / PARTS, read_only=False)
    steps: list[tuple[Changes, dict[int, Checkpoint]]] = [
        (changes(5), AT),
        ({b"k0001": {}, b"k0002": several(b"k0002", b"a", b"b")}, {3: Checkpoint(18, None)}),
        ({b"k0003": several(b"k0003", b"b", b"c"), b"k0002": several(b"k0002", b"c")}, {}),
        ({}, {4: Checkpoint(9, None)}),
        (changes(3000, b"\x03green\x00"), {}),
    ]
    for step in steps:
        here.apply(*step)
        assert applier.apply(tmp_path / PARTS, file(partition), *step)
        assert content(partition) == content(here)
    here.close()


def test_a_file_that_grew_there_is_read_and_written_here(
    partition: IndexPartition, applier: Applier, tmp_path: Path
) -> None:
    large = {key: {b"a": rows[b"a"] + b" " * 400} for key, rows in changes(9999, b"a").items()}
    for turn in range(8):
        each = {key + b"%d" % turn: rows for key, rows in large.items()}
        assert applier.apply(tmp_path / PARTS, file(partition), each, {})
        assert partition.sizes()[0] == 9999 * (turn + 1)
    partition.apply(changes(3), AT)
    assert partition.sizes()[0] == 8 * 9999 + 3


def test_little_is_not_worth_it_and_a_start_is_not_waited_for(
    partition: IndexPartition, tmp_path: Path
) -> None:
    applier = Applier()
    try:
        assert not applier.apply(tmp_path / PARTS, file(partition), changes(1999), AT)
        assert applier._other is None
        # Asked for; but an interpreter takes longer to start than this line.
        assert not applier.apply(tmp_path / PARTS, file(partition), changes(2000), AT)
        started(applier)
        assert not applier.apply(tmp_path / PARTS, file(partition), changes(99), AT)
        assert partition.sizes()[0] == 0
        assert applier.apply(tmp_path / PARTS, file(partition), changes(100), AT)
        assert partition.sizes()[0] == 100
    finally:
        applier.close()


def test_one_that_was_killed_is_made_up_for_and_another_started(
    partition: IndexPartition, applier: Applier, tmp_path: Path
) -> None:
    first = started(applier)
    os.kill(first, signal.SIGKILL)
    assert not applier.apply(tmp_path / PARTS, file(partition), changes(5), AT)
    partition.apply(changes(5), AT)
    assert started(applier) != first
    assert applier.apply(tmp_path / PARTS, file(partition), changes(9), AT)
    assert partition.sizes()[0] == 9


def test_one_that_is_killed_while_it_writes_keeps_nobody_from_writing(
    partition: IndexPartition, applier: Applier, tmp_path: Path
) -> None:
    for turn in range(6):
        process = started(applier)
        killing = threading.Timer(turn / 50, os.kill, (process, signal.SIGKILL))
        killing.start()
        many = changes(20_000 + turn)
        is_done = applier.apply(tmp_path / PARTS, file(partition), many, AT)
        killing.join()
        if not is_done:
            partition.apply(many, AT)
        assert partition.sizes()[0] == 20_000 + turn
        assert partition.checkpoints()[0] == AT
        applier.apply(
            tmp_path / PARTS, file(partition), {}, {}
        )  # it learns of its end, if it did not


def test_one_that_does_not_answer_is_ended(
    partition: IndexPartition, applier: Applier, tmp_path: Path
) -> None:
    process = started(applier)
    assert applier._other is not None
    applier._other._socket.settimeout(0.1)
    os.kill(process, signal.SIGSTOP)
    assert not applier.apply(tmp_path / PARTS, file(partition), changes(5), AT)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    partition.apply(changes(5), AT)
    assert started(applier) != process


class Interrupted(BaseException):
    """What a signal's handler raises, anywhere."""


def interrupt(*_: object) -> None:
    raise Interrupted


def test_one_whose_answer_was_not_waited_for_is_asked_no_more(
    partition: IndexPartition, applier: Applier, tmp_path: Path
) -> None:
    process = started(applier)
    os.kill(process, signal.SIGSTOP)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(Interrupted):
        applier.apply(tmp_path / PARTS, file(partition), changes(5), AT)
    signal.signal(signal.SIGALRM, before)
    with pytest.raises(ProcessLookupError):  # its answer would be taken for the next one's
        os.kill(process, 0)
    partition.apply(changes(9), AT)
    assert started(applier) != process
    assert not applier.apply(Path("/no/such/place"), NONE, changes(5), AT)
    assert partition.sizes()[0] == 9


def test_what_other_code_says_when_an_interpreter_starts_is_no_answer(
    partition: IndexPartition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('rrdd')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    monkeypatch.setattr(applying_apart, "FIRST_DOCUMENTS_MIN", 0)
    applier = Applier()
    assert not applier.apply(tmp_path / PARTS, file(partition), changes(500), AT)
    assert applier._other is not None
    assert select.select([applier._other._socket], [], [], 30)[0]
    assert not applier.apply(tmp_path / PARTS, file(partition), changes(500), AT)
    assert applier._is_useless
    assert partition.sizes()[0] == 0


@pytest.mark.parametrize("executable", ["", "/usr/bin/uwsgi", "/nowhere/python3", "/bin/false"])
def test_without_another_interpreter_all_is_applied_here(
    partition: IndexPartition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(applying_apart, "FIRST_DOCUMENTS_MIN", 0)
    monkeypatch.setattr(applying_apart, "DOCUMENTS_MIN", 0)
    if executable == "/bin/false":
        executable = str(tmp_path / "python3")
        Path(executable).write_text("#!/bin/sh\nexit 1\n")
        Path(executable).chmod(0o755)
    monkeypatch.setattr(sys, "executable", executable)
    applier = Applier()
    assert not applier.apply(tmp_path / PARTS, file(partition), changes(5), AT)
    if applier._other is not None:
        applier._other._process.wait()
        assert not applier.apply(tmp_path / PARTS, file(partition), changes(5), AT)
    assert applier._other is None
    monkeypatch.undo()
    monkeypatch.setattr(applying_apart, "FIRST_DOCUMENTS_MIN", 0)
    assert not applier.apply(
        tmp_path / PARTS, file(partition), changes(5), AT
    )  # it is not tried again and again
    assert applier._other is None


def frames(*values: Any) -> io.BytesIO:
    """What is sent for a request."""
    dumped = map(marshal.dumps, values)
    return io.BytesIO(b"".join(struct.pack("<I", len(each)) + each for each in dumped))


def asked(requests: io.BytesIO, *, parent: int) -> bytes:
    """What is answered to requests that are there from the beginning."""
    reading, writing = os.pipe()
    os.write(writing, requests.getvalue())
    os.close(writing)
    answers = io.BytesIO()
    with open(reading, "rb", 0) as given:  # noqa: PTH123  a pipe has no path
        applying_apart.serve(parent, given, answers)
    return answers.getvalue()


def test_one_whose_parent_is_gone_writes_nothing(partition: IndexPartition, tmp_path: Path) -> None:
    moved = {3: (17, None, 20)}
    request = frames((str(tmp_path / PARTS), file(partition), moved, 1), (changes(5), {}))
    partition.close()  # as no process has a file open twice
    for parent, answer, documents in [(os.getpid(), NOT_DONE, 0), (os.getppid(), DONE, 5)]:
        assert asked(request, parent=parent) == READY + answer
        found = IndexPartition(tmp_path / PARTS, read_only=False)
        assert found.sizes()[0] == documents
        found.close()


def test_a_file_that_was_deleted_or_replaced_is_not_made_nor_written(
    partition: IndexPartition, tmp_path: Path
) -> None:
    request = frames((str(tmp_path / PARTS), file(partition), {}, 1), (changes(5), {}))
    path = tmp_path / PARTS
    path.rename(tmp_path / "elsewhere")
    assert asked(request, parent=os.getppid()) == READY + NOT_DONE
    assert not path.exists()
    path.mkdir()
    assert asked(request, parent=os.getppid()) == READY + NOT_DONE
    assert list(path.iterdir()) == []
    other = IndexPartition(path, read_only=False)
    other.apply(changes(3), AT)
    other.close()
    assert asked(request, parent=os.getppid()) == READY + NOT_DONE
    other = IndexPartition(path, read_only=False)
    assert (other.sizes()[0], partition.sizes()[0]) == (3, 0)
    other.close()


def test_what_fails_there_is_not_done(tmp_path: Path) -> None:
    (tmp_path / "cars" / "indexes").mkdir(parents=True)
    request = frames((str(tmp_path / PARTS), NONE, {}, 1), (changes(5), {}))
    assert asked(request, parent=os.getppid()) == READY + NOT_DONE
    assert list((tmp_path / "cars" / "indexes").iterdir()) == []


def test_it_ends_when_nothing_is_asked_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying_apart, "IDLE_SECONDS", 0.0)
    reading, writing = os.pipe()
    with open(reading, "rb") as requests, open(writing, "wb"):  # noqa: PTH123  pipes have no path
        applying_apart.serve(os.getppid(), requests, io.BytesIO())


def test_nothing_is_left_of_one_that_ended_for_want_of_work(applier: Applier) -> None:
    process = started(applier)
    os.kill(process, signal.SIGKILL)
    awaited = [each for each in threading.enumerate() if each.name == f"docstore-child-{process}"]
    for each in awaited:
        each.join(30)
    with pytest.raises(ProcessLookupError):  # it would be there until its parent has asked for it
        os.kill(process, 0)
    assert applier._other is not None


def filled(store: Store, first: int, last: int) -> Cars:
    cars: Cars = store.collection("cars")
    assert not cars.put_many(
        {"id": f"{n:05}", "color": ["red", "blue"][n % 2], "price": n} for n in range(first, last)
    ).errors
    return cars


def test_indexes_are_written_there_and_the_process_ends_with_the_store(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying_apart, "FIRST_DOCUMENTS_MIN", 0)
    monkeypatch.setattr(applying_apart, "DOCUMENTS_MIN", 0)
    store = open_store()
    declared = [GlobalIndex("color", include=["price"]), GlobalIndex("price", by="range")]
    store.create_collection("cars", partitions=4, indexes=declared)
    process = started(store._resources.applier)
    cars = filled(store, 0, 3000)
    cars.indexes.catch_up()
    filled(store, 1000, 2000)
    filled(store, 3000, 4000)
    cars.indexes.catch_up()
    assert started(store._resources.applier) == process
    assert list(cars.indexes.check()) == []
    assert cars.indexes.lookup("color", "red").total == 2000
    cars.indexes.drop("color")
    assert cars.indexes.lookup("price", gte=3990).total == 10
    cars = open_store().collection("cars")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert list(cars.indexes.check()) == []
    assert cars.indexes.lookup("price", gte=3990).total == 10


def test_an_index_whose_files_are_deleted_answers_from_those_it_has_open(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying_apart, "FIRST_DOCUMENTS_MIN", 0)
    store = open_store()
    declared = [GlobalIndex("color", partitions=1)]
    cars: Cars = store.create_collection("cars", partitions=2, indexes=declared)
    cars.indexes.catch_up()
    started(store._resources.applier)
    filled(store, 0, 1000)
    cars.indexes.catch_up()
    shutil.rmtree(store.path / PARTS.parent)
    filled(store, 1000, 2000)
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 1000
    assert list(cars.indexes.check()) == []
    assert not (store.path / PARTS).exists()
    cars = open_store().collection("cars")
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 1000


PROGRAM = """
import os, select, signal, sys
from docstore import GlobalIndex, Store
from docstore.files import Identity
from docstore.global_index import applying_apart
from docstore.global_index.applying_apart import _Other

applying_apart.FIRST_DOCUMENTS_MIN = applying_apart.DOCUMENTS_MIN = 0
store = Store.open(sys.argv[1])
declared = [GlobalIndex("color", partitions=1)]
cars = store.create_collection("cars", partitions=2, indexes=declared)
cars.indexes.catch_up()
cars.indexes._updater.stop()
other = store._resources.applier._other
select.select([other._socket], [], [], 30)

class Answering(_Other):
    def _send(self, value):
        super()._send(value)
        if isinstance(value[0], dict):
            print(self._process.pid, flush=True)
            if sys.argv[2] == "stopped":
                os.kill(self._process.pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGKILL)

assert other.is_ready
other.__class__ = Answering
cars.put_many({"id": f"{n}", "color": "red"} for n in range(int(sys.argv[3])))
cars.indexes.catch_up()
"""


@pytest.mark.parametrize("documents", [10, 900])
def test_it_ends_with_a_process_that_is_killed_and_who_opens_next_finds_one_state(
    tmp_path: Path, documents: int
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), "killed", str(documents)]
    killed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    with Store.open(tmp_path) as store:  # at once, as a supervisor would
        cars = store.collection("cars")
        assert cars.indexes.lookup("color", "red").total == documents
        assert list(cars.indexes.check()) == []


def test_while_one_that_was_stopped_holds_an_index_nobody_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path) as store:
        store.create_collection("cars", partitions=2, indexes=[GlobalIndex("color")])
    monkeypatch.setattr(working_apart, "ENDS_SECONDS_MAX", 0.0)
    with working_apart.working(tmp_path / "cars" / "indexes"):
        with pytest.raises(Unavailable) as refused, Store.open(tmp_path) as store:
            store.collection("cars")
        assert refused.value.retryable
        assert "applying_apart" in refused.value.hint
        with Store.open(tmp_path, read_only=True) as store:
            assert store.collection("cars").count() == 0
    with Store.open(tmp_path) as store:
        cars = store.collection("cars")
        cars.indexes.catch_up()
        assert cars.indexes.lookup("color", "red").total == 0
