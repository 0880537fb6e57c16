from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docstore import Collection, InvalidSchema, Key, Range, Store
from docstore.files import read_json
from docstore.key_parts import KeyParts
from docstore.key_ranges import pre_split
from docstore.keys import KEY_BYTES_MAX, KeySpec, encode
from docstore.map_format import map_from_json, map_to_json
from docstore.partitioning import Partition, PartitionMap
from indexing.errors import Corruption
from indexing.schema import Schema

PLAIN = KeySpec(("id",), typed=False)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
BOUNDS = st.sets(TEXTS, max_size=6).map(lambda found: sorted(found, key=str.encode))


def range_map(bounds: Any, spec: KeySpec = PLAIN) -> PartitionMap:
    return pre_split(spec, KeyParts(Schema(), spec), Range(pre_split=bounds))


def owners(ranges: PartitionMap, key: bytes) -> list[int]:
    return [
        each.number
        for each in ranges.partitions
        if each.lower <= key and (each.upper is None or key < each.upper)
    ]


@given(BOUNDS, TEXTS)
def test_every_key_has_exactly_one_owner(bounds: list[str], key: str) -> None:
    ranges = range_map(bounds)
    encoded = encode(PLAIN, key)
    assert owners(ranges, encoded) == [ranges.owner_of(PLAIN, encoded)]
    assert len(ranges.numbers) == len(bounds) + 1


@given(BOUNDS, st.binary(max_size=4), st.none() | st.binary(max_size=4), st.binary(max_size=4))
def test_a_range_overlaps_the_owners_of_its_keys(
    bounds: list[str], lower: bytes, upper: bytes | None, key: bytes
) -> None:
    ranges = range_map(bounds)
    found = ranges.overlapping(lower, upper)
    assert list(found) == sorted(found)
    if key >= lower and (upper is None or key < upper):
        assert ranges.owner_of(PLAIN, key) in found
    # None is touched for nothing: its slice and the range have bytes in common.
    for each in ranges.partitions:
        low = max(lower, each.lower)
        high = min((end for end in (upper, each.upper) if end is not None), default=None)
        assert (each.number in found) == (high is None or low < high)


@given(BOUNDS)
def test_a_map_survives_json(bounds: list[str]) -> None:
    ranges = range_map(bounds)
    assert map_from_json(map_to_json(ranges)) == ranges


def test_a_map_is_written_as_it_always_was() -> None:
    assert map_to_json(range_map(["m"])) == {
        "partitioning": "range",
        "epoch": 1,
        "partitions": [
            {"number": 0, "lower": "", "upper": "6d"},
            {"number": 1, "lower": "6d", "upper": None},
        ],
    }


@pytest.mark.parametrize(
    ("bounds", "spec"),
    [
        (["b", "a"], PLAIN),
        (["a", "a"], PLAIN),
        ([""], PLAIN),
        ([7], PLAIN),
        ([None], PLAIN),
        (["\ud800"], PLAIN),
        (["a" * (KEY_BYTES_MAX + 1)], PLAIN),
        ([()], KeySpec(("a", "b"), typed=True)),
        ([("x", 1, 2)], KeySpec(("a", "b"), typed=True)),
        ([("x", 2), ("x", 1)], KeySpec(("a", "b"), typed=True)),
        ([2**64], KeySpec(("a",), typed=True)),
        ([[{}]], KeySpec(("a",), typed=True)),
    ],
)
def test_bounds_that_are_no_ascending_keys_are_refused(bounds: list[Any], spec: KeySpec) -> None:
    with pytest.raises(InvalidSchema) as caught:
        range_map(bounds, spec)
    assert caught.value.hint
    assert "index" in caught.value.data


@pytest.mark.parametrize("bounds", ["abc", b"abc", 7, None])
def test_bounds_that_are_no_list_are_refused(bounds: Any) -> None:
    with pytest.raises(InvalidSchema):
        Range(pre_split=bounds)


