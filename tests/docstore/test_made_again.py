"""Making a collection again opens it, when its indexes are there and whoever was first."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from docstore import AlreadyExists, GlobalIndex, Range, Store


def test_the_indexes_of_the_definition_must_be_there_and_others_may(store: Store) -> None:
    color = GlobalIndex("color", include=["make"])
    made = store.create_collection("cars", indexes=[color])
    made.indexes.create(GlobalIndex("make"))
    again = store.create_collection("cars", indexes=[color], exist_ok=True)
    assert [each.name for each in again.indexes] == ["color", "make"]
    for other in (GlobalIndex("color"), GlobalIndex("price")):
        with pytest.raises(AlreadyExists) as refused:
            store.create_collection("cars", indexes=[other], exist_ok=True)
        assert list(refused.value.data["differences"]) == [f"indexes.{other.name}"]


def test_where_ranges_were_cut_is_compared_until_they_change(store: Store) -> None:
    words = store.create_collection("words", partitioning=Range(["g", "n"]))
    with pytest.raises(AlreadyExists) as refused:
        store.create_collection("words", partitioning=Range(["g", "o"]), exist_ok=True)
    assert refused.value.data["differences"] == {
        "pre_split": {"made": "['g', 'n']", "given": "['g', 'o']"}
    }
    words.split(0, at="c")
    again = store.create_collection("words", partitioning=Range(["g", "n"]), exist_ok=True)
    assert len(again.position()) == 4


def test_of_many_at_once_one_makes_it_and_all_have_it(store: Store) -> None:
    def make(number: int) -> str:
        cars = store.create_collection("cars", partitions=2, exist_ok=True)
        return str(cars.put({"id": f"c{number}"}).key)

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(make, range(8)))
    assert keys == {f"c{number}" for number in range(8)}
    assert store.collection("cars").count() == 8
