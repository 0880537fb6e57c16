"""Shards and their indexes open when they are first used, each without holding the others up."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, Store
from indexing.layout import Layout
from indexing.local_index import LocalIndex

Cars = Collection[dict[str, Any]]
COUNT = 40
LONG = 3.0
"""Seconds after which who waits for another is taken to be held up."""


class Slow:
    """Makes the first index as slowly as one of a million documents."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.begun, self.done = threading.Event(), threading.Event()
        self.was_waited_for = False
        self._create = LocalIndex.create
        patch.setattr(LocalIndex, "create", self._created)

    def _created(self, directory: Path, layout: Layout) -> LocalIndex:
        if not self.begun.is_set():
            self.begun.set()
            self.was_waited_for = not self.done.wait(LONG)
        return self._create(directory, layout)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store of which the first shard lost its index."""
    with Store.open(tmp_path / "data") as store:
        cars: Cars = store.create_collection("cars", partitions=2)
        cars.put_many({"id": str(number)} for number in range(COUNT))
    shutil.rmtree(tmp_path / "data" / "cars" / "shards" / "0" / "index")
    return tmp_path / "data"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    slow = Slow(monkeypatch)
    yield slow
    slow.done.set()


def test_an_index_that_is_made_again_holds_no_other_shard_up(data: Path, slow: Slow) -> None:
    with Store.open(data) as store:
        cars: Cars = store.collection("cars")
        searching = threading.Thread(target=cars.search)
        searching.start()
        slow.begun.wait()
        assert sum(cars.get(str(number)) is not None for number in range(COUNT)) == COUNT
        cars.partitions.follower(1).refresh(COUNT)
        slow.done.set()
        searching.join()
        assert not slow.was_waited_for
        assert cars.search().total == COUNT
        assert list(cars.check()) == []


def test_a_store_is_closed_when_the_index_that_is_made_again_is_done(
    data: Path, slow: Slow
) -> None:
    store = Store.open(data)
    shards = store.collection("cars").partitions.shards
    made: list[object] = []
    making = threading.Thread(target=lambda: made.append(shards.follower(0)))
    making.start()
    slow.begun.wait()
    closing = threading.Thread(target=store.close)
    closing.start()
    slow.done.set()
    closing.join()
    making.join()
    assert len(made) == 1
    with Store.open(data) as again:
        assert again.collection("cars").search().total == COUNT
        assert list(again.check()) == []


def test_threads_that_need_one_index_open_it_once(data: Path, slow: Slow) -> None:
    with Store.open(data) as store:
        shards = store.collection("cars").partitions.shards
        opened: list[object] = []
        threads = [
            threading.Thread(target=lambda: opened.append(shards.follower(0))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        slow.begun.wait()
        slow.done.set()
        for thread in threads:
            thread.join()
        assert len(opened) == 4
        assert len(set(map(id, opened))) == 1
