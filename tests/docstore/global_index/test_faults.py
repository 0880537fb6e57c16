"""Faults and changes of mind: a visible refill or a clear error, and right answers all along."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docstore import (
    Collection,
    Corruption,
    GlobalIndex,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    NotFound,
    Store,
    Unavailable,
)
from docstore.global_index import indexes as global_indexes
from docstore.global_index.definition import GlobalIndex as Definition
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.partition_changes import Checkpoint
from docstore.global_index.postings import packed
from docstore.global_index.wanted import Values
from docstore.shards.shard import LOG_ENTRIES_KEPT
from docstore.types import Position

Cars = Collection[dict[str, Any]]


def made(store: Store, *indexes: GlobalIndex, partitions: int = 2, documents: int = 40) -> Cars:
    """Cars of three colours, with indexes that nothing moves but the test."""
    cars = store.create_collection("cars", partitions=partitions, indexes=indexes)
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    cars.put_many(
        {"id": f"{n:03d}", "color": ["red", "blue", "green"][n % 3], "price": n, "words": "a b"}
        for n in range(documents)
    )
    return cars


def live(cars: Cars, name: str = "color") -> LiveIndex:
    """The open index."""
    return cars.indexes._live[name]


def test_a_damaged_file_is_filled_again_when_it_is_opened(open_store: Callable[[], Store]) -> None:
    cars = made(open_store(), GlobalIndex("color"))
    cars.indexes.catch_up()
    path = live(cars).files.partitions[0]._environment.path
    store = open_store()
    store.close()
    path.write_bytes(b"\0" * path.stat().st_size)
    cars = open_store().collection("cars")
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 14


def test_a_lost_directory_is_filled_again_and_says_so(open_store: Callable[[], Store]) -> None:
    cars = made(open_store(), GlobalIndex("color", partitions=1))
    cars.indexes.catch_up()
    directory = live(cars).files.partitions[0]._environment.path.parent.parent
    open_store().close()
    shutil.rmtree(directory)
    store = open_store()
    cars = store.collection("cars")
    cars.indexes._updater.stop()
    index = live(cars)
    if index.state((0, 1)) == "filling":  # unless the updater was faster
        with pytest.raises(Unavailable) as refused:
            cars.indexes.lookup("color", "red")
        assert refused.value.retryable
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 14


def test_a_partition_that_cannot_be_used_is_taken_up_as_it_is_when_it_can(
    open_store: Callable[[], Store],
) -> None:
    cars = made(open_store(), GlobalIndex("id", partitions=1))
    cars.indexes.catch_up()
    partition = live(cars, "id").files.partitions[0]._environment.path.parent
    open_store().close()
    aside = partition.with_name("aside")
    partition.rename(aside)
    partition.write_bytes(b"")
    cars = open_store().collection("cars")
    cars.indexes._updater.stop()
    for number in range(12):
        cars.delete(f"{number:03d}")
    for _ in range(2):
        with pytest.raises(Unavailable):
            cars.indexes.catch_up()
        assert cars.indexes.stats()[0]["state"] == "filling"
    partition.unlink()
    aside.rename(partition)
    begun = live(cars, "id").begun
    cars.indexes.catch_up()
    assert live(cars, "id").begun == begun + 1
    assert cars.indexes.lookup("id", gte="0").total == 28
    assert list(cars.check()) == []


def test_an_index_that_differs_from_searches_is_not_promoted(store: Store) -> None:
    cars = made(store)
    cars.indexes.create(GlobalIndex("color", partitions=1))
    index, numbers = live(cars), cars.partitions.numbers
    while index.state(numbers) == "filling":
        index.fill(numbers)
    # A posting of a document that is another colour.
    rows = index.files.partitions[0].terms_of([b"000"])
    index.files.partitions[0].apply({b"000": {}}, {})
    assert rows
    with pytest.raises(Corruption, match="differs"):
        cars.indexes._settle(index)
    assert index.state(numbers) == "filling"
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 14


def test_check_names_what_differs_and_rebuild_repairs_it(store: Store) -> None:
    cars = made(store, GlobalIndex("color", include=["price"], partitions=1))
    cars.indexes.catch_up()
    partition = live(cars).files.partitions[0]
    (term,) = partition.terms_of([b"001"])[b"001"]
    extra = packed(term, b"zzz", 0, 1, 1, b"[1,2]", several=False)
    partition.apply({b"000": {}, b"zzz": {term: extra}}, {})
    found = {(each.rule, each.key) for each in cars.indexes.check()}
    assert found >= {("global-missing", "000"), ("global-extra", "zzz")}
    cars.indexes.rebuild("color", 0)
    cars.indexes.catch_up()
    assert list(cars.indexes.check()) == []


def test_a_partition_filled_later_than_the_others_keeps_nothing_old(store: Store) -> None:
    cars = made(store, GlobalIndex("color", partitions=3), partitions=1, documents=0)
    index = live(cars)
    colors = ["red", "blue", "green", "white", "black"]
    # One partition is filled from documents that the others have yet to hear of in the log.
    for place in range(3):
        cars.indexes.rebuild("color", place)
        index.fill(cars.partitions.numbers)
        cars.put_many({"id": f"{n}", "color": colors[(n + place + 1) % 5]} for n in range(5))
    cars.indexes.catch_up()
    assert [cars.indexes.lookup("color", color).total for color in colors] == [1] * 5
    assert list(cars.indexes.check()) == []


def test_verification_counts_the_documents_that_differ(store: Store) -> None:
    cars = made(store, GlobalIndex("color", partitions=1))
    cars.indexes.catch_up()
    verifier = cars.indexes._updater.verifier
    verifier.rate = 1e9

    def walked() -> int:
        before = verifier.rounds
        while verifier.rounds == before:
            verifier.step(cars.partitions.numbers, cars.partitions.shard, [live(cars)])
        return verifier.divergent

    assert walked() == 0
    live(cars).files.partitions[0].apply({b"000": {}}, {})
    assert walked() == 1
    gauge = cars.indexes.verification
    assert gauge["verified"] == 80
    assert gauge["divergent"] == 1
    assert "global-missing" in gauge["last"]
    cars.indexes.rebuild("color")


def test_an_index_is_renamed_with_what_it_holds(open_store: Callable[[], Store]) -> None:
    cars = made(open_store(), GlobalIndex("color"), GlobalIndex("price"))
    cars.indexes.catch_up()
    cars.indexes.rename("color", "paint")
    assert cars.indexes.lookup("paint", "red", freshness="any").total == 14
    assert [each.name for each in cars.indexes] == ["paint", "price"]
    with pytest.raises(NotFound, match="color"):
        cars.indexes.lookup("color", "red")
    with pytest.raises(InvalidSchema):
        cars.indexes.rename("paint", "../x")
    cars = open_store().collection("cars")
    assert cars.indexes.lookup("paint", "red").total == 14


def test_a_stuck_index_lets_the_log_go_and_is_filled_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cars = made(store, GlobalIndex("color"), partitions=1)
    shard = cars.partitions.shard(0)
    assert cars.indexes.log_floor(0) == 0
    monkeypatch.setattr(global_indexes, "LOG_ENTRIES_HELD_MAX", 10)
    assert cars.indexes.log_floor(0) == shard.head - 10
    # The log forgets what only the index still needed, and so does memory.
    shard.carry(lambda _: None)
    monkeypatch.setattr("docstore.shards.shard.LOG_ENTRIES_KEPT", 5)
    cars.refresh()
    assert shard.log_range()[0] > 1, LOG_ENTRIES_KEPT
    with pytest.raises(Unavailable):
        cars.indexes.lookup("color", "red")
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 14


def test_new_shards_are_adopted_where_their_sources_were_followed(store: Store) -> None:
    cars = made(store, GlobalIndex("color"), partitions=1)
    index = live(cars)
    head = cars.partitions.shard(0).head
    cars.indexes.adopt({7: 0}, {0: head})
    assert index.files.followed(7) == (0, 0)
    assert index.files.floor(0) == head
    cars.indexes.forget([7])
    assert index.files.followed(7) is None
    assert cars.indexes.lookup("color", "red").total == 14


def test_an_index_with_shards_that_are_gone_is_filled_again(
    open_store: Callable[[], Store],
) -> None:
    cars = made(open_store(), GlobalIndex("color", partitions=2), partitions=1)
    cars.indexes.catch_up()
    partitions = live(cars).files.partitions
    for each in partitions:
        each.forget([0])
        each.apply({}, {9: Checkpoint(5, None)})
    cars = open_store().collection("cars")
    cars.indexes.catch_up()
    assert live(cars).files.shards == {0}
    assert cars.indexes.lookup("color", "red").total == 14


def test_fields_together_and_words_and_everything(store: Store) -> None:
    schema = {
        "fields": {"id": "keyword", "color": "keyword", "price": "int", "words": "text"},
        "dynamic": "index",
    }
    together = GlobalIndex(["color", "price"], include="all")
    cars = store.create_collection(
        "cars", schema, partitions=2, indexes=[together, GlobalIndex("words", include=["color"])]
    )
    cars.put_many(
        {"id": str(n), "color": ["red", "blue"][n % 2], "price": n, "words": f"Old car {n}"}
        for n in range(20)
    )
    cars.indexes.catch_up()
    answer = cars.indexes.lookup("color+price", ("red", 4))
    assert [(row.key, row.value) for row in answer.rows] == [("4", ["red", 4])]
    assert answer.rows[0].included["words"] == "Old car 4"
    assert len(answer.index_partitions) == 1
    ranged = cars.indexes.lookup("color+price", ("red",), gte=10, sort="price", descending=True)
    assert [row.key for row in ranged.rows] == ["18", "16", "14", "12", "10"]
    assert cars.indexes.lookup("words", "old").total == 20
    assert [row.key for row in cars.indexes.lookup("words", "7").rows] == ["7"]
    with pytest.raises(InvalidQuery):
        cars.indexes.lookup("color+price", ("red", 4, 5))


def test_ranges_of_terms_touch_few_partitions(store: Store) -> None:
    cars = made(store, documents=400)
    cars.indexes.create(GlobalIndex("price", partitions=8, by="range"))
    cars.indexes.catch_up()
    assert len(cars.indexes.lookup("price", gte=100, lt=110).index_partitions) <= 2
    assert len(cars.indexes.lookup("price", gte=0).index_partitions) == 8
    assert cars.indexes.lookup("price", gte=100, lt=110).total == 10


def test_a_value_too_long_is_found_and_a_bound_too_long_is_refused(store: Store) -> None:
    cars = made(store, GlobalIndex("color"))
    cars.put({"id": "x", "color": "r" * 500 + "a"})
    cars.put({"id": "y", "color": "r" * 500 + "b"})
    assert [row.key for row in cars.indexes.lookup("color", "r" * 500 + "b").rows] == ["y"]
    assert cars.indexes.lookup("color", prefix="rrr").total == 2
    with pytest.raises(InvalidQuery, match="360 bytes"):
        cars.indexes.lookup("color", gte="r" * 500)


def test_an_answer_after_a_position_includes_it(store: Store) -> None:
    cars = made(store, GlobalIndex("color"))
    cars.indexes.catch_up()
    assert cars.indexes.lookup("color", "red").total == 14
    position = cars.put({"id": "new", "color": "red"}).position
    indexes = cars.indexes
    wanted = indexes.wanted("color", [Values(("red",))])
    assert indexes.candidates("color", wanted, freshness="any").total == 14
    assert indexes.candidates("color", wanted, after=[position]).total == 15
    assert isinstance(position, Position)


def test_what_is_no_rate_is_refused(store: Store) -> None:
    cars = made(store)
    for refused in (cars.indexes.throttle, cars.indexes.verify):
        with pytest.raises(InvalidRequest, match="documents a second"):
            refused(0)


def test_a_definition_is_itself_after_its_json() -> None:
    for index in (
        Definition("a"),
        Definition(["a", "b"], include="all", by="range", name="x"),
        Definition("a", ["b"], 3, bounds=[b"\x10", b"\x20"]),
    ):
        assert Definition.from_json(index.to_json()) == index
    with pytest.raises(Corruption):
        Definition.from_json({"name": "a"})


def test_copies_of_a_store_are_read_with_their_indexes(store: Store, tmp_path: Path) -> None:
    cars = made(store, GlobalIndex("color"))
    cars.indexes.catch_up()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    with Store.open(tmp_path / "copy", read_only=True) as reader:
        seen = reader.collection("cars")
        assert seen.indexes.lookup("color", "red").total == 14
        assert seen.indexes.offers()[0].state == "ready"
