"""Lists that would make too many postings: an index says so, and is not asked meanwhile."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store, Unavailable
from docstore.global_index.extracting import COMBINATIONS_MAX

Cars = Collection[dict[str, Any]]
BOTH = GlobalIndex(["tags", "sizes"], include=["price"], name="both")
LONG = {"id": "long", "tags": [f"t{n}" for n in range(4000)], "sizes": list(range(4000))}
ASKED: dict[str, Any] = {"filter": {"tags": "t1", "sizes": 1}, "sort": "price"}


def made(store: Store) -> Cars:
    cars = store.create_collection("cars", partitions=2, indexes=[BOTH])
    cars.put_many(
        {"id": str(n), "tags": [f"t{n % 5}", "t9"], "sizes": n % 3, "price": n} for n in range(60)
    )
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    return cars


def test_a_document_of_too_many_combinations_is_found_by_the_shards(
    open_store: Callable[[], Store],
) -> None:
    cars = made(open_store())
    before = cars.search(**ASKED, index="both").total
    cars.put(LONG)
    assert cars.search(**ASKED).total == before + 1  # it was written since the index was looked at
    for _ in range(2):  # in memory, then on disk
        found = cars.search(**ASKED)
        assert (found.total, found.indexes) == (before + 1, ())
        reasons = [each.reason for each in found.plan.rejected if "both" in each.indexes]
        assert len(reasons) == 1
        assert "1 document has more than 1,000 combinations" in reasons[0]
        with pytest.raises(Unavailable, match="cannot answer: 1 document has more than"):
            cars.search(**ASKED, index="both")
        with pytest.raises(Unavailable, match="cannot answer: 1 document has more than"):
            cars.indexes.lookup("both", ("t1", 1))
        (stats,) = cars.indexes.stats()
        assert stats["state"] == "ready"
        assert "tags, sizes, which the index does not hold" in stats["error"]
        cars.indexes.catch_up()
        assert list(cars.check()) == []
    cars = open_store().collection("cars")
    cars.indexes._updater.stop()
    assert cars.search(**ASKED).total == before + 1
    with pytest.raises(Unavailable, match="1 document has"):
        cars.indexes.lookup("both", ("t1", 1))
    cars.put({**LONG, "tags": "t1", "sizes": [1, 2]})
    assert cars.search(**ASKED, index="both").total == before + 1
    assert cars.indexes.stats()[0]["error"] is None
    cars.delete("long")
    assert cars.search(**ASKED, index="both").total == before


def test_an_index_is_filled_over_such_documents_and_made_good_without_them(store: Store) -> None:
    cars: Cars = store.create_collection("cars", partitions=2)
    cars.put_many([{**LONG, "id": f"long{n}"} for n in range(2)])
    cars.put({"id": "short", "tags": "t1", "sizes": 1})
    cars.indexes.create(GlobalIndex(["tags", "sizes"], name="both", by="range"))
    cars.indexes.catch_up()
    with pytest.raises(Unavailable, match="2 documents have"):
        cars.indexes.lookup("both", ("t1", 1))
    assert cars.search(**ASKED).total == 3
    store.hot_terms()
    cars.delete_many(["long0", "long1"])
    assert cars.indexes.lookup("both", ("t1", 1)).total == 1


def test_as_many_combinations_as_may_be_are_held(store: Store) -> None:
    cars = made(store)
    sides = 25, COMBINATIONS_MAX // 25
    most = {"id": "most", "tags": [f"t{n}" for n in range(sides[0])], "sizes": [*range(sides[1])]}
    cars.put(most)
    assert cars.search(filter={"tags": "t24", "sizes": 39}, index="both", sort="id").total == 1
    cars.put({**most, "tags": [*most["tags"], "more"]})
    with pytest.raises(Unavailable, match="1 document has"):
        cars.search(filter={"tags": "t24", "sizes": 39}, index="both", sort="price")


def test_memory_stays_bounded_by_what_the_lists_are_long(store: Store) -> None:
    cars = made(store)
    cars.put(LONG)
    tracemalloc.start()
    cars.indexes.catch_up()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
