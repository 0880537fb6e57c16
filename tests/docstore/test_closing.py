"""Closing a store: nothing of it stays open, whatever goes wrong and whoever still uses it."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from docstore import Closed, Collection, Corruption, Store, Unavailable

NAMES = ["a", "b", "c"]
LOST = (Corruption, Unavailable)
"""What a lost index raises: it depends on which of its files is missed first."""


def store_with_a_lost_index(data: Path, lost: str) -> Store:
    """Every collection has a write that its index does not hold yet; one cannot take it."""
    store = Store.open(data)
    for name in NAMES:
        store.create_collection(name, partitions=2).put_many({"id": str(n)} for n in range(20))
        store.collection(name).refresh()
    store._resources.background.stop()
    for name in NAMES:
        store.collection(name).put_many({"id": str(n)} for n in range(20, 40))
    shutil.rmtree(data / lost / "shards" / "0" / "index")
    return store


@pytest.mark.parametrize("lost", NAMES)
def test_what_one_collection_raises_leaves_no_other_open(tmp_path: Path, lost: str) -> None:
    store = store_with_a_lost_index(tmp_path, lost)
    collections = [store.collection(name) for name in NAMES]
    with pytest.raises(LOST):
        store.close()
    for each in collections:
        with pytest.raises(Closed):
            each.put({"id": "0"})
        with pytest.raises(Closed):
            each.get("0")
    store.close()
    # A file that were still open here could not be opened.
    with Store.open(tmp_path) as again:
        for name in NAMES:
            assert again.collection(name).search(limit=0).total == 40
        assert list(again.check()) == []


def test_the_others_are_brought_up_to_their_logs(tmp_path: Path) -> None:
    with pytest.raises(LOST):
        store_with_a_lost_index(tmp_path, "a").close()
    with Store.open(tmp_path, read_only=True) as reader:
        for name in ("b", "c"):
            assert reader.collection(name).search(freshness="any", limit=0).total == 40


def test_nobody_else_writes_before_everything_is_closed(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        things = store.create_collection("things", partitions=1)
        things.put({"id": "1"})
        live = things._live
        closing = threading.Thread(target=store.close)
        with live.changing():  # what closing waits for
            closing.start()
            while not live.shards.is_closed:
                closing.join(0.01)
            with pytest.raises(Unavailable):
                Store.open(tmp_path)
        closing.join()
        Store.open(tmp_path).close()


def test_nothing_is_opened_any_more_by_who_asked_before(tmp_path: Path) -> None:
    asked, closed = threading.Event(), threading.Event()

    class Late(Store):
        def _opened(self, name: str, model: type[BaseModel] | None) -> Collection[Any]:
            asked.set()
            closed.wait()
            return super()._opened(name, model)

    with Store.open(tmp_path) as store:
        store.create_collection("things")
    store = Late.open(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(store.collection, "things")
        asked.wait()
        store.close()
        closed.set()
        with pytest.raises(Closed):
            asking.result()
