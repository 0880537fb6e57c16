"""One store, three ways to reach it: every answer and every error is the same."""

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from docstore import (
    AlreadyExists,
    Completion,
    Delete,
    DocstoreError,
    FailedWrite,
    InvalidDocument,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    Key,
    Keyword,
    NotFound,
    Put,
    Range,
    Store,
    VersionConflict,
)
from tests.docstore.client.stores import KINDS, opened


class Car(BaseModel):
    id: str
    make: Keyword
    price: int
    posted: datetime.datetime | None = None
    about: str = ""


CARS = [
    Car(id="a1", make="Ford", price=9500, about="runs like new"),
    Car(id="a2", make="Ford", price=12000, about="two owners"),
    Car(id="~/ä b?#%", make="BMW", price=15000, about="new tires"),
]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    found, end = opened(request.param, tmp_path / "data")
    yield found
    end()
    with Store.open(tmp_path / "data") as checked:
        assert list(checked.check()) == []


@pytest.fixture
def cars(store: Any) -> Any:
    collection = store.create_collection("cars", Car, partitions=3)
    assert collection.put_many(CARS).errors == []
    return collection


def test_collections_are_made_listed_and_dropped(store: Any) -> None:
    store.create_collection("one", key="id", partitions=2)
    store.create_collection("two", {"fields": {"id": "keyword", "a": "int"}})
    assert store.collections() == ["one", "two"]
    with pytest.raises(AlreadyExists):
        store.create_collection("one", key="id", partitions=2)
    store.drop_collection("one")
    assert store.collections() == ["two"]
    with pytest.raises(NotFound):
        store.drop_collection("one")
    with pytest.raises(NotFound):
        store.collection("one")


def test_partitions_can_own_ranges_of_keys(store: Any) -> None:
    made = store.create_collection("words", partitioning=Range(pre_split=["g", "n"]))
    assert made.put_many({"id": word} for word in ("apple", "grape", "nut", "pear")).errors == []
    assert [each["documents"] for each in made.stats()["partitions"]] == [1, 1, 2]
    key = Key("seller", "at")
    fields = {"fields": {"seller": "keyword", "at": "datetime"}}
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    by_time = store.create_collection("sold", fields, key=key, partitioning=Range([("s", day)]))
    by_time.put({"seller": "s", "at": "2025-12-31T00:00:00Z"})
    by_time.put({"seller": "s", "at": "2026-01-01T00:00:00Z"})
    assert [each["documents"] for each in by_time.stats()["partitions"]] == [1, 1]
    with pytest.raises(InvalidSchema):
        store.create_collection("wrong", partitioning=Range(["b", "a"]))
    with pytest.raises(InvalidSchema):
        store.create_collection("wrong", partitions=2, partitioning=Range(["a"]))


def test_another_model_is_refused(store: Any, cars: Any) -> None:
    class Other(BaseModel):
        id: str

    assert cars.key_fields == ("id",)
    with pytest.raises(InvalidSchema):
        store.collection("cars", Other)
    assert store.collection("cars", Car).get("a1") == CARS[0]


def test_a_model_opens_its_collection_whatever_the_order_of_its_fields(
    store: Any, cars: Any
) -> None:
    class Reordered(BaseModel):
        about: str = ""
        posted: datetime.datetime | None = None
        price: int
        make: Keyword
        id: str

    before = cars.schema.to_json()
    again = store.collection("cars", Reordered)
    assert again.get("a1").model_dump() == CARS[0].model_dump()
    assert again.put(Reordered(id="a9", make="Kia", price=1)).version == 1
    assert list(again.schema.to_json()["fields"]) == list(before["fields"])
    assert store.collection("cars", Car).get("a9") == Car(id="a9", make="Kia", price=1)


