"""What a collection promises beyond the state machine: keys, freshness, batches, plans."""

import gc
import threading
import weakref
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from docstore import (
    Collection,
    InvalidDocument,
    Key,
    Keyword,
    Position,
    Store,
    VersionConflict,
    WriteResult,
)


class Offer(BaseModel):
    seller: str
    listed: datetime
    number: int
    color: Keyword | None = None


@pytest.fixture
def offers(store: Store) -> Collection[Offer]:
    offers = store.create_collection("offers", Offer, key=Key("seller", "listed", "number"))
    offers.put_many(
        Offer(seller=seller, listed=datetime(2024, month, 1, tzinfo=UTC), number=month, color="red")
        for seller in ("s1", "s2", "s10")
        for month in (12, 2, 7)
    )
    return offers


def test_a_compound_key_orders_documents_within_its_first_part(offers: Collection[Offer]) -> None:
    found = [document.key for document in offers.scan(prefix=("s1",))]
    assert [(seller, listed.month) for seller, listed, _ in found] == [
        ("s1", 2),
        ("s1", 7),
        ("s1", 12),
    ]
    newest = next(offers.scan(prefix=("s1",), reverse=True)).document
    assert newest.listed.month == 12
    assert offers.get(found[0]) == offers.get(("s1", date(2024, 2, 1), 2))


def test_documents_of_one_partition_key_are_searched_in_one_shard(
    offers: Collection[Offer],
) -> None:
    found = offers.search(filter={"seller": "s2"}, sort="-listed")
    assert (found.plan.chosen.name, found.shards_touched) == ("single_shard", 1)
    assert [hit.document.listed.month for hit in found.hits] == [12, 7, 2]
    assert {candidate.name for candidate in found.plan.rejected} == {"scatter", "point_read"}


def test_a_compound_key_is_read_as_a_point(offers: Collection[Offer]) -> None:
    key = ("s1", datetime(2024, 7, 1, tzinfo=UTC), 7)
    for asked in (key, ("s1", "2024-07-01T00:00:00Z", 7)):
        found = offers.search(query={"ids": {"values": [list(asked)]}})
        assert (found.plan.chosen.name, [hit.key for hit in found.hits]) == ("point_read", [key])
        narrowed = offers.search(query={"ids": {"values": [list(asked)]}}, filter={"color": "red"})
        assert (narrowed.plan.chosen.name, narrowed.total) == ("single_shard", 1)


def test_a_missing_part_of_a_key_is_refused(store: Store) -> None:
    offers = store.create_collection("offers", key=Key("seller", "number"))
    with pytest.raises(InvalidDocument, match="number"):
        offers.put({"seller": "s1"})
    assert offers.put({"seller": "s1", "number": 5}).key == ("s1", 5)
    assert offers.put({"seller": "s1"}, ("s1", 6)).key == ("s1", 6)


def test_a_number_may_be_a_key(store: Store) -> None:
    class Numbered(BaseModel):
        id: int
        name: str = ""

    numbered = store.create_collection("numbered", Numbered)
    numbered.put_many({"id": number} for number in (10, -5, 9))
    assert [document.key for document in numbered.scan()] == [-5, 9, 10]
    assert numbered.get(9) == Numbered(id=9)
    assert numbered.search(filter={"id": 9}).total == 1


def test_a_missing_key_is_generated_in_the_order_of_time(store: Store) -> None:
    class Note(BaseModel):
        id: str | None = None
        text: str

    notes = store.create_collection("notes", Note)
    keys = [notes.put(Note(text=str(number))).key for number in range(20)]
    assert keys == sorted(keys)
    assert {UUID(key).version for key in keys} == {7}
    first = notes.get(keys[0])
    assert first is not None
    assert first.id == keys[0]


@pytest.mark.parametrize("key", ["k" * 511, "é" * 255, "\x00", "a\x00b", "😀", " ", "a/b", "\n"])
def test_any_text_of_up_to_511_bytes_is_a_key(store: Store, key: str) -> None:
    cars = store.create_collection("cars")
    cars.put({"id": key, "n": 1})
    assert cars.get(key) == {"id": key, "n": 1}
    assert [hit.key for hit in cars.search(filter={"n": 1}).hits] == [key]
    assert cars.search(filter={"id": key}).total == 1


