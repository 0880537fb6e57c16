"""Questions that leave no key at all, as programs with an empty list ask them: nothing is found."""

from typing import Any

import pytest

from docstore import Collection, Key, Range, Store

Things = Collection[dict[str, Any]]


@pytest.fixture(
    params=[
        {"partitions": 3},
        {"partitions": 1},
        {"partitioning": Range(pre_split=["3", "6"])},
        {"key": Key("id", "n"), "partitions": 3},
    ],
    ids=["hash", "one partition", "range", "compound"],
)
def things(store: Store, request: pytest.FixtureRequest) -> Things:
    things = store.create_collection("things", **request.param)
    things.put_many({"id": str(n), "n": n, "t": "word"} for n in range(9))
    return things


QUESTIONS: list[dict[str, Any]] = [
    {"filter": {"id": []}},
    {"q": "word", "filter": {"id": []}},
    {"query": {"ids": {"values": []}}},
    {"query": {"terms": {"id": []}}},
    {"query": {"constant_score": {"filter": {"ids": {"values": []}}}}},
    {"query": {"bool": {"filter": [{"term": {"id": "1"}}, {"term": {"id": "2"}}]}}},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize(
    "more",
    [{}, {"sort": "n"}, {"highlight": True}, {"facets": ["n"], "limit": 0}, {"histograms": ["n"]}],
    ids=str,
)
def test_a_search_for_no_key_finds_nothing(
    things: Things, question: dict[str, Any], more: dict[str, Any]
) -> None:
    found = things.search(**question, **more)
    assert (found.total, found.hits) == (0, [])
    assert found.facets in ({}, {"n": []})


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_no_key_is_counted_explained_and_deleted(things: Things, question: dict[str, Any]) -> None:
    assert things.count(**question) == 0
    assert things.explain(**question).chosen.name != "point_read"
    assert things.delete_by_query(**question).deleted == 0
    assert things.count() == 9