def test_a_model_that_differs_is_told_where_and_what_to_do(store: Any, cars: Any) -> None:
    class Other(BaseModel):
        model_config = ConfigDict(extra="forbid")

        id: str
        make: Keyword
        price: float
        posted: datetime.datetime | None = None
        color: Keyword | None = None

    with pytest.raises(InvalidSchema) as refused:
        store.collection("cars", Other)
    assert refused.value.data["differences"] == {
        "fields.price": {"made": "required int", "given": "required float"},
        "fields.color": {"made": None, "given": "keyword"},
        "dynamic": {"made": "ignore", "given": "strict"},
        "fields.about": {"made": "string (standard)", "given": None},
    }
    assert "its fields.price is required int, not required float" in refused.value.message
    assert "it has no fields.color (keyword)" in refused.value.message
    assert "dump" in refused.value.hint
    assert cars.count() == 3


def test_documents_are_models_again(cars: Any) -> None:
    for car in CARS:
        assert cars.get(car.id) == car
        found = cars.fetch(car.id)
        assert (found.key, found.version, found.document) == (car.id, 1, car)
    assert cars.get("none") is None
    assert not cars.exists("none")
    assert cars.exists("a1")
    assert cars.get_many(["a2", "none", CARS[2].id]) == [CARS[1], None, CARS[2]]


def test_writes_tell_key_version_and_position(cars: Any) -> None:
    put = cars.put(CARS[0])
    assert (put.key, put.version, put.created, put.deleted) == ("a1", 2, False, False)
    patched = cars.patch("a1", {"price": 1}, if_version=2)
    assert patched.version == 3
    assert patched.position.seq == put.position.seq + 1
    assert cars.get("a1").price == 1
    assert cars.delete("a1", if_version=3).deleted
    assert not cars.delete("a1").deleted
    assert [each.deleted for each in cars.delete_many(["a2", "none"])] == [True, False]
    assert cars.count() == 1


def test_a_missing_key_is_generated(store: Any) -> None:
    things = store.create_collection("things")
    result = things.put({"a": 1})
    assert things.get(result.key) == {"a": 1, "id": result.key}
    batch = things.put_many([{"a": 2}, {"a": 3}])
    assert [things.get(each.key)["a"] for each in batch] == [2, 3]


def test_an_operation_is_done_once(cars: Any) -> None:
    first = cars.put(CARS[0], op_id="op-1")
    assert cars.put(CARS[0], op_id="op-1") == first
    assert cars.fetch("a1").version == 2


def test_an_operation_without_a_key_is_done_once_too(cars: Any) -> None:
    first = cars.put({"make": "Kia", "price": 1}, op_id="once")
    again = cars.put({"make": "Kia", "price": 1}, op_id="once")
    assert (again.key, again.position) == (first.key, first.position)
    assert cars.count() == len(CARS) + 1


def test_an_id_used_for_another_document_loses_no_write(cars: Any) -> None:
    for number in range(20):
        assert cars.put({"id": f"n{number}", "make": "Kia", "price": 1}, op_id="again").created
        assert cars.exists(f"n{number}")


@pytest.mark.parametrize("op_id", [5, "", "x" * 65, "\ud800"])
def test_an_id_that_is_none_is_refused(cars: Any, op_id: Any) -> None:
    with pytest.raises(InvalidRequest):
        cars.put(CARS[0], op_id=op_id)


def test_a_batch_says_what_became_of_each(cars: Any) -> None:
    batch = cars.put_many(
        [{"id": "b1", "make": "Kia", "price": 1}, {"id": "b2", "make": "Kia"}, CARS[0]],
        if_absent=True,
    )
    assert batch.written_count == 1
    assert batch[0].created
    assert isinstance(batch[1], FailedWrite)
    assert [(each.index, type(each.error)) for each in batch.errors] == [
        (1, InvalidDocument),
        (2, VersionConflict),
    ]
    assert batch.errors[1].key == "a1"
    assert cars.search("kia", after=batch.position).total == 1


