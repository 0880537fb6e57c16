"""`stats` tells of every shard what is so, and leaves closed what is closed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, Corruption, Store

Cars = Collection[dict[str, Any]]
COUNT = 50
SINCE_OPENING = ("commits", "writes", "refreshes", "refresh_seconds")


def figures(cars: Cars) -> list[dict[str, Any]]:
    """What is known of shards, but for what this process did to them."""
    return [
        {name: value for name, value in each.items() if name not in SINCE_OPENING}
        for each in cars.stats()["partitions"]
    ]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "data") as store:
        cars: Cars = store.create_collection("cars", partitions=3)
        cars.put_many({"id": str(number), "text": "word"} for number in range(COUNT))
    return tmp_path / "data"


@pytest.mark.parametrize("read_only", [False, True])
def test_looking_opens_no_shard_and_tells_what_an_open_one_would(
    data: Path, read_only: bool
) -> None:
    with Store.open(data, read_only=read_only) as store:
        cars: Cars = store.collection("cars")
        for _ in range(2):
            closed = figures(cars)
            assert cars.partitions.shards.opened == []
        assert sum(each["documents"] for each in closed) == COUNT
        assert cars.search().total == COUNT
        assert cars.partitions.shards.opened == [0, 1, 2]
        assert figures(cars) == closed


def test_a_shard_that_is_read_by_key_tells_of_its_index_too(data: Path) -> None:
    with Store.open(data) as store:
        cars: Cars = store.collection("cars")
        closed = figures(cars)
        cars.get("1")
        assert len(cars.partitions.shards.opened) == 1
        assert figures(cars) == closed


def test_looking_makes_no_index_again(data: Path) -> None:
    index = data / "cars" / "shards" / "1" / "index"
    shutil.rmtree(index)
    with Store.open(data) as store:
        assert [each["index_bytes"] > 0 for each in figures(store.collection("cars"))] == [
            True,
            False,
            True,
        ]
        assert not index.exists()


def test_looking_wakes_no_index(data: Path) -> None:
    with Store.open(data) as store:
        cars: Cars = store.collection("cars")
        cars.search()
        awake = figures(cars)
        for number in range(3):
            cars.partitions.follower(number).sleep()
            store._resources.open_indexes.forget(cars.partitions.follower(number))
        assert figures(cars) == awake
        assert len(store._resources.open_indexes) == 0


def test_who_reads_sees_what_was_written_since(data: Path) -> None:
    with Store.open(data, read_only=True) as reading:
        seen: Cars = reading.collection("cars")
        assert seen.stats()["documents"] == COUNT
        with Store.open(data) as store:
            store.collection("cars").put_many({"id": f"new{number}"} for number in range(COUNT))
        assert (seen.stats()["documents"], seen.stats()["lag"]) == (2 * COUNT, 0)
        assert seen.partitions.shards.opened == []


def test_a_shard_that_is_missing_is_said_to_be(data: Path) -> None:
    shutil.rmtree(data / "cars" / "shards" / "1")
    with (
        Store.open(data) as store,
        pytest.raises(Corruption, match="the documents of shard 1 are missing"),
    ):
        store.collection("cars").stats()
