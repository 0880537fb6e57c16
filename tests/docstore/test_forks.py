"""A forked child has nothing of its parent's open store: no write under its lock, no damage."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from docstore import Closed, DocstoreError, Store, Unavailable


def told_by_child(act: Callable[[], object]) -> str:
    """What a forked child answers, or the error it meets."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = str(act())
        except DocstoreError as error:
            answer = f"{type(error).__name__}: {error.message}"
        except BaseException as error:  # noqa: BLE001  a child must not return into the test run
            answer = f"unexpected {error!r}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answers:
        return answers.read()


def test_a_child_cannot_use_its_parents_store(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars")
        cars.put({"name": "ford"}, "a")
        assert cars.search("ford").total == 1
        for act in (
            lambda: cars.put({}, "b"),
            lambda: cars.get("a"),
            lambda: cars.search("ford"),
            lambda: store.collection("cars"),
        ):
            assert told_by_child(act) == (
                "Closed: the store was opened before this process was forked"
            )
        assert told_by_child(store.close) == "None"
        cars.put({"name": "ford"}, "c")
        assert [hit.key for hit in cars.search("ford").hits] == ["a", "c"]
        with pytest.raises(Unavailable):
            Store.open(tmp_path / "data")


def test_a_child_is_told_so_also_when_it_is_forked_during_a_write(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=1)
        cars.put({"name": "ford"}, "a")
        with cars._live.current.shard(0)._group.alone():
            told = told_by_child(lambda: cars.put({}, "b"))
        assert told == "Closed: the store was opened before this process was forked"
        assert cars.put({}, "b").created


def test_a_child_that_opens_what_its_parent_had_open_is_told_to_be_spawned(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars")
        cars.put({"name": "ford"}, "a")

        def read() -> object:
            with Store.open(tmp_path / "data", read_only=True) as own:
                return own.collection("cars").get("a")

        assert told_by_child(read).startswith("Unavailable: this process has the documents of")
        cars.put({}, "b")
        assert cars.count() == 2


def test_a_child_of_a_closed_store_says_that_it_is_closed(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars")
    with pytest.raises(Closed, match="closed"):
        cars.get("a")
    assert told_by_child(store.collections) == "Closed: the store is closed"


def test_a_child_is_told_so_though_a_thread_was_opening_a_shard(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        store.create_collection("cars").put({"name": "ford"}, "a")
    with Store.open(tmp_path / "data") as store:
        cars = store.collection("cars")
        with cars.partitions.shards._opening:  # as a thread that opens one holds it
            told = told_by_child(cars.count)
        assert told == "Closed: the store was opened before this process was forked"
        assert cars.count() == 1