def test_batches_larger_than_a_request_keep_their_order(store: Any) -> None:
    things = store.create_collection("things", partitions=2)
    batch = things.put_many({"id": f"k{number:05}"} for number in range(2_500))
    assert [each.key for each in batch] == [f"k{number:05}" for number in range(2_500)]
    assert [each.key for each in things.scan()] == [f"k{number:05}" for number in range(2_500)]
    assert [each.key for each in things.scan(limit=3, reverse=True, end="k00100")] == [
        "k00099",
        "k00098",
        "k00097",
    ]
    assert len(list(things.changes())) == 2_500


def test_searches_give_the_same_pages(cars: Any) -> None:
    found = cars.search(filter={"price": {"lt": 13000}}, sort="-price", facets=["make"])
    assert [(hit.key, hit.document, hit.sort) for hit in found.hits] == [
        ("a2", CARS[1], 12000),
        ("a1", CARS[0], 9500),
    ]
    assert found.total == 2
    assert [tuple(each) for each in found.facets["make"]] == [("Ford", 2)]
    assert found.plan.chosen.name == "scatter"
    selected = cars.search("tires", select=["make"], highlight=True)
    assert [(hit.key, hit.document) for hit in selected.hits] == [(CARS[2].id, {"make": "BMW"})]
    assert "<mark>tires</mark>" in selected.hits[0].highlights["about"][0]
    assert cars.count({"make": "Ford"}) == 2
    assert cars.explain("ford").chosen.name == "scatter"
    assert cars.search(query={"term": {"make": "BMW"}}, freshness="any").total <= 1
    cars.refresh()
    assert cars.stats()["documents"] == 3


def test_what_is_typed_is_completed(cars: Any) -> None:
    assert cars.complete("fo", "make") == [Completion("Ford", "make", documents=2)]
    assert cars.complete("fo", ("make",), filter={"price": {"gt": 10000}}, limit=1) == [
        Completion("Ford", "make", documents=1)
    ]
    with pytest.raises(InvalidQuery):
        cars.complete("1", "price")


def test_similar_documents_are_found(cars: Any) -> None:
    similar = cars.more_like("a1", ["make"])
    assert [hit.document for hit in similar.hits] == [CARS[1]]
    assert cars.more_like("a1", filter={"make": "BMW"}, limit=0).hits == []
    cars.put(CARS[2].model_copy(update={"id": "b"}))
    assert [hit.key for hit in cars.more_like("~/ä b?#%", limit=1).hits] == ["b"]
    with pytest.raises(NotFound):
        cars.more_like("none")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_has_no_word_for_are_refused(cars: Any, number: float) -> None:
    with pytest.raises(InvalidDocument):
        cars.patch("a1", {"price": number})
    assert cars.get("a1") == CARS[0]  # as null it would have removed the field
    with pytest.raises(InvalidQuery):
        cars.search(filter={"price": number})
    with pytest.raises(InvalidQuery):
        cars.count(query={"range": {"price": {"gte": number}}})


@pytest.mark.parametrize(
    "asked", [{"limit": -1}, {"offset": "1"}, {"operator": "xor"}, {"filter": []}, {"q": 5}]
)
def test_what_is_no_query_is_the_same_kind_of_error(cars: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidQuery):
        cars.search(**asked)


def test_changes_go_on_where_they_were_left(cars: Any) -> None:
    seen = list(cars.changes())
    assert {each.key for each in seen} == {car.id for car in CARS}
    result = cars.delete("a1")
    last = {each.position.partition: each.position for each in seen}
    (change,) = cars.changes(last.values())
    assert (change.operation, change.key, change.position) == ("delete", "a1", result.position)
    assert change.document is None


def test_compound_keys_of_every_kind_travel(store: Any) -> None:
    fields = {"seller": "keyword", "at": "datetime", "rate": "float"}
    things = store.create_collection("things", {"fields": fields}, key=Key("seller", "at", "rate"))
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9, 123, tzinfo=datetime.UTC)
    key = ("a,b/~", moment, 2.0)
    document = {"seller": "a,b/~", "at": moment.isoformat(), "rate": 2.0}
    assert things.put(document).key == key
    assert things.get(key) == document
    assert [each.key for each in things.scan(prefix=("a,b/~",))] == [key]
    assert [each.key for each in things.search("").hits] == [key]
    assert [each.key for each in things.changes()] == [key]
    assert things.delete(key).deleted


