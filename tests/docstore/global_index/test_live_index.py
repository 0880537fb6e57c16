"""What is taken from logs, by whoever is first, in whatever pieces, leaves nothing old behind."""

from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store
from docstore.global_index import tails
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.tails import Tail, read_tail

COLORS = ["red", "blue", "green", "white", "black"]
Cars = Collection[dict[str, Any]]


def followed(store: Store) -> tuple[Cars, LiveIndex]:
    """Cars of one shard, and an index that has followed its log and that nothing moves."""
    cars = store.create_collection(
        "cars", partitions=1, indexes=[GlobalIndex("color", partitions=16)]
    )
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    cars.put({"id": "0", "color": "grey"})
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "grey").total == 1
    return cars, cars.indexes._live["color"]


def tail_of(cars: Cars, after: int, most: int) -> Tail:
    """The next entries of the only shard, read from its log."""
    cars.partitions.shard(0).carry(lambda _: None)  # what it holds in memory is forgotten
    tail = read_tail(cars.partitions.shard(0), after, most)
    assert tail is not None
    return tail


def colors_of(cars: Cars, key: str) -> list[str]:
    """Every colour that the index has a document under, as it is in memory."""
    return [
        color
        for color in COLORS
        if key in [row.key for row in cars.indexes.lookup("color", color, freshness="any").rows]
    ]


def test_who_began_to_read_before_another_took_it_takes_the_rest(store: Store) -> None:
    cars, index = followed(store)
    for number in range(5):
        cars.put({"id": f"k{number}", "color": COLORS[number]})
    index.take([tail_of(cars, 1, 10)])
    for number in range(5):
        cars.put({"id": f"k{number}", "color": COLORS[(number + 1) % 5]})
    index.take([tail_of(cars, 1, 20)])
    assert [colors_of(cars, f"k{n}") for n in range(5)] == [[COLORS[(n + 1) % 5]] for n in range(5)]


def test_what_a_tail_cut_short_showed_early_is_looked_for_when_its_entry_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "ENTRIES_MAX", 2)
    cars, index = followed(store)
    cars.put({"id": "k", "color": "red"})
    cars.delete("k")
    cars.put({"id": "k", "color": "blue"})
    cars.put({"id": "other", "color": "red"})
    index.take([tail_of(cars, 1, 2)])
    assert index.digested == {0: 3}
    cars.put({"id": "k", "color": "white"})
    index.take([tail_of(cars, 3, 2)])
    assert index.digested == {0: 5}
    assert colors_of(cars, "k") == ["white"]
