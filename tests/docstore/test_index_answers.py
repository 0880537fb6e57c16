"""The same searches with a global index forced on, off and chosen give the same answers."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore import (
    DeadlineExceeded,
    DocstoreError,
    GlobalIndex,
    InvalidQuery,
    InvalidRequest,
    Key,
    NotFound,
    Store,
    Unavailable,
)
from tests.docstore.index_questions import (
    INDEXES,
    SCHEMA,
    SEARCH,
    STEP,
    TAME,
    WILD,
    Cars,
    answer,
    check_equal,
)


@pytest.fixture(scope="module", params=["declared", "schemaless"])
def any_cars(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Cars, bool]]:
    """A collection that every example empties first."""
    is_declared = request.param == "declared"
    with Store.open(tmp_path_factory.mktemp("answers")) as store:
        schema = SCHEMA if is_declared else None
        yield store.create_collection("cars", schema, partitions=3, indexes=INDEXES), is_declared


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_answers_are_the_same_with_the_index_forced_on_off_and_chosen(
    any_cars: tuple[Cars, bool], data: st.DataObject
) -> None:
    cars, is_declared = any_cars
    cars.delete_many(f"{n}" for n in range(16))
    cars.indexes.catch_up()
    for step in data.draw(st.lists(STEP, min_size=3, max_size=14)):
        if step == "put":
            document = TAME if is_declared else WILD
            made: list[dict[str, Any]] = data.draw(st.lists(document, min_size=1, max_size=8))
            keys = data.draw(st.lists(st.integers(0, 15), min_size=8, max_size=8))
            cars.put_many({"id": f"{key}", **each} for key, each in zip(keys, made, strict=False))
        elif step == "delete":
            cars.delete(f"{data.draw(st.integers(0, 15))}")
        elif step == "catch up":
            cars.indexes.catch_up()
        else:
            check_equal(cars, data.draw(SEARCH))
    asked: dict[str, Any] = data.draw(SEARCH)
    able = check_equal(cars, asked)
    cars.indexes.catch_up()
    for name in able:  # when nothing is left to apply, any age is that of now
        aged = cars.search(**asked, index=name, freshness="any")
        assert answer(aged) == answer(cars.search(**asked, index=None))
    assert list(cars.check()) == []


@pytest.fixture
def cars(store: Store) -> Cars:
    """Two hundred cars in eight shards, indexed."""
    made = store.create_collection("cars", SCHEMA, partitions=8, indexes=INDEXES)
    made.put_many(
        {
            "id": f"{n:03d}",
            "color": ["red", "blue", "green"][n % 3],
            "make": [["vw", "bmw"][n % 2]],
            "price": n % 20,
            "used": n % 7 == 0,
            "sold": f"2024-{n % 12 + 1:02d}-03T00:00:00Z",
            "note": [f"{['red', 'blue', 'green'][n % 3]} car", "tired" if n % 5 else "Cared for"],
        }
        for n in range(200)
    )
    made.indexes.catch_up()
    return made


@pytest.mark.parametrize(
    ("asked", "able"),
    [
        ({"filter": {"color": "red"}}, {"color"}),
        ({"filter": {"color": "red", "make": "vw"}, "sort": "-price"}, {"color", "whole"}),
        ({"filter": {"price": {"gte": 3, "lt": 9}}, "sort": "price"}, {"price"}),
        ({"filter": {"make": "vw", "price": {"lt": 5}}}, {"make+price", "price", "whole"}),
        ({"filter": {"color": {"prefix": "b"}, "used": True}}, {"color"}),
        ({"filter": {"make": "bmw", "or": [{"used": True}, {"color": "red"}]}}, {"whole"}),
        ({"filter": {"color": ["red", "blue"], "not": {"price": 3}}}, {"color"}),
        ({"filter": {"used": True}}, set()),
    ],
)
def test_an_index_answers_what_it_is_over(
    cars: Cars, asked: dict[str, Any], able: set[str]
) -> None:
    page: dict[str, Any] = {"limit": 7, "offset": 3, "select": None, "facets": ("color", "make")}
    assert check_equal(cars, {**asked, **page}) == able
    pages = [
        hit.key
        for offset in range(0, 200, 40)
        for hit in cars.search(**asked, limit=40, offset=offset).hits
    ]
    assert pages == [hit.key for hit in cars.search(**asked, limit=200, index=None).hits]


def test_an_answer_says_which_index_it_is_from_and_how_far_that_was(cars: Cars) -> None:
    result = cars.search(filter={"color": "red"}, select=("make", "price"))
    assert result.plan.chosen.name == "global_covered"
    assert result.plan.chosen.indexes == ("color",)
    (use,) = result.indexes
    assert (use.index, len(use.partitions), use.lag, use.pending) == ("color", 1, 0, 0)
    assert sum(use.checkpoint.values()) == 200
    assert {each.name for each in result.plan.rejected} >= {"scatter", "global_index"}
    plan = cars.explain(filter={"color": "red"}).as_dict()
    assert plan["chosen"]["indexes"] == ["color"]
    assert any("asks for no value" in each["reason"] for each in plan["rejected"])


def test_two_indexes_are_intersected_when_that_is_cheapest(store: Store) -> None:
    indexes = [GlobalIndex("a"), GlobalIndex("b")]
    pairs = store.create_collection("pairs", partitions=16, indexes=indexes)
    pairs.put_many({"id": f"{n:04d}", "a": n % 40, "b": n % 41, "c": n} for n in range(2000))
    pairs.indexes.catch_up()
    asked: dict[str, Any] = {"filter": {"a": 7, "b": 6}}
    result = pairs.search(**asked)
    assert result.plan.chosen.name == "global_intersection"
    assert [use.index for use in result.indexes] == ["a", "b"]
    assert [hit.key for hit in result.hits] == ["0047", "1687"]
    assert answer(result) == answer(pairs.search(**asked, index=None))


def test_a_search_within_a_fan_out_takes_the_way_that_asks_few_places(cars: Cars) -> None:
    wide: dict[str, Any] = {"color": {"gte": "a"}, "used": True}
    assert cars.search(filter={"color": "red"}, max_fanout=1).indexes
    assert cars.count({"color": "red"}, max_fanout=1) == 67
    with pytest.raises(InvalidQuery, match="max_fanout=4 suffices with the index color"):
        cars.search(filter=wide, max_fanout=2)
    with pytest.raises(InvalidQuery, match="fix 'id'") as refused:
        cars.search(filter={"used": True}, max_fanout=7)
    assert refused.value.data["needed"] == 8
    assert cars.search(filter={"used": True}, max_fanout=8).total == 29


def test_what_no_index_can_answer_is_refused_with_the_reason(cars: Cars) -> None:
    for asked, reason in (
        ({"filter": {"used": True}}, "no value, range or prefix of 'color'"),
        ({"q": "red", "filter": {"color": "red"}}, "words, keys or patterns"),
        ({"query": {"term": {"color": "red"}}}, "ordered by scores"),
        ({"filter": {"color": "red"}, "sort": "note"}, "'note' is text"),
    ):
        with pytest.raises(InvalidQuery, match=reason):
            cars.search(**asked, index="color")
    with pytest.raises(InvalidQuery, match="max_fanout is 0"):
        cars.search(max_fanout=0)


def test_while_an_index_is_filled_the_shards_answer(cars: Cars) -> None:
    asked: dict[str, Any] = {"filter": {"color": "red"}}
    before = answer(cars.search(**asked))
    filling = GlobalIndex("used", name="late")
    cars.indexes.throttle(1.0)
    cars.indexes.create(filling)
    cars.indexes.rebuild("color")
    result = cars.search(**asked)
    assert answer(result) == before
    assert result.indexes == ()
    assert any("the index is filling" in each.reason for each in result.plan.rejected)
    with pytest.raises(Unavailable, match="filling") as refused:
        cars.search(**asked, index="color")
    assert refused.value.retryable
    with pytest.raises(NotFound, match="'nothing'"):
        cars.search(**asked, index="nothing")
    cars.indexes.throttle(None)
    cars.indexes.catch_up()
    assert cars.search(**asked, index="color").indexes


def test_no_hit_of_an_index_contradicts_the_search_while_indexes_go_and_cars_are_painted(
    cars: Cars,
) -> None:
    stopped = threading.Event()
    wrong: list[object] = []

    def search(index: str) -> None:
        while not stopped.is_set():
            for color in ("red", "blue", "green"):
                try:
                    found = cars.search(filter={"color": color}, limit=200, index=index)
                except (NotFound, Unavailable):
                    continue  # as said: it is dropped, or being filled
                except DocstoreError as error:
                    wrong.append(error)
                    return
                if found.indexes:
                    wrong.extend(hit for hit in found.hits if hit.document["color"] != color)

    searching = [threading.Thread(target=search, args=(name,)) for name in ("color", "auto")]
    for each in searching:
        each.start()
    for turn in range(4):
        cars.indexes.drop("color")
        cars.put_many(
            {"id": f"{n:03d}", "color": ["red", "blue", "green"][(n + turn) % 3], "price": turn}
            for n in range(200)
        )
        cars.indexes.create(INDEXES[0])
        cars.indexes.catch_up()
        cars.delete(f"{turn:03d}")
    stopped.set()
    for each in searching:
        each.join()
    assert wrong == []


def test_a_position_that_no_write_returned_is_refused_alike(cars: Cars) -> None:
    for index in (None, "color"):
        with pytest.raises(InvalidRequest, match="beyond the log's end"):
            cars.search(filter={"color": "red"}, after="0@1:99999", index=index)
    written = cars.put({"id": "new", "color": "red"})
    found = cars.search(filter={"color": "red"}, after=written.position, index="color", limit=200)
    assert "new" in [hit.key for hit in found.hits]


def test_time_that_is_over_ends_a_search_of_an_index(cars: Cars) -> None:
    for index in ("color", "price"):
        with pytest.raises(DeadlineExceeded):
            cars.search(
                filter={"color": "red", "price": {"gte": 0}, "used": True},
                timeout=1e-9,
                index=index,
            )


def test_answers_are_the_same_while_shards_are_split_and_merged(cars: Cars) -> None:
    asked: dict[str, Any] = {"filter": {"color": "red", "price": {"lt": 15}}, "sort": "-price"}
    page: dict[str, Any] = {"limit": 9, "offset": 2, "select": None, "facets": ("make", "color")}
    written = cars.put({"id": "early", "color": "red", "price": 1})
    for turn in range(3):
        if turn < 2:
            cars.split(cars.partitions.numbers[turn])
        else:
            cars.merge(*cars.partitions.numbers[1:3])
        cars.put({"id": "007", "color": "red", "price": turn})
        assert check_equal(cars, {**asked, **page}) == {"color", "price"}
        found = cars.search(filter={"color": "red"}, index="color", limit=200)
        assert found.total == cars.count({"color": "red"}, index=None)
    aged = cars.search(filter={"color": "red"}, after=written.position, index="color", limit=200)
    assert "early" in {hit.key for hit in aged.hits}
    cars.indexes.catch_up()
    assert list(cars.check()) == []


def test_answers_are_the_same_for_compound_keys_that_are_salted(store: Store) -> None:
    index = GlobalIndex("color", include=["price"])
    made = store.create_collection("sold", key=Key("seller", "n"), partitions=4, indexes=[index])
    made.put_many(
        {"seller": "ab"[n % 2], "n": n, "color": ["red", "blue"][n % 3 == 0], "price": n % 5}
        for n in range(60)
    )
    made.indexes.catch_up()
    asked: tuple[dict[str, Any], ...] = (
        {"filter": {"color": "red"}, "limit": 50},
        {"filter": {"color": "red", "seller": "a"}, "sort": "-price", "limit": 7, "offset": 3},
    )
    for fan in (1, 4):
        if fan > 1:
            made.salt("a", fan)
            made.put({"seller": "a", "n": 100, "color": "red", "price": 9})
        for each in asked:
            expected = answer(made.search(**each, index=None))
            assert answer(made.search(**each, index="color")) == expected
            assert answer(made.search(**each)) == expected