def test_bytes_in_keys_name_documents(store: Any) -> None:
    things = store.create_collection("things", key=Key("digest"))
    assert things.put({"digest": b"\x00\xff", "a": 1}).key == b"\x00\xff"
    batch = things.put_many([{"digest": b"\x01", "a": 2}, {"digest": "~t"}, {"digest": 7}])
    assert [each.key for each in batch] == [b"\x01", "~t", 7]
    kept = [7, "~t", b"\x00\xff", b"\x01"]
    assert sorted((each.key for each in things.scan()), key=repr) == sorted(kept, key=repr)
    assert {repr(hit.key) for hit in things.search().hits} == set(map(repr, kept))
    assert {repr(each.key) for each in things.changes()} == set(map(repr, kept))
    assert things.fetch(b"\x01").key == b"\x01"
    assert things.get(b"\x01")["a"] == 2
    assert [each.deleted for each in things.delete_many([b"\x01", "~t", b"\x05"])] == [
        True,
        True,
        False,
    ]
    assert things.delete(b"\x00\xff").deleted


def test_bytes_in_compound_keys_come_back(store: Any) -> None:
    things = store.create_collection("things", key=Key("digest", "at"))
    key = (b"\x00\xff", "x")
    assert things.put({"digest": key[0], "at": "x"}).key == key
    assert [each.key for each in things.scan()] == [key]
    assert things.get_many([key])[0]["at"] == "x"


def test_writes_of_any_kind_go_together(cars: Any) -> None:
    results = cars.write_many(
        [
            Put(CARS[0].model_copy(update={"price": 1}), if_version=1, op_id="op"),
            Put(CARS[1], if_version=0),
            Put({"id": "b1", "make": "Kia"}),
            Put({"make": "Kia", "price": 2}, "b2", if_absent=True),
            Put(CARS[0].model_copy(update={"id": "none"}), if_present=True),
            Delete("a2", if_version=1),
            Delete("none", if_present=True),
            Delete("none"),
        ]
    )
    errors = {each.index: type(each.error) for each in results.errors}
    assert errors == {
        1: VersionConflict,
        2: InvalidDocument,
        4: VersionConflict,
        6: VersionConflict,
    }
    assert [(each.key, each.created, each.deleted) for each in results.written] == [
        ("a1", False, False),
        ("b2", True, False),
        ("a2", False, True),
        ("none", False, False),
    ]
    assert cars.write_many([Put(CARS[0], op_id="op")])[0] == results[0]
    assert set(results.position) <= set(cars.position())


def test_patches_are_checked_by_the_model(store: Any) -> None:
    class Even(BaseModel):
        id: str
        n: int

        @field_validator("n")
        @classmethod
        def is_even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("odd")
            return value

    evens = store.create_collection("evens", Even)
    evens.put(Even(id="a", n=2))
    with pytest.raises(InvalidDocument):
        evens.patch("a", {"n": 3})
    assert evens.patch("a", {"n": 4}).version == 2
    assert evens.patch("a", {"n": 6}, op_id="once") == evens.patch("a", {"n": 8}, op_id="once")
    with pytest.raises(VersionConflict):
        evens.patch("a", {"n": 4}, if_version=1)
    assert evens.get("a") == Even(id="a", n=6)


def test_positions_are_what_completions_and_similar_documents_cover(cars: Any) -> None:
    cars.refresh()  # a position is covered in its own shard
    put = cars.put(Car(id="a4", make="Ford", price=3))
    assert [each.documents for each in cars.complete("fo", "make", freshness=put.position)] == [3]
    similar = cars.more_like("a4", ["make"], freshness=[put.position])
    assert {hit.key for hit in similar.hits} == {"a1", "a2"}
    assert isinstance(similar.hits[0].document, Car)
    with pytest.raises(NotFound) as caught:
        cars.more_like("none")
    assert caught.value.data["key"] == "none"


