"""Pages that begin after a hit are the whole result in its order, also where values are missing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docstore import InvalidQuery, Key, Sort, after_hit
from tests.docstore.client.stores import KINDS, opened

SCHEMA = {
    "fields": {"id": "keyword", "price": "float", "make": "string", "at": "datetime"},
    "dynamic": "index",
}


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    found, end = opened(request.param, tmp_path)
    yield found
    end()


def documents(count: int = 23) -> Iterator[dict[str, Any]]:
    for n in range(count):
        document: dict[str, Any] = {"id": f"c{n * 7 % count:02}"}
        if n % 3:
            document |= {"price": n % 4 - 1.5, "make": "Öà b"[: n % 4 + 1]}
            document["at"] = f"2026-01-0{n % 5 + 1}T00:00:00Z"
        yield document


def paged(collection: Any, sort: str, size: int = 2, **asked: Any) -> list[Any]:
    found: list[Any] = []
    query = None
    while hits := collection.search(sort=sort, query=query, limit=size, **asked).hits:
        found += [hit.key for hit in hits]
        assert len(found) < 1000
        query = after_hit(sort, hits[-1].sort, hits[-1].key, collection.key_fields)
    return found


@pytest.mark.parametrize("schema", [None, SCHEMA])
@pytest.mark.parametrize("sort", ["price", "-price", "make", "-make", "price:desc", "-at", "at"])
def test_pages_after_hits_are_the_whole_result(store: Any, schema: Any, sort: str) -> None:
    cars = store.create_collection("cars", schema, partitions=3)
    assert cars.put_many(documents()).errors == []
    whole = [hit.key for hit in cars.search(sort=sort, limit=100).hits]
    assert len(whole) == 23
    assert paged(cars, sort) == whole
    narrowed: Any = {"filter": {"id": {"lt": "c12"}}}
    some = [hit.key for hit in cars.search(sort=sort, limit=100, **narrowed).hits]
    assert paged(cars, sort, **narrowed) == some


@pytest.mark.parametrize("sort", ["n", "-n"])
def test_compound_keys_break_ties_part_by_part(store: Any, sort: str) -> None:
    schema = {"fields": {"seller": "keyword", "at": "datetime", "n": "int"}}
    sold = store.create_collection("sold", schema, key=Key("seller", "at"), partitions=3)
    days = [f"2026-01-{day:02}T00:00:00Z" for day in range(1, 6)]
    told = [{"seller": seller, "at": at} for seller in "cab" for at in days]
    sold.put_many({**each, "n": n % 2} if n % 3 else each for n, each in enumerate(told))
    whole = [hit.key for hit in sold.search(sort=sort, limit=100).hits]
    assert len(whole) == 15
    assert paged(sold, sort) == whole


@pytest.mark.parametrize(
    ("sort", "key", "fields"),
    [
        ("", "a", "id"),
        (None, "a", "id"),
        (5, "a", "id"),
        ("_score", "a", "id"),
        ("n", ("a", 1), "id"),
    ],
)
def test_what_cannot_be_continued_is_refused(sort: Any, key: Any, fields: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        after_hit(sort, 1, key, fields)
    assert refused.value.hint


def test_a_sort_may_be_told_as_a_search_takes_it() -> None:
    downwards = after_hit("-price", 5, "a")
    for sort in ("price:desc", {"price": "desc"}, Sort("price", descending=True)):
        assert after_hit(sort, 5, "a") == downwards
