"""A collection tells its hot keys from the requests it got."""

import pytest

from docstore import InvalidRequest, Key, Store


def test_reads_and_writes_are_told_apart(store: Store) -> None:
    cars = store.create_collection("cars")
    cars.put_many([{"id": f"car-{number}"} for number in range(20)])
    for _ in range(30):
        cars.get("car-3")
    cars.exists("car-4")
    cars.fetch("car-4")
    first, second, *rest = cars.hot_keys()
    assert (first.key, second.key) == ("car-3", "car-4")
    assert first.read_share == pytest.approx(30 / 32)
    assert first.write_share == pytest.approx(1 / 20)
    assert len(rest) == 8
    assert all(each.reads_per_second == 0 for each in rest)


def test_a_compound_key_is_told_by_its_first_part(store: Store) -> None:
    cars = store.create_collection("cars", key=Key("seller", "id"))
    cars.put_many([{"seller": 7, "id": f"car-{number}"} for number in range(50)])
    cars.put({"seller": 8, "id": "car-0"})
    cars.delete((8, "car-0"))
    list(cars.scan(prefix=(8,)))
    cars.get_many([(7, "car-1"), (7, "car-2"), (7, "car-3")])
    told = {each.key: each for each in cars.hot_keys()}
    assert set(told) == {7, 8}
    assert told[7].write_share == pytest.approx(50 / 52)
    assert told[8].read_share == pytest.approx(1 / 4)


def test_the_store_tells_the_keys_of_all_collections(store: Store) -> None:
    for name in ("cars", "boats"):
        store.create_collection(name).put({"id": f"{name}-1"})
    assert {each.collection for each in store.hot_keys()} == {"cars", "boats"}
    assert len(store.hot_keys(1)) == 1


def test_nothing_is_hot_in_a_quiet_collection(store: Store) -> None:
    cars = store.create_collection("cars")
    assert cars.hot_keys() == []
    cars.put({"id": "car-1"})
    (told,) = cars.hot_keys()
    assert not told.is_hot
    assert told.as_dict()["action"] == "nothing to do"


@pytest.mark.parametrize("limit", [-1, 257, True, "ten", 2.5])
def test_a_limit_that_is_none_is_refused(store: Store, limit: object) -> None:
    cars = store.create_collection("cars")
    with pytest.raises(InvalidRequest):
        cars.hot_keys(limit)  # type: ignore[arg-type]  # that is the point


def test_searches_that_are_about_a_key_are_reads_of_it(store: Store) -> None:
    schema = {"fields": {"seller": "keyword", "n": "int"}}
    sales = store.create_collection("sales", schema, key=Key("seller", "n"))
    sales.put_many([{"seller": f"s{number}", "n": number} for number in range(9)])
    for _ in range(6):
        sales.search(filter={"seller": "s3"})
    sales.count(filter={"seller": ["s4", "s5"]})
    sales.search(query={"ids": {"values": [["s4", 4]]}})
    sales.search("nobody")
    told = {each.key: each.read_share for each in sales.hot_keys() if each.read_share}
    assert told == {
        "s3": pytest.approx(6 / 9),
        "s4": pytest.approx(2 / 9),
        "s5": pytest.approx(1 / 9),
    }
