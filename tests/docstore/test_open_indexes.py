"""However many shards there are, few indexes and writers are open, and answers do not suffer."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from docstore import Store
from indexing.local_index import LocalIndex
from indexing.open_indexes import OpenIndexes
from indexing.schema import Schema


def test_indexes_beyond_the_bound_sleep_and_wake(store: Store) -> None:
    bound = OpenIndexes(2)
    store._resources = replace(store._resources, open_indexes=bound)
    cars = store.create_collection("cars", partitions=7)
    for number in range(60):
        cars.put({"id": str(number), "n": number})
        if number % 10 == 0:
            assert cars.search(filter={"n": {"gte": 0}}, limit=0).total == number + 1
            assert len(bound) <= 2
    assert [hit.key for hit in cars.search(sort="-n", limit=3).hits] == ["59", "58", "57"]
    assert store.stats()["open_writers"] <= 4


def test_idle_writers_give_way_to_the_next_shard(store: Store) -> None:
    cars = store.create_collection("cars", partitions=16)
    cars.put_many({"id": str(number)} for number in range(300))
    assert cars.search(limit=0).total == 300
    assert 1 <= store.stats()["open_writers"] <= 4


def test_an_index_that_is_made_again_while_it_wakes_is_the_one_in_effect(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cars = store.create_collection("cars", partitions=1)
    cars.put({"id": "1"})
    cars.refresh()
    cars.partitions.follower(0).sleep()
    is_open, rebuilt = threading.Event(), threading.Event()
    opened = LocalIndex.open

    def open_slowly(directory: Path, schema: Schema) -> LocalIndex:
        index = opened(directory, schema)
        is_open.set()
        rebuilt.wait(0.3)  # it need not come: the rebuild may be the one that waits
        return index

    monkeypatch.setattr(LocalIndex, "open", open_slowly)
    searching = threading.Thread(target=lambda: cars.search(freshness="any"))
    searching.start()
    is_open.wait()
    cars.put({"id": "2"})
    cars.rebuild()
    rebuilt.set()
    searching.join()
    assert cars.search().total == 2
    cars.put({"id": "3"})
    assert cars.search().total == 3