def test_a_search_sees_every_write_acknowledged_before_it_by_any_thread(store: Store) -> None:
    cars = store.create_collection("cars", partitions=2)
    problems: list[str] = []

    def write_and_look(name: int) -> None:
        for number in range(15):
            cars.put({"id": f"{name}-{number}", "writer": name})
            total = cars.search(filter={"writer": name}, limit=0).total
            if total != number + 1:
                problems.append(f"{name}: {total} of {number + 1}")

    threads = [threading.Thread(target=write_and_look, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_concurrent_increments_are_not_lost(store: Store) -> None:
    counters = store.create_collection("counters", partitions=1)
    counters.put({"id": "c", "n": 0})

    def increment() -> None:
        done = 0
        while done < 20:
            current = counters.fetch("c")
            assert current is not None
            document = {"id": "c", "n": current.document["n"] + 1}
            try:
                counters.put(document, if_version=current.version)
            except VersionConflict:
                continue
            done += 1

    threads = [threading.Thread(target=increment) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.get("c") == {"id": "c", "n": 80}


def test_after_a_position_waits_for_that_write_only(store: Store) -> None:
    cars = store.create_collection("cars")
    written = cars.put({"id": "a", "color": "red"})
    for after in (written.position, str(written.position), [written.position]):
        assert cars.search("red", after=after).total == 1
    assert cars.search("red", freshness=written.position).total == 1
    batch = cars.put_many([{"id": "b", "color": "red"}, {"id": "c", "color": "red"}])
    found = cars.search("red", after=batch.position)
    assert found.total == 3
    assert found.plan.freshness.startswith("after ")
    assert Position.parse(str(written.position)) == written.position


def test_any_never_makes_a_search_wait(store: Store) -> None:
    cars = store.create_collection("cars")
    cars.put({"id": "a", "color": "red"})
    cars.refresh()
    cars.put({"id": "b", "color": "red"})
    assert cars.search("red", freshness="any").total in (1, 2)
    assert cars.search("red").total == 2


def test_a_batch_reports_each_document_and_stops_for_none(store: Store) -> None:
    cars = store.create_collection("cars", {"fields": {"id": "string", "price": "int"}})
    documents: list[Any] = [{"id": "a", "price": 1}, {"id": "b", "price": "x"}, 5, {"price": 2}]
    result = cars.put_many([*documents, {"id": "a", "price": 3}])
    assert [error.index for error in result.errors] == [1, 2]
    assert [type(each) is WriteResult for each in result] == [True, False, False, True, True]
    assert result.written_count == 3
    last = result[-1]
    assert isinstance(last, WriteResult)
    assert (last.key, last.version) == ("a", 2)
    again = cars.put_many([{"id": "a", "price": 4}, {"id": "z"}], if_absent=True)
    assert [(error.index, error.key) for error in again.errors] == [(0, "a")]
    assert cars.get_many(["a", "nothing", "z"]) == [{"id": "a", "price": 3}, None, {"id": "z"}]


def test_a_result_that_is_kept_holds_nothing_of_the_store(store: Store) -> None:
    things = store.create_collection("things", partitions=1)
    result = things.put_many({"id": str(number)} for number in range(20))
    then = weakref.ref(things.partitions)
    things.split(0)
    gc.collect()
    assert then() is None
    assert [each.position for each in result.written] == [Position(0, 1, n) for n in range(1, 21)]


def test_an_operation_that_changed_nothing_is_decided_anew(store: Store) -> None:
    things = store.create_collection("things")
    assert not things.delete("a", op_id="one").deleted
    things.put({"id": "a"}, op_id="two")
    with pytest.raises(VersionConflict):
        things.put({"id": "a"}, if_absent=True, op_id="three")
    assert things.delete("a", op_id="one").deleted
    assert things.put({"id": "a"}, if_absent=True, op_id="three").created
    assert things.delete("a", op_id="one").deleted
    assert things.exists("a")


def test_selected_fields_and_typed_hits(store: Store) -> None:
    class Car(BaseModel):
        id: str
        make: str
        seller: dict[str, str] = {}

    cars = store.create_collection("cars", Car)
    car = Car(id="a", make="ford", seller={"city": "Ulm", "phone": "5"})
    cars.put(car)
    assert cars.search("ulm").hits[0].document == car
    found = cars.search("ford", select=["make", "seller.city", "nothing"])
    chosen: Any = found.hits[0].document
    assert chosen == {"make": "ford", "seller": {"city": "Ulm"}}
    assert store.collection("cars", Car).get("a") == car


def test_an_answer_explains_itself(store: Store) -> None:
    cars = store.create_collection("cars", partitions=3)
    cars.put({"id": "a", "color": "red"})
    cars.refresh()
    found = cars.search("red", filter={"shape": "round"})
    assert found.plan.as_dict()["chosen"]["shards"] == [0, 1, 2]
    assert any("shape" in note for note in found.plan.notes)
    assert set(found.timings_ms) == {"plan", "refresh", "search", "merge", "fetch"}
    assert found.took_ms >= found.timings_ms["search"]
    assert cars.explain("red", filter={"shape": "round"}).chosen == found.plan.chosen


def test_the_map_of_a_shard_grows_while_others_read(store: Store) -> None:
    cars = store.create_collection("cars", partitions=1)
    text = "x" * 100_000
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            cars.get("0")
            list(cars.scan(limit=3))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(400):
            cars.put({"id": str(number), "n": number, "text": {"raw": text}})
    finally:
        stop.set()
        reader.join()
    assert cars.count() == 400
    assert store.stats()["collections"][0]["partitions"][0]["document_bytes"] > 40_000_000


def test_bytes_may_be_a_part_of_a_key_and_are_kept_as_base64(store: Store) -> None:
    blobs = store.create_collection("blobs", key=Key("owner", "digest"))
    assert blobs.put({"owner": "x"}, ("x", b"\x00\xff")).key == ("x", b"\x00\xff")
    assert blobs.put({"owner": "x", "digest": b"\x00"}).key == ("x", b"\x00")
    assert [found.key[1] for found in blobs.scan(prefix=("x",))] == [b"\x00", b"\x00\xff"]
    assert blobs.get(("x", b"\x00\xff")) == {"owner": "x", "digest": "AP8="}
    blobs.patch(("x", b"\x00\xff"), {"size": 2})
    assert blobs.get(("x", b"\x00\xff")) == {"owner": "x", "digest": "AP8=", "size": 2}


def test_a_field_of_other_kinds_in_other_shards_is_no_error(store: Store) -> None:
    mixed = store.create_collection("mixed", partitions=8)
    mixed.put_many({"id": str(n), "v": "abc" if n % 2 else n} for n in range(20))
    for query in (
        {"wildcard": {"v": "a*"}},
        {"prefix": {"v": "ab"}},
        {"regexp": {"v": "a.c"}},
        {"match_phrase_prefix": {"v": "ab"}},
        {"terms": {"v": ["abc", "x"]}},
    ):
        assert mixed.search(query=query).total == 10
    assert mixed.search(filter={"v": [0, 2, 2.5, True, "4", "abc"]}).total == 12
    assert mixed.count(filter={"v": "4"}) == mixed.count(filter={"v": {"gte": "0", "lt": "9"}}) == 0


def test_a_word_that_only_replaced_documents_held_is_searched_for(store: Store) -> None:
    notes = store.create_collection("notes", partitions=2)
    notes.put({"id": "a", "color": "red"})
    notes.put({"id": "é", "color": "red", "tags": ["x"]})
    assert notes.search("x").total == 1
    notes.put({"id": "é", "color": "red"})
    assert notes.search("x").total == 0


def test_free_text_may_name_fields_that_only_documents_have(store: Store) -> None:
    cars = store.create_collection("cars")
    cars.put_many([{"id": "1", "make": "ford", "price": 15}, {"id": "2", "note": "make ford"}])
    assert [hit.key for hit in cars.search("make:ford").hits] == ["1"]
    assert [hit.key for hit in cars.search("price:10..20").hits] == ["1"]


@pytest.mark.parametrize("field", ["names", "numbers"])
def test_a_list_sorts_by_its_first_value_and_nothing_comes_last(store: Store, field: str) -> None:
    lists = store.create_collection("lists", partitions=3)
    lists.put_many(
        [
            {"id": "a", "names": ["m", "a"], "numbers": [5, 1]},
            {"id": "b", "names": ["k"], "numbers": [3]},
            {"id": "c", "names": ["b", "z"], "numbers": [0, 9]},
            {"id": "d"},
        ]
    )
    assert [hit.key for hit in lists.search(sort=field).hits] == ["c", "b", "a", "d"]
    assert [hit.key for hit in lists.search(sort=f"-{field}").hits] == ["a", "b", "c", "d"]


def test_a_sort_by_a_field_that_no_document_has_is_remarked(store: Store) -> None:
    cars = store.create_collection("cars", partitions=3)
    cars.put_many({"id": f"c{n}", "price": n} for n in range(2))
    remark = "no document has a field 'pric'"
    assert cars.search(sort="pric").plan.notes == (remark,)
    assert cars.search(sort="-pric", filter={"pric": 5}).plan.notes == (remark,)
    assert cars.search(sort="price").plan.notes == ()  # though one shard has none