def test_a_collection_is_looked_after(cars: Any) -> None:
    assert list(cars.check()) == []
    cars.rebuild(0)
    cars.rebuild()
    assert cars.count({"make": "Ford"}) == 2
    with pytest.raises(NotFound):
        cars.rebuild(99)
    written = cars.delete("a1")
    assert written.position in cars.position()
    assert list(cars.changes(cars.position())) == []


def _errors(cars: Any) -> Iterator[DocstoreError]:
    attempts: list[Callable[[], Any]] = [
        lambda: cars.put({"id": "a1", "make": 1}),
        lambda: cars.put(CARS[0], "other"),
        lambda: cars.put(CARS[0], if_version=7),
        lambda: cars.put(CARS[0], if_absent=True),
        lambda: cars.put(CARS[0].model_copy(update={"id": "new"}), if_present=True),
        lambda: cars.patch("none", {}),
        lambda: cars.patch("a1", {"price": []}),
        lambda: cars.more_like("none"),
        lambda: cars.complete("x", "no_such"),
        lambda: cars.rebuild(99),
        lambda: cars.get(""),
        lambda: cars.get(5),
        lambda: cars.search(query={"nonsense": {}}),
        lambda: cars.search(filter={"no_such": {"between": 3}}),
        lambda: cars.search(sort="no_such.field"),
        lambda: list(cars.scan(limit=-1)),
        lambda: cars.search(after="nowhere"),
        lambda: list(cars.changes("nowhere")),
    ]
    for attempt in attempts:
        with pytest.raises(DocstoreError) as caught:
            attempt()
        yield caught.value


def test_errors_are_equal_however_a_store_is_reached(tmp_path: Path) -> None:
    told: list[list[tuple[Any, ...]]] = []
    for kind in KINDS:
        store, end = opened(kind, tmp_path / kind)
        cars = store.create_collection("cars", Car)
        cars.put(CARS[0])
        told.append(
            [(type(each), each.message, each.hint, each.data, each.code) for each in _errors(cars)]
        )
        end()
    assert told[0] == told[1]
    assert told[0] == told[2]
    assert {each[0] for each in told[0]} >= {InvalidDocument, InvalidQuery, VersionConflict}


def test_hot_keys_are_told(store: Any, cars: Any) -> None:
    for _ in range(5):
        cars.get("a1")
    hottest = cars.hot_keys(1)[0]
    assert hottest.key == "a1"
    assert hottest.read_share == 1
    assert store.hot_keys(1)[0].collection == "cars"
    assert len(cars.hot_keys()) == 3