def test_more_bounds_than_partitions_may_be_are_refused() -> None:
    with pytest.raises(InvalidSchema):
        range_map([f"{number:05}" for number in range(4096)])


@pytest.mark.parametrize(
    ("epoch", "slices"),
    [
        (1, []),
        (0, [(0, "", None)]),
        (True, [(0, "", None)]),
        (1, [(0, "61", None)]),
        (1, [(0, "", "61")]),
        (1, [(0, "", "61"), (1, "62", None)]),  # a gap
        (1, [(0, "", "62"), (1, "61", None)]),  # an overlap
        (1, [(0, "", "61"), (0, "61", None)]),  # one number twice
        (1, [(0, "", "61"), (1, "61", "61"), (2, "61", None)]),  # an empty slice
        (1, [(0, "", None), (1, "61", None)]),
        (1, [(-1, "", None)]),
        (1, [("0", "", None)]),
        (1, [(0, "", "zz"), (1, "zz", None)]),
        (1, [(0, "", "61" * 512), (1, "61" * 512, None)]),
    ],
)
def test_a_stored_map_that_does_not_cover_the_keys_once_is_corruption(
    epoch: Any, slices: list[tuple[Any, Any, Any]]
) -> None:
    entries = [{"number": n, "lower": low, "upper": up} for n, low, up in slices]
    with pytest.raises(Corruption) as caught:
        map_from_json({"partitioning": "range", "epoch": epoch, "partitions": entries})
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"partitioning": "range", "epoch": 1},
        {"partitioning": "hash", "epoch": 1, "partitions": []},
        {"partitioning": "range", "epoch": 1, "partitions": [{"number": 0, "lower": ""}]},
        {"partitioning": "range", "epoch": 1, "partitions": [[0, "", None]]},
    ],
)
def test_a_stored_map_of_another_shape_is_corruption(data: Any) -> None:
    with pytest.raises(Corruption):
        map_from_json(data)


def test_a_map_may_number_its_partitions_in_any_order() -> None:
    ranges = PartitionMap("range", 3, (Partition(5, b"", b"m"), Partition(2, b"m", None)))
    assert (ranges.owner_of(PLAIN, b"z"), ranges.overlapping(b"a", None)) == (2, (5, 2))


# The collection


def test_partitioning_by_range_takes_no_number_of_partitions(store: Store) -> None:
    with pytest.raises(InvalidSchema):
        store.create_collection("cars", partitions=2, partitioning=Range(pre_split=["m"]))
    with pytest.raises(InvalidSchema):
        store.create_collection("cars", partitioning="range")  # type: ignore[call-overload]
    assert store.collections() == []


def test_without_bounds_a_collection_has_one_partition(store: Store) -> None:
    cars = store.create_collection("cars", partitioning=Range())
    cars.put({"id": "a"})
    (part,) = cars.stats()["partitions"]
    assert (part["documents"], part["lower"], part["upper"]) == (1, "", None)


@pytest.mark.parametrize(
    ("key", "at", "shown"),
    [
        ("id", "k5", "k5"),
        (Key("id"), "k5", "k5"),
        (Key("n"), 5, "5"),
        (Key("x"), 2.5, "2.5"),
        (Key("day"), datetime(2026, 1, 5, tzinfo=UTC), "2026-01-05T00:00:00+00:00"),
        (Key("seller", "n"), ("a",), '["a"]'),
        (Key("seller", "n"), ("a", 5), '["a",5]'),
        (Key("n", "day"), (5, "2026-01-05"), '[5,"2026-01-05T00:00:00+00:00"]'),
    ],
)
def test_a_bound_is_shown_as_it_was_given(
    store: Store, key: str | Key, at: Any, shown: str
) -> None:
    fields = {"id": "keyword", "n": "int", "x": "float", "day": "datetime", "seller": "keyword"}
    cars = store.create_collection("cars", {"fields": fields}, key=key, partitioning=Range([at]))
    left, right = cars.stats()["partitions"]
    assert (left["lower"], left["upper"], right["lower"], right["upper"]) == (
        "",
        shown,
        shown,
        None,
    )


