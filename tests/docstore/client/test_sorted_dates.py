"""What a hit says it was sorted by is what a query takes: a page can begin where another ended."""

from pathlib import Path
from typing import Any

import pytest

from docstore import GlobalIndex, Store
from tests.docstore.client.stores import KINDS, opened

DATES = {
    "a": "2025-03-01T10:00:00Z",
    "b": "2025-03-01T12:00:00+02:00",
    "c": "2025-03-01T10:00:00.000001Z",
    "d": "1969-12-31T23:59:59.5Z",
    "e": "2024-02-29T00:00Z",
    "f": None,
}
TOLD = [
    ("d", "1969-12-31T23:59:59.500000Z"),
    ("e", "2024-02-29T00:00:00Z"),
    ("a", "2025-03-01T10:00:00Z"),
    ("b", "2025-03-01T10:00:00Z"),
    ("c", "2025-03-01T10:00:00.000001Z"),
    ("f", None),
]


def filled(store: Any) -> Any:
    schema = {"fields": {"id": "keyword", "seen": {"type": "object", "fields": {"at": "datetime"}}}}
    things = store.create_collection("things", schema, partitions=3)
    written = things.put_many({"id": key, "seen": {"at": date}} for key, date in DATES.items())
    assert written.errors == []
    return things


@pytest.mark.parametrize("kind", KINDS)
def test_pages_over_dates_begin_where_the_last_one_ended(kind: str, tmp_path: Path) -> None:
    store, end = opened(kind, tmp_path / "data")
    things = filled(store)
    for sort, beyond, order in (("seen.at", "gt", "deabcf"), ("-seen.at", "lt", "cabedf")):
        seen: list[tuple[str, Any]] = []
        query = None
        while True:
            hits = things.search(query=query, sort=sort, limit=1).hits
            if not hits:
                break
            seen += [(hit.key, hit.sort) for hit in hits]
            key, value = seen[-1]
            if value is None:
                break
            further = {"range": {"seen.at": {beyond: value}}}
            equal = [{"term": {"seen.at": value}}, {"range": {"id": {"gt": key}}}]
            undated = {"bool": {"must_not": [{"exists": {"field": "seen.at"}}]}}
            query = {"bool": {"should": [further, {"bool": {"filter": equal}}, undated]}}
        assert seen == [(key, dict(TOLD)[key]) for key in order]
    end()


def test_a_global_index_tells_dates_as_the_shards_do(store: Store) -> None:
    things = filled(store)
    asked: dict[str, Any] = {"filter": {"seen.at": {"gte": "1900-01-01"}}, "sort": "seen.at"}
    for index in (GlobalIndex("seen.at"), GlobalIndex("id", name="all", include="all")):
        things.indexes.create(index)
    things.indexes.catch_up()
    for limit in (2, 10):
        found = things.search(**asked, index="seen.at", limit=limit)
        assert [each.index for each in found.indexes] == ["seen.at"]
        assert [(hit.key, hit.sort) for hit in found.hits] == TOLD[:-1][:limit]
    every = things.search(filter={"id": {"gte": "a"}}, sort="seen.at", index="all")
    assert [(hit.key, hit.sort) for hit in every.hits] == TOLD
