"""Deleting by query: what goes, what stays, and when it ends."""

import threading
from typing import Any

import pytest

from docstore import (
    BatchResult,
    Closed,
    Collection,
    Position,
    SearchResult,
    Store,
    Unavailable,
)
from docstore.deleting import delete_found
from docstore.operations import Delete, Put
from docstore.partitions import Partitions

SCHEMA = {"fields": {"id": "keyword", "color": "keyword"}}
RED: dict[str, Any] = {"q": None, "filter": {"color": "red"}, "query": None, "operator": None}


@pytest.fixture
def cars(store: Store) -> Collection[dict[str, Any]]:
    """A collection of two partitions."""
    return store.create_collection("cars", SCHEMA, partitions=2)


class Disturbed:
    """A collection in which somebody writes whenever something was found."""

    def __init__(self, cars: Collection[Any], write: Any) -> None:
        self._cars, self._write = cars, write
        self.partitions: Partitions = cars.partitions

    def position(self) -> tuple[Position, ...]:
        return self._cars.position()

    def search(self, **asked: Any) -> SearchResult[Any]:
        found = self._cars.search(**asked)
        self._write()
        return found

    def write_many(self, operations: list[Delete]) -> BatchResult:
        return self._cars.write_many(operations)


def test_what_was_made_anew_stays(cars: Collection[Any]) -> None:
    cars.put({"id": "a", "color": "red"})

    def made_anew() -> None:
        cars.delete("a")
        cars.put({"id": "a", "color": "blue"})

    done = delete_found(Disturbed(cars, made_anew), RED, None)
    assert (done.deleted, done.more) == (0, False)
    assert cars.get("a") == {"id": "a", "color": "blue"}


def test_what_somebody_writes_all_the_time_is_left(cars: Collection[Any]) -> None:
    cars.put_many({"id": f"{number}", "color": "red"} for number in range(5))
    hot = Disturbed(cars, lambda: cars.put({"id": "3", "color": "red"}))
    done = delete_found(hot, RED, None)
    assert (done.deleted, done.more) == (4, True)
    assert [each.key for each in cars.scan()] == ["3"]


def test_what_matches_no_longer_stays(cars: Collection[Any]) -> None:
    """Many at once are found in pages that other writers reach into."""
    count = 3_000
    cars.put_many({"id": f"{number}", "color": "red"} for number in range(count))
    painted: list[str] = []

    def paint() -> None:
        for number in reversed(range(count)):
            key = f"{number}"
            if cars.fetch(key) is None:
                return
            written = cars.write_many([_blue(key)])
            if written.written_count:
                painted.append(key)

    painter = threading.Thread(target=paint)
    painter.start()
    deleted = cars.delete_by_query(filter={"color": "red"}).deleted
    painter.join()
    assert deleted + len(painted) == count
    assert [key for key in painted if not cars.exists(key)] == []
    assert cars.count({"color": "red"}) == 0


def _blue(key: str) -> Put:
    return Put({"id": key, "color": "blue"}, if_present=True)


def test_where_nothing_can_be_written_nobody_is_told_that_it_was_deleted(
    cars: Collection[dict[str, Any]], store: Store
) -> None:
    cars.put_many({"id": f"{number}", "color": "red"} for number in range(9))
    cars.refresh()
    with Store.open(store.path, read_only=True) as reader, pytest.raises(Unavailable):
        reader.collection("cars").delete_by_query(filter={"color": "red"})
    dropped = Disturbed(cars, lambda: store.drop_collection("cars"))
    with pytest.raises(Closed):
        delete_found(dropped, RED, None)