def opened_shards(cars: Collection[Any]) -> list[int]:
    return cars.partitions.shards.opened


def test_a_scan_touches_only_the_shards_it_needs(open_store: Callable[[], Store]) -> None:
    cars = open_store().create_collection("cars", partitioning=Range(pre_split=["b", "c", "d"]))
    names = [f"{letter}{number}" for letter in "abcd" for number in range(3)]
    assert cars.put_many({"id": name} for name in reversed(names)).errors == []

    cars = open_store().collection("cars")
    assert opened_shards(cars) == []
    assert [found.key for found in cars.scan("b1", "c1")] == ["b1", "b2", "c0"]
    assert opened_shards(cars) == [1, 2]

    cars = open_store().collection("cars")
    assert [found.key for found in cars.scan(prefix="c")] == ["c0", "c1", "c2"]
    assert opened_shards(cars) == [2]

    cars = open_store().collection("cars")
    assert [found.key for found in cars.scan(limit=2)] == ["a0", "a1"]
    assert opened_shards(cars) == [0]
    assert [found.key for found in cars.scan(reverse=True, limit=4)] == ["d2", "d1", "d0", "c2"]
    assert opened_shards(cars) == [0, 2, 3]
    assert list(cars.scan("c", "b")) == []


def test_a_compound_key_is_ranged_by_all_its_parts(store: Store) -> None:
    scheme = Range(pre_split=[("s2",), ("s2", 5), ("s3",)])
    sales = store.create_collection("sales", key=Key("seller", "at"), partitioning=scheme)
    for seller in ("s1", "s2", "s3"):
        for at in (9, 1, 5):
            sales.put({"seller": seller, "at": at})
    assert [found.key for found in sales.scan(prefix=("s2",))] == [("s2", 1), ("s2", 5), ("s2", 9)]
    assert [part["documents"] for part in sales.stats()["partitions"]] == [3, 1, 2, 3]
    found = sales.search(filter={"seller": "s2"})
    assert (found.total, found.plan.chosen.name, found.plan.chosen.shards) == (
        3,
        "key_range",
        (1, 2),
    )
    assert sales.get(("s2", 5)) == {"seller": "s2", "at": 5}


def test_a_hashed_compound_key_is_scanned_in_order_in_one_shard(
    open_store: Callable[[], Store],
) -> None:
    key = Key("seller", "at", "id")
    sales = open_store().create_collection("sales", key=key, partitions=16)
    for at in (9, 1, 5):
        sales.put({"seller": 42, "at": at, "id": f"x{at}"})
    sales = open_store().collection("sales")
    found = [each.key for each in sales.scan((42, 1), (42, 9), prefix=(42,), reverse=True)]
    assert found == [(42, 5, "x5"), (42, 1, "x1")]
    assert len(opened_shards(sales)) == 1


def test_a_range_map_is_found_again_on_disk(open_store: Callable[[], Store]) -> None:
    store = open_store()
    store.create_collection("cars", partitioning=Range(pre_split=["m"])).put({"id": "z"})
    stored = read_json(store.path / "cars" / "collection.json")["partition_map"]
    assert stored == map_to_json(range_map(["m"]))
    cars = open_store().collection("cars")
    assert cars.get("z") == {"id": "z"}
    assert cars.search(filter={"id": {"gte": "n"}}).plan.chosen.shards == (1,)


