"""Searches that run out of time: they fail, or answer from the shards searched by then."""

import pytest

from api.http.answers import search_json
from docstore import Collection, DeadlineExceeded, InvalidQuery, Store

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
