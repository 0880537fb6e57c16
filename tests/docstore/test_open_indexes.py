"""However many shards there are, few indexes and writers are open, and answers do not suffer."""

from dataclasses import replace

from docstore import Store
from indexing.open_indexes import OpenIndexes


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
