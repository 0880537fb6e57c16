"""The advice that a collection gives about itself."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import Advice, InvalidRequest, Key, Range, Store, advise
from docstore.advising.advice import in_words
from docstore.advising.schemes import Way, laid, ways_for
from docstore.keys import KeySpec
from docstore.partitioning import PartitionMap
from indexing.schema import Schema

_SCHEMA: dict[str, Any] = {
    "fields": {"id": "keyword", "seller": "keyword", "color": "keyword", "price": "int"}
}
_CARS = [
    {"id": f"car-{n}", "seller": f"seller-{n % 97}", "color": f"color-{n % 400}", "price": n}
    for n in range(1200)
]


def _lines(*operations: dict[str, Any]) -> list[bytes]:
    return [orjson.dumps(each) for each in operations]


def _asked(field: str, values: list[Any]) -> list[bytes]:
    return _lines(*({"op": "search", "filter": {field: value}} for value in values))


@pytest.fixture
def cars(store: Store) -> Any:
    collection = store.create_collection("cars", _SCHEMA, partitions=8)
    assert collection.put_many(_CARS).errors == []
    return collection


def _way(advice: Advice, name: str) -> Any:
    return next(each for each in advice.ways if each.way == name)


def test_searches_by_a_seller_want_the_seller_in_the_key(cars: Any) -> None:
    advice = advise(cars, _asked("seller", [f"seller-{n % 97}" for n in range(970)]))
    assert advice.ways[0].way == "hash of id"
    assert advice.ways[0].shards_per_search == 8
    assert advice.ways[0].busiest == 1
    best = advice.ways[advice.best]
    assert best.key == ("seller", "id")
    assert best.shards_per_search < 1.5
    assert "seller" in advice.recommendation[0]


def test_a_few_operations_are_no_reason_for_another_key(cars: Any) -> None:
    advice = advise(cars, _asked("seller", [f"seller-{n}" for n in range(28)]))
    assert advice.best == 0
    assert "28 operations are too few" in advice.recommendation[0]


def test_a_little_less_work_is_no_reason_for_another_key(cars: Any) -> None:
    words = _lines({"op": "search", "q": "car", "count": 930})
    advice = advise(cars, [*words, *_asked("seller", ["seller-1", "seller-2"] * 35)])
    assert _way(advice, "hash of seller, then (id)").busiest < advice.ways[0].busiest
    assert advice.best == 0


def test_a_sentence_says_which_layout_it_is_about(cars: Any) -> None:
    advice = advise(cars, _asked("seller", ["seller-1"] * 90 + ["seller-2"] * 90))
    told = in_words(advice.ways, 0, (), 180) + list(advice.recommendation)
    about = [each for each in told if "times the work" in each or "fullest" in each]
    assert about
    assert all(each.startswith(("Now", "By hash of seller", "By range of")) for each in about)


def test_reads_by_key_are_served_best_by_what_there_is(cars: Any) -> None:
    advice = advise(cars, _lines(*({"op": "get", "key": car["id"]} for car in _CARS)))
    assert advice.best == 0
    assert advice.ways[0].shards_per_read == 1
    assert advice.ways[0].busiest == pytest.approx(1 / 8, abs=0.03)
    assert advice.recommendation[0].startswith("Stay with hash of id")


def test_a_range_asked_for_again_and_again_wants_ranges(cars: Any) -> None:
    bounds = [{"op": "scan", "start": f"car-{n}", "end": f"car-{n}5"} for n in range(100, 999)]
    advice = advise(cars, _lines(*bounds))
    assert advice.ways[advice.best].way == "range of (id)"
    assert advice.ways[advice.best].shards_per_search < 2
    assert "The key stays" in advice.recommendation[1]


def test_a_selective_field_deserves_a_global_index_and_a_coarse_one_does_not(store: Store) -> None:
    many = store.create_collection("many", _SCHEMA, partitions=32)
    many.put_many([{**car, "price": 1} for car in _CARS])
    lines = _lines(
        *({"op": "search", "filter": {"color": f"color-{n}"}} for n in range(50)),
        {"op": "search", "filter": {"price": 1}, "count": 50},
        {"op": "get", "key": "car-1", "count": 20},
    )
    told = {each.field: each for each in advise(many, lines).indexes}
    assert told["color"].is_worth_it
    assert told["color"].postings == pytest.approx(3)
    assert told["color"].shards_now == 32
    assert told["color"].shards_then == pytest.approx(4)
    assert not told["price"].is_worth_it


def test_one_seller_with_most_of_the_traffic_is_to_be_salted(store: Store) -> None:
    cars = store.create_collection("cars", _SCHEMA, key=Key("seller", "id"), partitions=8)
    cars.put_many(_CARS)
    asked = [{"op": "get", "key": ["seller-3", f"car-{3 + 97 * n}"]} for n in range(12)] * 50
    others = [{"op": "get", "key": [car["seller"], car["id"]]} for car in _CARS[:300]]
    advice = advise(cars, _lines(*asked, *others))
    assert advice.ways[0].hottest_key == "seller-3"
    assert advice.ways[0].hottest_share == pytest.approx(2 / 3, abs=0.01)
    assert in_words(advice.ways, 0, (), advice.operations)[1].endswith("salt it over 8 places.")


def test_a_field_that_documents_lack_is_no_key(store: Store) -> None:
    loose = store.create_collection("loose", partitions=4)
    loose.put_many([{"id": f"{n}", **({"make": "Ford"} if n % 2 else {})} for n in range(100)])
    advice = advise(loose, _asked("make", ["Ford"] * 20))
    assert _way(advice, "hash of make, then (id)").missing == 0.5
    assert advice.ways[advice.best].key == ("id",)


def test_the_number_of_partitions_and_the_fields_can_be_chosen(cars: Any) -> None:
    lines = _asked("seller", ["seller-1"])
    advice = advise(cars, lines, fields=["color"], partitions=16)
    assert {each.partitions for each in advice.ways} == {16}
    assert {each.key[0] for each in advice.ways} == {"id", "color"}
    with pytest.raises(InvalidRequest):
        advise(cars, lines, partitions=0)


def test_a_collection_of_ranges_is_compared_with_hashing(store: Store) -> None:
    cars = store.create_collection("cars", _SCHEMA, partitioning=Range(["car-5"]))
    cars.put_many(_CARS)
    advice = advise(cars, _lines({"op": "get", "key": "car-1", "count": 9}))
    assert [each.way for each in advice.ways] == ["range of (id)", "hash of id"]
    assert advice.ways[0].busiest_partition == 0


def test_nothing_to_replay_is_refused(cars: Any) -> None:
    with pytest.raises(InvalidRequest, match="no operations"):
        advise(cars, [b"", b"  "])
    with pytest.raises(InvalidRequest, match="key that is none"):
        advise(cars, _lines({"op": "get", "key": 7}))


def test_an_empty_collection_is_advised_too(store: Store) -> None:
    empty = store.create_collection("empty", _SCHEMA, partitions=4)
    advice = advise(empty, _asked("seller", ["x"]))
    assert advice.documents == 0
    assert advice.as_dict()["best"] in range(len(advice.ways))


@given(st.lists(st.text(max_size=4), max_size=60), st.integers(1, 12))
def test_a_layout_holds_every_document_of_the_sample_once(ids: list[str], count: int) -> None:
    sample: list[dict[str, Any]] = [{"id": each, "n": len(each)} for each in dict.fromkeys(ids)]
    for way in ways_for(KeySpec.of("id"), "hash", ["n"]):
        on = laid(way, Schema(), sample, count, None)
        assert sum(on.documents.values()) + on.missing == len(sample)
        assert on.missing == sum(1 for each in sample if each["id"] == "" and not way.spec.typed)
        for values in sample:
            owner = on.owner_of(values)
            assert owner is None or owner in on.map.numbers


def test_ranges_are_cut_so_that_each_has_as_many_documents() -> None:
    sample: list[dict[str, Any]] = [{"id": f"{n:04}"} for n in range(1000)]
    on = laid(Way("range", KeySpec.of("id")), Schema(), sample, 8, None)
    assert set(on.documents.values()) == {125}
    assert isinstance(on.map, PartitionMap)
