"""Global indexes are made, used and dropped alike, wherever the collection is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import docstore
from docstore import (
    AlreadyExists,
    GlobalIndex,
    InvalidQuery,
    InvalidRequest,
    NotFound,
)
from docstore.client.interface import CollectionLike
from tests.api.http.conftest import Running
from tests.docstore.client.stores import opened

INDEX = GlobalIndex("color", include=["price"], partitions=2)


@pytest.fixture(params=["embedded", "http"])
def cars(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CollectionLike[Any]]:
    store, end = opened(request.param, tmp_path / "data")
    made = store.create_collection("cars", partitions=3)
    made.put_many(
        {"id": f"{n:02d}", "color": ["red", "blue"][n % 2], "price": n} for n in range(30)
    )
    yield made
    end()


def ready(cars: CollectionLike[Any]) -> CollectionLike[Any]:
    """The collection, when its index was filled and compared."""
    while any(each["state"] != "ready" for each in cars.indexes.stats()):
        cars.refresh()
    return cars


def test_an_index_is_declared_used_rebuilt_and_dropped(cars: CollectionLike[Any]) -> None:
    cars.indexes.create(INDEX)
    with pytest.raises(AlreadyExists):
        cars.indexes.create(INDEX)
    assert list(cars.indexes) == [INDEX]
    assert len(cars.indexes) == 1
    asked: dict[str, Any] = {"filter": {"color": "red"}, "sort": "-price", "limit": 3}
    found = ready(cars).search(**asked, index="color", select=["price"])
    assert [hit.document for hit in found.hits] == [{"price": 28}, {"price": 26}, {"price": 24}]
    (use,) = found.indexes
    assert (use.index, use.lag, sum(use.checkpoint.values())) == ("color", 0, 30)
    assert found.plan.chosen.indexes == ("color",)
    without = cars.search(**asked, index=None)
    assert without.indexes == ()
    assert [hit.key for hit in without.hits] == [hit.key for hit in found.hits]
    assert cars.count({"color": "red"}, index="color", max_fanout=1) == 15
    assert cars.explain(filter={"color": "red"}, index="color").chosen.name == "global_covered"
    cars.indexes.rebuild("color")
    assert ready(cars).count({"color": "blue"}, index="color") == 15
    assert list(cars.indexes.check()) == list(cars.indexes.check("color")) == []
    cars.indexes.verify(1e6)
    while cars.stats()["verification"]["rounds"] == 0:
        cars.refresh()
    verification = cars.stats()["verification"]
    assert verification["verified"] >= 30
    assert (verification["divergent"], verification["rate"]) == (0, 1e6)
    cars.indexes.verify(None)
    with pytest.raises(InvalidRequest):
        cars.indexes.verify(0)
    with pytest.raises(NotFound):
        list(cars.indexes.check("none"))
    cars.indexes.rename("color", "colour")
    assert [each.name for each in cars.indexes] == ["colour"]
    assert cars.count({"color": "blue"}, index="colour") == 15
    cars.indexes.drop("colour")
    with pytest.raises(NotFound):
        cars.indexes.rename("colour", "color")
    for gone in (cars.indexes.drop, cars.indexes.rebuild):
        with pytest.raises(NotFound):
            gone("color")
    with pytest.raises(NotFound):
        cars.search(**asked, index="color")
    with pytest.raises(InvalidQuery, match="2 places are allowed"):
        cars.search(**asked, max_fanout=2)


def test_they_are_the_same_for_callers_that_do_not_wait(tmp_path: Path) -> None:
    running = Running(tmp_path / "data")

    async def used() -> list[GlobalIndex]:
        async with docstore.aconnect(running.url) as store:
            cars = await store.create_collection("cars")
            await cars.indexes.create(INDEX)
            await cars.indexes.rebuild("color")
            (stats,) = await cars.indexes.stats()
            assert stats["name"] == "color"
            declared = await cars.indexes.declared()
            assert [each async for each in cars.indexes.check()] == []
            await cars.indexes.verify(10)
            assert (await cars.stats())["verification"]["rate"] == 10
            await cars.indexes.verify(None)
            await cars.indexes.drop("color")
            assert await cars.indexes.declared() == []
            return declared

    assert asyncio.run(used()) == [INDEX]
    running.stop()
