"""An index is compared while documents come and go: what changes meanwhile is no difference."""

from collections.abc import Callable
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store
from docstore.global_index.comparing import differences
from docstore.global_index.live_index import LiveIndex
from docstore.types import Freshness

Cars = Collection[dict[str, Any]]


@pytest.fixture
def cars(store: Store) -> Cars:
    cars = store.create_collection("cars", partitions=2)
    cars.put_many({"id": f"{n:02d}", "color": "red"} for n in range(20))
    cars.indexes.create(GlobalIndex("color"))
    cars.indexes._updater.stop()
    index = cars.indexes._live["color"]
    while index.state(cars.partitions.numbers) == "filling":
        index.fill(cars.partitions.numbers)
    return cars


def compared(cars: Cars, meanwhile: Callable[[], Any], freshness: Freshness) -> list[str]:
    """What differs when something happens between the two lookups of a term."""

    def scatter(values: dict[str, Any]) -> set[bytes]:
        meanwhile()
        found = cars.search(filter=values, limit=100, index=None, freshness=freshness)
        return {str(hit.key).encode() for hit in found.hits}

    index: LiveIndex = cars.indexes._live["color"]
    return list(differences(index, cars.partitions.numbers, scatter))


def test_what_is_deleted_or_written_meanwhile_does_not_differ(cars: Cars) -> None:
    def changed() -> None:
        cars.delete_many(["03", "04"])
        cars.put({"id": "05", "color": "blue"})
        cars.put({"id": "99", "color": "red"})
        cars.put({"id": "98", "color": "red"})
        cars.delete("98")

    assert compared(cars, changed, "current") == []
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 18


def test_what_was_deleted_before_and_is_still_in_the_index_differs(cars: Cars) -> None:
    index = cars.indexes._live["color"]
    cars.delete("03")
    rows = index.rows_of(b"03", 0, cars.partitions.shard(0).scan_batch(b"")[0][1])
    numbers = cars.partitions.numbers
    index.digest({n: index.shard_of(n).head for n in numbers})
    for place, held in enumerate(rows):
        if held:
            index._residents[place].take({b"03": held})
    (found,) = compared(cars, lambda: None, "current")
    assert "b'03'" in found
    assert "only in the index" in found
    index.empty()