@pytest.mark.parametrize(
    "conditions",
    [
        {"if_absent": True, "if_version": 1},
        {"if_absent": True, "if_version": 0},
        {"if_absent": True, "if_present": True},
        {"if_present": True, "if_version": 0},
        {"if_version": -1},
        {"if_version": True},
        {"if_version": "1"},
    ],
)
def test_conditions_that_contradict_each_other_are_refused(
    cars: Any, conditions: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        cars.put(CARS[0], **conditions)
    (batched,) = cars.write_many([Put(CARS[0], **conditions)])
    assert str(batched.error) == str(caught.value)
    if set(conditions) == {"if_version"}:
        for attempt in (cars.delete, lambda key, **given: cars.patch(key, {"price": 1}, **given)):
            with pytest.raises(InvalidRequest):
                attempt("a1", **conditions)
    assert cars.fetch("a1").version == 1


def test_a_version_that_came_again_is_not_the_one_that_was_read(cars: Any) -> None:
    first = cars.put(Car(id="b", make="Kia", price=1))
    cars.delete("b")
    again = cars.put(Car(id="b", make="Kia", price=2))
    assert first.version == again.version == 1
    document = Car(id="b", make="Kia", price=3)
    late, early, made = cars.write_many(
        [
            Put(document, if_version=1, if_seq=first.position.seq),
            Delete("b", if_seq=first.position.seq),
            Put(document, if_version=1, if_seq=again.position.seq),
        ]
    )
    assert isinstance(late.error, VersionConflict)
    assert isinstance(early.error, VersionConflict)
    assert late.error.data == {"current": 1, "seq": again.position.seq}
    assert (made.version, cars.get("b")) == (2, document)


def test_a_single_write_has_the_conditions_of_one_in_a_batch(cars: Any) -> None:
    car = Car(id="b", make="Kia", price=1)
    first = cars.put(car)
    cars.delete("b", if_present=True)
    with pytest.raises(VersionConflict):
        cars.delete("b", if_present=True)
    again = cars.put(car)
    for write, what in ((cars.put, car), (cars.delete, "b")):
        with pytest.raises(VersionConflict) as caught:
            write(what, if_seq=first.position.seq)
        assert (caught.value.data["current"], caught.value.data["seq"]) == (1, again.position.seq)
    third = cars.put(car, if_version=1, if_seq=again.position.seq, op_id="third")
    assert third.version == 2
    assert cars.put(car, if_version=1, if_seq=again.position.seq, op_id="third") == third
    assert cars.delete("b", if_seq=third.position.seq).deleted
    with pytest.raises(InvalidRequest):
        cars.put(car, if_absent=True, if_seq=1)


@pytest.mark.parametrize("limit", [True, -1, "5", 1.5])
@pytest.mark.parametrize("method", ["scan", "changes", "search", "more_like", "complete"])
def test_what_is_no_limit_is_refused_at_once(cars: Any, method: str, limit: Any) -> None:
    given = {"more_like": ["a1"], "complete": ["f"]}.get(method, [])
    with pytest.raises(InvalidRequest, match="limit"):
        getattr(cars, method)(*given, limit=limit)


@pytest.mark.parametrize("bounds", [{"start": object()}, {"prefix": ["a", "b"]}, {"end": True}])
def test_what_is_no_bound_of_a_scan_is_refused_at_once(cars: Any, bounds: Any) -> None:
    with pytest.raises(InvalidDocument):
        cars.scan(**bounds)


def test_what_matches_is_deleted(cars: Any) -> None:
    done = cars.delete_by_query(filter={"make": "Ford"}, max_documents=1)
    assert (done.deleted, done.more, len(done.position)) == (1, True, 1)
    assert cars.count(after=done.position) == 2
    done = cars.delete_by_query(filter={"make": "Ford"})
    assert (done.deleted, done.more) == (1, False)
    assert [each.key for each in cars.scan()] == ["~/ä b?#%"]
    assert cars.delete_by_query("tires").deleted == 1
    assert cars.delete_by_query(query={"match_all": {}}).deleted == 0


def test_nothing_is_deleted_unasked(cars: Any) -> None:
    unasked: list[dict[str, Any]] = [{}, {"q": " "}, {"filter": {}}]
    for asked in unasked:
        with pytest.raises(InvalidQuery):
            cars.delete_by_query(**asked)
    for most in (0, -1, 1.5, True):
        with pytest.raises(InvalidRequest):
            cars.delete_by_query("ford", max_documents=most)
    assert cars.count() == 3


def test_more_is_deleted_than_fits_into_a_request(store: Any) -> None:
    things = store.create_collection("things")
    things.put_many({"n": number} for number in range(12_000))
    done = things.delete_by_query(filter={"n": {"lt": 11_500}})
    assert (done.deleted, done.more, things.count()) == (11_500, False, 500)


@pytest.mark.parametrize("timeout", [0, -1, True, "1", float("nan")])
def test_what_is_no_time_is_refused(cars: Any, timeout: Any) -> None:
    for ask, about in ((cars.search, "new"), (cars.complete, "ne"), (cars.more_like, "a1")):
        with pytest.raises(InvalidQuery) as caught:
            ask(about, timeout=timeout)
        assert caught.value.data["path"] == "timeout"
    assert cars.search("new", timeout=30).total == 2
    assert [each.value for each in cars.complete("ne", timeout=30)] == ["new"]
    assert cars.more_like("a1", timeout=30).hits[0].key != "a1"
