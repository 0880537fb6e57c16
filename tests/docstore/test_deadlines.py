"""Searches that run out of time: they fail, or answer with what was found and counted by then."""

from typing import Any

import pytest

from api.http.answers import search_json
from docstore import (
    Collection,
    DeadlineExceeded,
    GlobalIndex,
    InvalidQuery,
    SearchResult,
    Store,
    ValueCount,
)
from docstore.queries.counting import Counting, count
from docstore.queries.execute import Deadline
from docstore.queries.request import request_of
from indexing.local_index import View
from indexing.query import Query

NO_TIME = 1e-9


@pytest.fixture
def things(store: Store) -> Collection[dict[str, object]]:
    things = store.create_collection("things", partitions=3)
    things.put_many([{"id": str(number), "n": number, "t": "word"} for number in range(30)])
    return things


def test_a_search_that_runs_out_of_time_fails(things: Collection[dict[str, object]]) -> None:
    with pytest.raises(DeadlineExceeded):
        things.search("word", timeout=NO_TIME)
    assert things.search("word", timeout=60).total == 30


@pytest.mark.parametrize("asked", [{"q": "word"}, {"sort": "n"}, {"q": "word", "facets": ["n"]}])
def test_a_partial_answer_says_which_shards_are_missing(
    things: Collection[dict[str, object]], asked: dict[str, object]
) -> None:
    found = things.search(**asked, timeout=NO_TIME, partial=True)  # type: ignore[arg-type]
    assert (found.total, found.hits, found.missing) == (0, [], (0, 1, 2))
    assert found.shards_touched == 0
    assert search_json(found, with_plan=False)["partial"] is True
    whole = things.search(**asked, timeout=60, partial=True)  # type: ignore[arg-type]
    assert (whole.total, whole.missing, whole.shards_touched) == (30, (), 3)
    assert "partial" not in search_json(whole, with_plan=False)


COUNTED: dict[str, Any] = {"facets": ["n", "t"], "histograms": {"n": {"interval": 10}}}


@pytest.mark.parametrize(
    "asked",
    [{"filter": {"id": ["1", "2"]}}, {"filter": {"n": [1, 2]}, "sort": "n", "index": "n"}],
    ids=["by key", "from an index"],
)
def test_a_partial_answer_says_which_fields_are_not_counted(
    things: Collection[dict[str, object]], asked: dict[str, Any]
) -> None:
    things.indexes.create(GlobalIndex("n", include="all"))
    things.indexes.catch_up()
    with pytest.raises(DeadlineExceeded):
        things.search(**asked, **COUNTED, timeout=NO_TIME)
    found = things.search(**asked, **COUNTED, timeout=NO_TIME, partial=True)
    assert [hit.key for hit in found.hits] == ["1", "2"]
    assert (found.facets, found.histograms, found.missing) == ({}, {}, ())
    assert found.uncounted == ("n", "t")
    said = search_json(found, with_plan=False)
    assert (said["partial"], said["missing"], said["uncounted"]) == (True, [], ["n", "t"])
    assert "facets" not in said
    whole = things.search(**asked, **COUNTED, timeout=60, partial=True)
    assert whole.facets["t"] == [ValueCount("word", 2)]
    assert (whole.uncounted, set(whole.histograms)) == ((), {"n"})
    assert "partial" not in search_json(whole, with_plan=False)


@pytest.mark.parametrize("limit", [0, 10])
def test_what_was_counted_in_time_is_whole_and_the_rest_left_out(
    things: Collection[dict[str, object]], limit: int
) -> None:
    def searched(timeout: float) -> SearchResult[Any]:
        return things.search(
            "word", filter={"n": {"lt": 20}}, limit=limit, **COUNTED, timeout=timeout, partial=True
        )

    nothing, whole = searched(NO_TIME), searched(60)
    assert (nothing.total, nothing.missing, nothing.uncounted) == (0, (0, 1, 2), ("n", "t"))
    assert (whole.total, whole.missing, whole.uncounted) == (20, (), ())
    assert (len(whole.facets["n"]), whole.facets["t"]) == (10, [ValueCount("word", 20)])


def test_counting_stops_between_two_fields(things: Collection[dict[str, object]]) -> None:
    partitions = things.partitions
    request = request_of(partitions, "word", {"n": {"lt": 20}}, None, None, "current", None, None)
    counting = Counting.parse(["t", "n"], None)
    assert counting is not None
    deadline = Deadline.after(60, is_partial=True)
    assert deadline is not None
    views = partitions.views(partitions.numbers, None, current=True)

    def views_for(_: Query) -> dict[int, View]:
        # Asked for before the second field is counted: its own condition is left out there.
        object.__setattr__(deadline, "at", 0.0)
        return {}

    found = count(
        counting,
        request.narrowed,
        views,
        views_for,
        str,
        partitions.search_pool,
        with_total=False,
        deadline=deadline,
    )
    assert found.facets == {"t": [ValueCount("word", 20)]}
    assert counting.left_out(found.facets, found.histograms) == ("n",)


@pytest.mark.parametrize("timeout", [0, -1, True, "1", float("nan")])
def test_what_is_no_time_is_refused(things: Collection[dict[str, object]], timeout: float) -> None:
    with pytest.raises(InvalidQuery):
        things.search("word", timeout=timeout)


@pytest.mark.parametrize("limit", [0, 10])
@pytest.mark.parametrize("asked", [{"facets": ["n"]}, {"histograms": ["n"]}])
def test_counting_that_runs_out_of_time_fails(
    things: Collection[dict[str, object]], asked: dict[str, object], limit: int
) -> None:
    question = {"filter": {"t": "word"}, "limit": limit, **asked}
    with pytest.raises(DeadlineExceeded):
        things.search(**question, timeout=NO_TIME)  # type: ignore[arg-type]
    assert things.search(**question, timeout=60).total == 30  # type: ignore[arg-type]


def test_completing_and_comparing_that_run_out_of_time_fail(
    things: Collection[dict[str, object]],
) -> None:
    things.put_many([{"id": each, "t": "rare bird"} for each in "xy"])
    with pytest.raises(DeadlineExceeded):
        things.complete("wo", timeout=NO_TIME)
    with pytest.raises(DeadlineExceeded):
        things.more_like("x", ["t"], timeout=NO_TIME)
    assert [each.value for each in things.complete("wo", timeout=60)] == ["word"]
    assert [hit.key for hit in things.more_like("x", ["t"], timeout=60).hits] == ["y"]
