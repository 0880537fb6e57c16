"""Documents like another share what is telling about it, whatever the number of partitions."""

from typing import Any

import orjson
import pytest

from docstore import Collection, InvalidQuery, Key, NotFound, Schema, Store
from tests.conftest import LISTINGS

Cars = Collection[dict[str, Any]]


@pytest.fixture(scope="module")
def listings() -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in LISTINGS.read_bytes().splitlines()[:1200]]


@pytest.mark.parametrize("declared", [True, False])
def test_similar_cars_are_the_same_over_any_partitions(
    store: Store, listings: list[dict[str, Any]], declared: bool
) -> None:
    schema = Schema.infer(listings) if declared else None
    made = []
    for partitions in (1, 2, 16):
        cars = store.create_collection(f"cars{partitions}", schema, partitions=partitions)
        cars.put_many(listings)
        made.append(cars)
    for document in listings[::200]:
        key = document["id"]
        one, *others = [cars.more_like(key, limit=1200) for cars in made]
        assert key not in {hit.key for hit in one.hits}
        nearest = made[2].more_like(key, ["make", "model", "body"]).hits[0].document
        assert nearest["make"] == document["make"]
        for other in others:
            assert other.total == one.total
            assert [(hit.key, hit.score) for hit in other.hits] == [
                (hit.key, hit.score) for hit in one.hits
            ]


@pytest.fixture
def few(store: Store) -> Cars:
    few = store.create_collection("few", partitions=4)
    few.put_many(
        [
            {"id": "a", "make": "Saab", "text": "rusty turbo wagon with a roof rack", "year": 1},
            {"id": "b", "make": "Saab", "text": "nothing alike"},
            {"id": "c", "make": "Opel", "text": "another rusty turbo"},
            {"id": "d", "make": "Opel", "text": "with a view"},
            {"id": "e", "make": "Fiat", "text": "small"},
            {"id": "f", "make": "Lada"},
        ]
    )
    return few


def test_telling_words_and_equal_values_decide(few: Cars) -> None:
    assert [hit.key for hit in few.more_like("a").hits[:2]] in (["b", "c"], ["c", "b"])
    assert {hit.key for hit in few.more_like("a").hits} == {"b", "c", "d"}
    assert [hit.key for hit in few.more_like("a", "make").hits] == ["b"]
    assert few.more_like("a", ["text"]).hits[0].key == "c"
    assert [hit.key for hit in few.more_like("a", filter={"make": "Opel"}, limit=1).hits] == ["c"]
    assert few.more_like("f").hits == []


def test_what_was_just_written_is_seen(few: Cars) -> None:
    few.put({"id": "g", "make": "Lada", "text": "x"})
    assert [hit.key for hit in few.more_like("f").hits] == ["g"]


def test_compound_keys_name_one_document(store: Store) -> None:
    sold = store.create_collection("sold", key=Key("seller", "at"), partitions=4)
    sold.put_many({"seller": "s", "at": number, "make": "Saab"} for number in range(3))
    assert [hit.key for hit in sold.more_like(("s", 1)).hits] == [("s", 0), ("s", 2)]


def test_bad_questions_are_refused(few: Cars) -> None:
    with pytest.raises(NotFound):
        few.more_like("nobody")
    for fields in (7, [], [""], [7]):
        with pytest.raises(InvalidQuery) as refused:
            few.more_like("a", fields)  # type: ignore[arg-type]  # what is refused
        assert refused.value.data["path"] == "fields"
    strict = few.more_like("a", ["nowhere"])
    assert strict.total == 0
