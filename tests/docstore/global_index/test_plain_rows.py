"""What is selected comes from an index's rows only where documents hold it just so."""

from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store
from docstore.global_index.wanted import Values

FIELDS = ("color", "price", "make")
SHAPES: list[dict[str, Any]] = [
    {"color": "red", "price": 1, "make": "bmw"},
    {"color": "red", "price": 1.0, "make": True},
    {"color": ["red"], "price": 1, "make": "bmw"},
    {"color": "red", "price": [1], "make": "bmw"},
    {"color": ["red", "blue"], "price": [1, 2], "make": [[3], "x"]},
    {"color": "red", "price": None, "make": "bmw"},
    {"color": "red", "make": {"name": "bmw"}},
    {"color": "red", "price": [], "make": [None, "bmw"]},
    {"color": [["red"]], "price": "1", "make": ""},
]


@pytest.fixture
def cars(store: Store) -> Collection[dict[str, Any]]:
    found = store.create_collection(
        "cars", partitions=2, indexes=[GlobalIndex("color", include=["price", "make"])]
    )
    found.put_many({"id": str(number), **shape} for number, shape in enumerate(SHAPES))
    found.indexes.catch_up()
    found.refresh()
    return found


@pytest.mark.parametrize("select", [FIELDS, ("make",), ("color",), ("price", "color")])
def test_selected_fields_are_as_documents_hold_them(
    cars: Collection[dict[str, Any]], select: tuple[str, ...]
) -> None:
    asked: dict[str, Any] = {"filter": {"color": "red"}, "sort": "make", "freshness": "any"}
    found = cars.search(**asked, index="color", select=select).hits
    assert found == cars.search(**asked, index=None, select=select).hits
    for hit in found:
        shape = SHAPES[int(str(hit.key))]
        assert repr(hit.document) == repr({name: shape[name] for name in select if name in shape})


def test_only_what_is_not_plain_is_read_from_documents(cars: Collection[dict[str, Any]]) -> None:
    found = cars.search(filter={"make": "bmw", "color": "red"}, index="color", sort="price")
    assert found.shards_touched > 0
    plain = cars.search(filter={"color": "red", "make": True}, index="color", select=FIELDS)
    assert (plain.total, plain.shards_touched) == (1, 0)


def test_rows_that_do_not_say_that_they_are_plain_are_read(
    cars: Collection[dict[str, Any]],
) -> None:
    wanted = cars.indexes.wanted("color", [Values(("red",))])
    rows = cars.indexes.candidates("color", wanted).page(0, 20)
    assert [each.key for each in rows if each.is_plain] == [b"0", b"1", b"5"]
