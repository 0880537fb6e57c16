"""A partition key is salted, resalted and unsalted while its documents are read and written."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docstore import (
    Collection,
    InvalidRequest,
    Key,
    NotFound,
    Position,
    Range,
    Store,
    Unavailable,
    VersionConflict,
)
from docstore.global_index.definition import GlobalIndex
from tests.docstore.steps import copied, each_step

Sales = Collection[dict[str, Any]]
_SCHEMA = {"fields": {"seller": "keyword", "n": "int", "color": "keyword"}}


def _sale(seller: str, number: int) -> dict[str, Any]:
    return {"seller": seller, "n": number, "color": ("red", "blue")[number % 2]}


def _filled(
    store: Store, partitions: int = 4, count: int = 60, schema: Any = _SCHEMA, **more: Any
) -> Sales:
    sales = store.create_collection(
        "sales", schema, key=Key("seller", "n"), partitions=partitions, **more
    )
    sales.put_many(_sale("big", number) for number in range(count))
    sales.put_many(_sale(f"small-{number}", number) for number in range(20))
    return sales


def _holding(sales: Sales, seller: str = "big") -> dict[int, int]:
    """How many documents of a seller each shard holds."""
    return {
        number: held
        for number in sales.partitions.numbers
        if (
            held := sum(
                1
                for key, _ in sales.partitions.shard(number).scan()
                if sales.partitions.key_text(key).startswith("20" + seller.encode().hex() + "00")
            )
        )
    }


def _is_whole(sales: Sales, count: int = 60) -> bool:
    listed = [found.key for found in sales.scan(prefix=("big",))]
    return (
        listed == [("big", number) for number in range(count)]
        and sales.count() == sales.search(limit=0).total == count + 20
        and sales.search(filter={"seller": "big"}, limit=200).total == count
        and all(sales.exists(("big", number)) for number in range(count))
    )


def test_a_salted_key_is_spread_evenly_and_reads_as_before(open_store: Callable[[], Store]) -> None:
    sales = _filled(open_store(), count=400)
    assert len(_holding(sales)) == 1
    change = sales.salt("big", 4)
    assert (change.kind, change.epoch, len(change.sources)) == ("salt", 2, 4)
    held = _holding(sales)
    assert len(held) == 4
    assert min(held.values()) > 70
    assert _is_whole(sales, 400)
    backwards = [found.key[1] for found in sales.scan(prefix=("big",), reverse=True, limit=5)]
    assert backwards == [399, 398, 397, 396, 395]
    sales = open_store().collection("sales")
    assert _holding(sales) == held
    assert _is_whole(sales, 400)


@pytest.mark.parametrize("fan", [1, 8, 64])
def test_a_read_by_key_touches_one_shard_whatever_the_fan(store: Store, fan: int) -> None:
    sales = _filled(store, partitions=16)
    sales.salt("big", fan)
    for number in (0, 7, 59):
        found = sales.search(query={"ids": {"values": [["big", number]]}})
        assert found.plan.chosen.name == "point_read"
        assert (found.total, found.shards_touched) == (1, 1)
    plan = sales.explain(filter={"seller": "big"})
    assert len(plan.chosen.shards) == min(fan, 16)
    assert (f"salted over {fan} places" in plan.chosen.reason) == (fan > 1)
    assert plan.chosen.name == ("salted_key" if fan > 1 else "single_shard")
    assert sales.stats()["salts"] == ([{"key": "big", "fan": fan}] if fan > 1 else [])
    assert len(sales.explain(filter={"seller": "small-1"}).chosen.shards) == 1


@pytest.mark.parametrize("kind", ["keyword", "any"])
def test_a_filter_on_the_whole_key_asks_the_one_shard_that_has_it(store: Store, kind: str) -> None:
    fields = {"seller": kind, "n": "int", "color": "keyword"}
    sales = _filled(store, partitions=8, schema={"fields": fields})
    sales.salt("big", 8)

    def asked(only: dict[str, Any], found: list[int]) -> int:
        result = sales.search(filter={"seller": "big", **only}, limit=100)
        assert sorted(hit.document["n"] for hit in result.hits) == found
        return result.shards_touched

    for number in range(60):
        assert asked({"n": number}, [number]) == 1
    assert asked({"n": 1.0}, [1]) == 1
    assert asked({"n": 999}, []) == 1
    assert asked({"n": 3, "color": "red"}, []) == 1
    assert asked({"n": {"in": [1, 2]}}, [1, 2]) <= 2
    assert asked({"n": {"lte": 2}}, [0, 1, 2]) == 8
    plan = sales.explain(filter={"and": [{"seller": "big"}, {"n": 5}]})
    assert plan.chosen.shards == (sales.partitions.owner_of(("big", 5)),)
    assert "the whole key to 1" in plan.chosen.reason
    either = {"or": [{"n": 5}, {"color": "red"}]}
    assert asked(either, sorted({5, *range(0, 60, 2)})) == 8


def test_fans_grow_and_shrink_and_go_away(store: Store) -> None:
    sales = _filled(store)
    for fan, shards in ((2, 2), (8, 4), (4, 4), (64, 4), (2, 2), (1, 1)):
        sales.salt("big", fan)
        assert len(_holding(sales)) == shards
        assert _is_whole(sales)
        assert sales.partitions.definition.partition_map.fan_of(b"\x20big\x00") == fan
    assert [past["kind"] for past in sales.stats()["history"]] == ["salt"] * 6


def test_the_fan_it_has_already_changes_nothing(store: Store) -> None:
    sales = _filled(store)
    assert sales.salt("big", 1).epoch == 1
    sales.salt("big", 2)
    assert sales.salt("big", 2).targets == ()
    assert sales.partitions.definition.partition_map.epoch == 2


def test_one_partition_takes_a_salt_without_moving_anything(store: Store) -> None:
    sales = _filled(store, partitions=1)
    change = sales.salt("big", 4)
    assert (change.epoch, change.sources, change.documents) == (2, (), 0)
    assert _is_whole(sales)
    sales.split(0)
    assert _is_whole(sales)
    assert len(_holding(sales)) == 2


def test_versions_and_conditions_hold_over_a_change_of_fan(store: Store) -> None:
    sales = _filled(store)
    sales.put(_sale("big", 3), if_version=1)
    sales.salt("big", 8)
    found = sales.fetch(("big", 3))
    assert found is not None
    assert found.version == 2
    with pytest.raises(VersionConflict):
        sales.put(_sale("big", 3), if_version=1)
    with pytest.raises(VersionConflict):
        sales.put(_sale("big", 4), if_absent=True)
    assert sales.patch(("big", 3), {"color": "green"}).version == 3
    assert sales.delete(("big", 4)).deleted
    sales.salt("big", 1)
    assert sales.search(filter={"color": "green"}).hits[0].version == 3
    assert sales.get(("big", 4)) is None


def test_a_write_that_is_sent_again_after_salting_is_recognised(store: Store) -> None:
    sales = _filled(store)
    first = sales.put(_sale("big", 100), op_id="once")
    sales.salt("big", 8)
    assert sales.put(_sale("big", 100), op_id="once") == first


def test_a_hot_key_tells_its_fan(store: Store) -> None:
    sales = _filled(store)
    sales.salt("big", 2)
    told = {each.key: each.fan for each in sales.hot_keys()}
    assert told["big"] == 2
    assert told["small-1"] == 1


@pytest.mark.parametrize("fan", [0, 3, 10_000, -2, True, 2.0, "4"])
def test_a_fan_that_is_none_is_refused(store: Store, fan: Any) -> None:
    sales = _filled(store)
    with pytest.raises(InvalidRequest, match="fan") as refused:
        sales.salt("big", fan)
    assert "power of two" in (refused.value.hint or "")
    assert sales.partitions.definition.partition_map.epoch == 1


def test_a_key_without_documents_and_what_is_no_key_are_refused(store: Store) -> None:
    sales = _filled(store)
    with pytest.raises(NotFound, match="nothing to spread"):
        sales.salt("nobody", 4)
    with pytest.raises(InvalidRequest, match="not a partition key"):
        sales.salt(("big", 3), 4)
    with pytest.raises(InvalidRequest, match="not a partition key"):
        sales.salt((), 4)


@pytest.mark.parametrize("key", [None, {"a": 1}, object, "", "x" * 5_000, ["x" * 5_000, 1]])
def test_what_cannot_be_a_key_is_shown_short_and_kept_whole(store: Store, key: Any) -> None:
    sales = _filled(store)
    with pytest.raises((InvalidRequest, NotFound)) as refused:
        sales.salt(key, 4)
    assert refused.value.code in ("invalid-request", "not-found")
    assert refused.value.data["key"] == key
    assert len(refused.value.message) < 250
    assert refused.value.hint


def test_a_key_is_given_alone_or_as_its_one_part(store: Store) -> None:
    sales = _filled(store)
    assert sales.salt(["big"], 4).epoch == 2
    assert sales.salt(("big",), 8).epoch == 3
    assert sales.salt("big", 8).targets == ()
    assert _is_whole(sales, 60)


def test_keys_of_one_part_and_ranges_are_refused(store: Store) -> None:
    plain = store.create_collection("plain")
    plain.put({"id": "a"})
    with pytest.raises(InvalidRequest, match="one document"):
        plain.salt("a", 4)
    ranged = store.create_collection("ranged", key=Key("seller", "n"), partitioning=Range())
    ranged.put(_sale("big", 1))
    with pytest.raises(InvalidRequest, match="ranges"):
        ranged.salt("big", 4)


def test_a_key_whose_documents_are_gone_can_still_be_unsalted(store: Store) -> None:
    sales = _filled(store)
    sales.salt("big", 4)
    sales.delete_many([("big", number) for number in range(60)])
    sales.salt("big", 1)
    assert sales.partitions.definition.partition_map.salts == ()


def test_a_store_that_is_only_read_is_not_salted(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        _filled(store)
    with (
        Store.open(tmp_path / "data", read_only=True) as reading,
        pytest.raises(Unavailable, match="read-only"),
    ):
        reading.collection("sales").salt("big", 4)


def test_writes_between_the_steps_of_a_change_of_fan_are_kept(store: Store) -> None:
    sales = _filled(store, partitions=2)
    shards = sales.partitions.shards
    written = steps = 0

    def write() -> None:
        nonlocal written, steps
        steps += 1
        if steps % 4:
            return
        doors = [shards.shard(n)._group._door for n in sales.partitions.numbers]
        if any(door.locked() for door in doors):
            return  # they would wait for the test itself
        number = 1000 + written
        sales.put(_sale("big", number))
        sales.delete(("big", number - 2))
        assert sales.get(("big", number)) is not None
        assert sales.search(filter={"seller": "big"}, limit=0).total == 60 + min(written + 1, 2)
        written += 1

    for fan in (2, 1):
        with each_step(write):
            sales.salt("big", fan)
    assert written > 10
    left = [found.key[1] for found in sales.scan(prefix=("big",), start=("big", 1000))]
    assert left == [1000 + written - 2, 1000 + written - 1]


def test_everyone_sees_every_document_once_while_fans_change(store: Store) -> None:
    sales = _filled(store)
    stop, wrong = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            total = sales.search(filter={"seller": "big", "n": {"lt": 60}}, limit=0).total
            listed = [found.key[1] for found in sales.scan(prefix=("big",), limit=60)]
            if total != 60 or listed != list(range(60)):
                wrong.append((total, listed))

    def write() -> None:
        number = 1000
        while not stop.is_set():
            number += 1
            sales.put(_sale("big", number))
            if sales.get(("big", number)) is None:
                wrong.append((number, []))

    threads = [threading.Thread(target=each) for each in (search, search, write)]
    for thread in threads:
        thread.start()
    try:
        for fan in (4, 1):
            sales.salt("big", fan)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.mark.parametrize("fan", [2, 1])
def test_a_crash_between_steps_leaves_the_old_fan_or_the_new_one(tmp_path: Path, fan: int) -> None:
    copies: list[Path] = []
    with Store.open(tmp_path / "data") as store:
        sales = _filled(store, partitions=2, count=30)
        before = 3 - fan
        sales.salt("big", before)

        steps = 0

        def copy_files() -> None:
            nonlocal steps
            steps += 1
            if steps % 3 == fan % 3:
                copies.append(tmp_path / f"copy-{len(copies)}")
                copied(tmp_path / "data", copies[-1])

        with each_step(copy_files):
            sales.salt("big", fan)
    fans = set()
    for copy in copies:
        with Store.open(copy) as store:
            sales = store.collection("sales")
            assert list(store.check()) == []
            assert _is_whole(sales, 30)
            fans.add(sales.partitions.definition.partition_map.fan_of(b"\x20big\x00"))
            owned = {str(number) for number in sales.partitions.numbers}
            assert {path.name for path in sales.partitions.shards.directory.iterdir()} == owned
    assert fans == {before, fan}


def test_the_changes_and_positions_go_on(store: Store) -> None:
    sales = _filled(store, count=10)
    seen: dict[int, Position] = {}
    versions: dict[Any, list[int]] = {}

    def follow() -> None:
        for change in sales.changes(seen.values()):
            seen[change.position.partition] = change.position
            versions.setdefault(change.key, []).append(change.version)

    follow()
    position = sales.put(_sale("big", 3)).position
    sales.salt("big", 8)
    sales.put(_sale("big", 3))
    found = sales.search(filter={"seller": "big"}, after=position)
    assert found.total == 10
    follow()
    sales.put(_sale("big", 3))
    sales.salt("big", 1)
    follow()
    assert versions[("big", 3)] == [1, 2, 3, 4]
    assert all(each == [1] for key, each in versions.items() if key != ("big", 3))


def test_a_global_index_answers_before_and_after(store: Store) -> None:
    sales = _filled(store, indexes=[GlobalIndex("color", partitions=2)])
    for fan in (4, 2):
        sales.salt("big", fan)
        sales.indexes.catch_up()
        found = sales.indexes.lookup("color", "red", limit=100)
        assert len({row.key for row in found.rows}) == len(found.rows) == 40
