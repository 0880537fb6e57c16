"""Global indexes answer as the documents do, whatever the updater has done so far."""

import shutil
from collections.abc import Callable
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore import (
    AlreadyExists,
    Collection,
    GlobalIndex,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    NotFound,
    Store,
    Unavailable,
)

COLORS = ["red", "blue", "green", "r" * 500 + "a", "r" * 500 + "b"]
Cars = Collection[dict[str, Any]]


def made(store: Store) -> Cars:
    """A collection with two indexes."""
    index = GlobalIndex("color", include=["make", "price"])
    return store.create_collection(
        "cars", partitions=3, indexes=[index, GlobalIndex("price", partitions=2)]
    )


def scanned(cars: Cars, field: str, holds: Callable[[Any], bool]) -> list[str]:
    """The keys that a lookup must find, from the documents alone."""
    found = []
    for document in cars.scan():
        value = document.document.get(field)
        values = value if isinstance(value, list) else [value]
        if any(each is not None and holds(each) for each in values):
            found.append(document.key)
    return found


def is_between(lower: float, upper: float, value: float) -> bool:
    """Whether lower <= value < upper."""
    return lower <= value < upper


def keys_of(cars: Cars, name: str, *values: Any, **asked: Any) -> list[str]:
    """The keys that a lookup finds."""
    answer = cars.indexes.lookup(name, *values, limit=1000, **asked)
    assert answer.total == len(answer.rows)
    return [row.key for row in answer.rows]


COLOR = st.none() | st.sampled_from(COLORS) | st.lists(st.sampled_from(COLORS), max_size=3)
PRICE = st.none() | st.integers(-3, 9) | st.floats(-3, 9)
PUT = st.tuples(st.just("put"), st.integers(0, 8), COLOR, PRICE)
DELETE = st.tuples(st.just("delete"), st.integers(0, 8), st.none(), st.none())
TURN = st.tuples(
    st.sampled_from(["catch up", "rebuild", "reopen", "make anew", "lose"]),
    st.just(0),
    st.none(),
    st.none(),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PUT | PUT | DELETE | TURN, max_size=30))
def test_current_lookups_equal_a_scan_after_any_operations(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, Any, Any]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "data"
    store = Store.open(path)
    cars = made(store)
    cars.indexes.catch_up()
    for action, number, color, price in steps:
        if action == "put":
            cars.put({"id": str(number), "color": color, "price": price, "make": "x"})
        elif action == "delete":
            cars.delete(str(number))
        elif action == "catch up":
            cars.indexes.catch_up()
        elif action == "rebuild":
            cars.indexes.rebuild("color")
            cars.indexes.catch_up()
        elif action == "make anew":
            cars.indexes.drop("price")
            cars.indexes.create(GlobalIndex("price", partitions=2))
            cars.indexes.catch_up()
        else:
            store.close()
            if action == "lose":
                shutil.rmtree(path / "cars" / "indexes" / "color" / "1")
            store = Store.open(path)
            cars = store.collection("cars")
            cars.indexes.catch_up()
        asked = COLORS[number % len(COLORS)]
        assert keys_of(cars, "color", asked) == scanned(cars, "color", partial(eq, asked))
        assert keys_of(cars, "color", prefix="r") == scanned(
            cars, "color", lambda held: bool(held[0] == "r")
        )
        assert keys_of(cars, "price", gte=0, lt=number) == scanned(
            cars, "price", partial(is_between, 0, number)
        )
    cars.indexes.catch_up()
    assert keys_of(cars, "color", *COLORS, freshness="any") == scanned(
        cars, "color", lambda _: True
    )
    assert list(store.check()) == []
    store.close()


def test_rows_are_sorted_by_an_included_field_as_searches_are(store: Store) -> None:
    cars = made(store)
    cars.put_many(
        {"id": f"{n:02d}", "color": "red", "price": n % 4 if n % 5 else None, "make": "vw"}
        for n in range(40)
    )
    cars.indexes.catch_up()
    for descending in (False, True):
        order = "desc" if descending else "asc"
        answer = cars.indexes.lookup("color", "red", sort="price", descending=descending, limit=15)
        result = cars.search(filter={"color": "red"}, sort={"price": order}, limit=15)
        assert [row.key for row in answer.rows] == [hit.key for hit in result.hits]
        assert answer.total == result.total == 40
        assert len(answer.index_partitions) == 1
        assert answer.rows[0].included == {
            "make": "vw",
            "price": result.hits[0].document["price"],
        }


