"""Indexes that read the shards a change of the map replaces, and were not there when it began."""

from collections.abc import Callable
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store
from docstore.map_changes import resharding

Cars = Collection[dict[str, Any]]
COLORS = ["red", "blue", "green"]


def made(store: Store, *indexes: GlobalIndex) -> Cars:
    """Three hundred cars, with indexes that nothing moves but the test."""
    cars = store.create_collection("cars", partitions=2, indexes=indexes)
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    assert not cars.put_many({"id": f"{n:03}", "color": COLORS[n % 3]} for n in range(300)).errors
    cars.indexes.catch_up()
    return cars


def stepped(cars: Cars) -> None:
    """Take steps until every index is ready."""
    for _ in range(50):
        cars.indexes._updater.step(is_writing=False)
        if all(each["state"] == "ready" for each in cars.indexes.stats()):
            return
    raise AssertionError(cars.indexes.stats())


CHANGES: dict[str, Callable[[Cars], object]] = {
    "split": lambda cars: cars.split(cars.partitions.numbers[0]),
    "merge": lambda cars: cars.merge(*cars.partitions.numbers),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("begins", ["created", "rebuilt", "one partition emptied", "half filled"])
def test_an_index_that_begins_after_the_new_shards_were_announced_is_right(
    store: Store, monkeypatch: pytest.MonkeyPatch, begins: str, change: str
) -> None:
    color = GlobalIndex("color", partitions=2)
    cars = made(store, *([] if begins == "created" else [color]))
    cut_over = resharding._cut_over

    def late(*given: Any) -> float:
        if begins == "created":
            cars.indexes.create(color)
        elif begins == "rebuilt":
            cars.indexes.rebuild("color")
        elif begins == "one partition emptied":
            cars.indexes._live["color"].empty(0)
        else:
            cars.indexes.rebuild("color")
            cars.indexes._live["color"].fill(cars.partitions.numbers[:1])
        if begins != "half filled":
            stepped(cars)
        # Of these no index has heard when the shards that say so are gone.
        assert not cars.delete_many([f"{n:03}" for n in range(0, 300, 3)]).errors
        return cut_over(*given)

    monkeypatch.setattr(resharding, "_cut_over", late)
    CHANGES[change](cars)
    stepped(cars)
    assert cars.indexes.lookup("color", "red").total == 0
    for index in (None, "color", "auto"):
        assert cars.search(filter={"color": ["red", "blue"]}, index=index, limit=0).total == 100
    assert list(cars.indexes.check()) == []


def test_an_index_that_adopted_the_new_shards_is_not_filled_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cars = made(store, GlobalIndex("color", partitions=2))
    begun = cars.indexes._live["color"].begun
    cut_over = resharding._cut_over

    def late(*given: Any) -> float:
        cars.delete("000")
        stepped(cars)
        return cut_over(*given)

    monkeypatch.setattr(resharding, "_cut_over", late)
    cars.split(cars.partitions.numbers[0])
    stepped(cars)
    cars.indexes.forget([0])
    assert cars.indexes._live["color"].begun == begun
    assert cars.indexes.lookup("color", "red").total == 99
    assert list(cars.indexes.check()) == []
