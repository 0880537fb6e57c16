"""A new shard's index is made by another process, and where that cannot be, in this one."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docstore import GlobalIndex, Key, Range, Store, index_apart
from docstore.giving_way import WORK_SECONDS, giving_way


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Every index of a new shard is made apart; whether each was."""
    made: list[bool] = []
    make_apart = index_apart.make_apart

    def noted(directory: Path, is_wanted: Callable[[], bool]) -> bool:
        made.append(make_apart(directory, is_wanted))
        return made[-1]

    monkeypatch.setattr(index_apart, "DOCUMENTS_MIN", 1)
    monkeypatch.setattr(index_apart, "make_apart", noted)
    return made


@pytest.mark.parametrize(
    "scheme",
    [
        {"partitions": 1},
        {"partitioning": Range(), "key": Key("n", "id")},
        {"partitions": 1, "indexes": [GlobalIndex("n")]},
    ],
)
def test_the_indexes_of_a_split_are_made_apart(
    open_store: Callable[[], Store], apart: list[bool], scheme: dict[str, Any]
) -> None:
    things = open_store().create_collection("things", **scheme)
    things.put_many({"id": f"k{n:04}", "n": n, "text": "common words"} for n in range(500))
    things.split(0)
    assert apart == [True, True]
    assert things.search("common", limit=0).total == 500
    assert things.search(filter={"n": {"gte": 490}}, sort="-n").hits[0].document["n"] == 499
    things.put({"id": "k0000", "n": 0, "text": "other"})
    assert things.search("common", limit=0).total == 499
    things = open_store().collection("things")
    assert things.search("common", limit=0).total == 499


@pytest.mark.parametrize("executable", ["", "/usr/bin/uwsgi", "/nowhere/python3"])
def test_without_another_interpreter_the_index_is_made_here(
    store: Store, apart: list[bool], monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    things = store.create_collection("things", partitions=1)
    things.put_many({"id": f"k{n:04}", "text": "common"} for n in range(50))
    monkeypatch.setattr(sys, "executable", executable)
    things.split(0)
    assert apart == [False, False]
    assert things.search("common", limit=0).total == 50


def test_the_other_process_ends_when_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert not index_apart.make_apart(tmp_path, lambda: False)
    assert time.monotonic() - begun < 10


def test_the_other_process_ends_with_this_one(tmp_path: Path) -> None:
    directory = tmp_path / "shards" / "0"
    directory.mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-c", "from docstore import index_apart as m; m._end_with_parent()"],
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 1


def test_what_another_process_could_not_make_is_made_here(
    store: Store, apart: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    things = store.create_collection("things", partitions=1)
    things.put_many({"id": f"k{n:04}", "text": "common"} for n in range(50))
    monkeypatch.setattr(index_apart, "__name__", "docstore.no_such_module")
    things.split(0)
    assert apart == [False, False]
    assert things.search("common", limit=0).total == 50


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