def test_an_index_made_on_a_live_collection_is_filled_and_kept(
    open_store: Callable[[], Store],
) -> None:
    cars = open_store().create_collection("cars", partitions=2)
    cars.put_many({"id": str(n), "seller": {"city": f"c{n % 3}"}} for n in range(1000))
    cars.indexes.create(GlobalIndex("seller.city"))
    cars.indexes.catch_up()
    assert cars.indexes.lookup("seller.city", "c1").total == 333
    cars = open_store().collection("cars")
    assert [index.name for index in cars.indexes] == ["seller.city"]
    assert cars.indexes.lookup("seller.city", "c1", freshness="any").total == 333
    assert cars.stats()["indexes"][0]["filling"] == 0


def test_dates_are_found_by_range(store: Store) -> None:
    schema = {"fields": {"id": "keyword", "at": "datetime"}}
    cars = store.create_collection("cars", schema, indexes=[GlobalIndex("at")])
    cars.put_many({"id": str(n), "at": f"2024-05-0{n}T00:00:00Z"} for n in range(1, 9))
    cars.indexes.catch_up()
    answer = cars.indexes.lookup("at", gt="2024-05-03", lte="2024-05-05T00:00:00Z")
    assert [row.key for row in answer.rows] == ["4", "5"]


def test_what_cannot_be_is_refused_with_a_hint(store: Store) -> None:
    schema = {"fields": {"id": "keyword", "from": "ip", "color": "keyword", "tag": "any"}}
    cars = store.create_collection(
        "cars", schema, indexes=[GlobalIndex("color"), GlobalIndex("tag")]
    )
    cars.indexes.catch_up()
    for wrong in ("colour", "from"):
        with pytest.raises(InvalidSchema, match=wrong):
            cars.indexes.create(GlobalIndex(wrong))
    with pytest.raises(AlreadyExists):
        cars.indexes.create(GlobalIndex("color"))
    with pytest.raises(NotFound):
        cars.indexes.drop("price")
    with pytest.raises(InvalidQuery, match="values, or one range"):
        cars.indexes.lookup("color", "red", gt="a")
    with pytest.raises(InvalidQuery, match="does not include"):
        cars.indexes.lookup("color", "red", sort="price")
    with pytest.raises(InvalidQuery, match="two kinds"):
        cars.indexes.lookup("tag", gt=1, lt="a")
    wrong_conditions: tuple[Any, ...] = ("color", ["color"], {"color": "red"}, 1)
    for where in wrong_conditions:
        with pytest.raises(InvalidQuery, match="where"):
            cars.indexes.lookup("color", "red", where=where)
    rates: tuple[Any, ...] = ("5", True, float("nan"), 0, [1])
    for rate in rates:
        with pytest.raises(InvalidRequest, match="documents a second"):
            cars.indexes.throttle(rate)
    partitions: tuple[Any, ...] = (True, 1.0, "1", 99, -1)
    for partition in partitions:
        with pytest.raises(NotFound, match="no partition"):
            cars.indexes.rebuild("color", partition)


@pytest.mark.parametrize("fields", [None, 5, [], ["a", None], {"a"}, b"a", ["a", "a"], ""])
def test_an_index_over_no_fields_is_refused(fields: Any) -> None:
    with pytest.raises(InvalidSchema, match="names no fields"):
        GlobalIndex(fields)
    with pytest.raises(InvalidSchema, match="names no fields"):
        GlobalIndex("a", include=5)  # type: ignore[arg-type]


def test_a_reader_sees_what_is_acknowledged_and_may_not_change_indexes(
    store: Store, tmp_path: Path
) -> None:
    cars = made(store)
    cars.indexes.catch_up()
    cars.put({"id": "a", "color": "red"})
    source, copy = tmp_path / "data", tmp_path / "copy"
    shutil.copytree(source, copy)
    with Store.open(copy, read_only=True) as reader:
        seen = reader.collection("cars")
        assert keys_of(seen, "color", "red") == ["a"]
        with pytest.raises(Unavailable, match="read-only"):
            seen.indexes.drop("color")


@pytest.mark.parametrize("name", ["auto", "none"])
def test_a_word_that_searches_say_instead_of_a_name_is_none(store: Store, name: str) -> None:
    with pytest.raises(InvalidSchema, match=f"cannot be named '{name}'"):
        store.create_collection("cars", indexes=[GlobalIndex(name)])
    cars = store.create_collection("cars", indexes=[GlobalIndex("color")])
    attempts: list[Callable[[], object]] = [
        lambda: cars.indexes.create(GlobalIndex(name)),
        lambda: cars.indexes.create(GlobalIndex("make", name=name)),
        lambda: cars.indexes.rename("color", name),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidSchema, match=f"cannot be named '{name}'") as refused:
            attempt()
        assert f"by-{name}" in refused.value.hint
    cars.indexes.create(GlobalIndex(name, name=f"by-{name}"))
    assert [each.name for each in cars.indexes] == ["color", f"by-{name}"]