@pytest.mark.parametrize(
    ("asked", "name", "shards"),
    [
        ({"ids": {"values": ["a", "z"]}}, "point_read", (0, 2)),
        ({"range": {"id": {"gte": "f", "lt": "g"}}}, "key_range", (0,)),
        ({"range": {"id": {"gt": "f", "lte": "g"}}}, "key_range", (0, 1)),
        ({"prefix": {"id": "go"}}, "key_range", (1,)),
        ({"range": {"id": {"gte": "z", "lt": "a"}}}, "key_range", (0,)),
        ({"match": {"color": "red"}}, "scatter", (0, 1, 2)),
        (
            {"bool": {"filter": [{"range": {"id": {"gte": "g"}}}, {"range": {"id": {"lt": "h"}}}]}},
            "key_range",
            (1,),
        ),
    ],
)
def test_the_router_asks_the_shards_that_overlap(
    store: Store, asked: dict[str, Any], name: str, shards: tuple[int, ...]
) -> None:
    cars = store.create_collection("cars", partitioning=Range(pre_split=["g", "n"]))
    cars.put({"id": "a", "color": "red"})
    chosen = cars.explain(query=asked).chosen
    assert (chosen.name, chosen.shards) == (name, shards)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    keys=st.sets(TEXTS, max_size=12),
    bounds=BOUNDS,
    asked=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4),
)
def test_scans_and_searches_answer_as_a_sorted_dict_does(
    tmp_path_factory: pytest.TempPathFactory,
    keys: set[str],
    bounds: list[str],
    asked: list[tuple[str, str]],
) -> None:
    ordered = sorted(keys, key=str.encode)
    with Store.open(tmp_path_factory.mktemp("ranges")) as store:
        cars = store.create_collection("cars", partitioning=Range(pre_split=bounds))
        cars.put_many({"id": key} for key in keys)
        for low, high in asked:
            within = [key for key in ordered if low.encode() <= key.encode() < high.encode()]
            begun = [key for key in ordered if key.startswith(low)]
            assert [found.key for found in cars.scan(low, high)] == within
            assert [found.key for found in cars.scan(low, high, reverse=True)] == within[::-1]
            assert [found.key for found in cars.scan(prefix=low, limit=3)] == begun[:3]
            found = cars.search(filter={"id": {"gte": low, "lt": high}}, limit=100)
            assert [hit.key for hit in found.hits] == within
            found = cars.search(query={"prefix": {"id": low}}, limit=100)
            assert [hit.key for hit in found.hits] == begun
        assert list(cars.check()) == []


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    numbers=st.sets(st.integers(-9, 9), max_size=10),
    bounds=st.sets(st.integers(-9, 9), max_size=4).map(sorted),
    asked=st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=1, max_size=4),
)
def test_ranges_of_whole_numbers_answer_as_a_set_does(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: set[int],
    bounds: list[int],
    asked: list[tuple[float, float]],
) -> None:
    schema = {"fields": {"id": "int"}}
    with Store.open(tmp_path_factory.mktemp("ranges")) as store:
        cars = store.create_collection("cars", schema, partitioning=Range(pre_split=bounds))
        cars.put_many({"id": number} for number in numbers)
        for low, high in asked:
            found = cars.search(filter={"id": {"gt": low, "lte": high}}, limit=100)
            assert [hit.key for hit in found.hits] == sorted(n for n in numbers if low < n <= high)
        assert list(cars.check()) == []


@pytest.mark.parametrize(
    ("key", "bounds"),
    [("n", ["a"]), ("n", [True]), (Key("at", "n"), ["soon"]), (Key("name", "n"), [("a", "b")])],
)
def test_a_bound_that_no_document_can_have_as_its_key_is_refused(
    store: Store, key: Any, bounds: list[Any]
) -> None:
    schema = {"fields": {"n": "int", "at": "datetime", "name": "string"}}
    with pytest.raises(InvalidSchema, match="bound 0"):
        store.create_collection("things", schema, key=key, partitioning=Range(pre_split=bounds))
    for right in ([5, 100], [7]):
        store.create_collection("right", schema, key="n", partitioning=Range(pre_split=right))
        store.drop_collection("right")
