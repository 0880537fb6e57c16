"""Counts beside a search are those of now, on every page, whoever changes what they were given."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, Store
from docstore.queries.counting import Counting
from docstore.queries.kept_counts import KINDS_MAX, VALUES_MAX, KeptCounts
from docstore.queries.request import request_of
from indexing.counting import Counts
from indexing.counts import ValueCount
from indexing.facets import Facet

Cars = Collection[dict[str, Any]]
FILTER = {"price": {"gte": 5}}


@pytest.fixture
def cars(tmp_path: Path) -> Any:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=3)
        cars.put_many({"id": str(n), "make": f"make {n % 4}", "price": n} for n in range(60))
        yield cars


def counted(cars: Cars, **asked: Any) -> Any:
    found = cars.search(filter=FILTER, sort="price", facets=["make"], histograms=["price"], **asked)
    return dict(found.facets), dict(found.histograms)


def expected(cars: Cars) -> list[tuple[str, int]]:
    makes = Counter(each.document["make"] for each in cars.scan() if each.document["price"] >= 5)
    return sorted(makes.items(), key=lambda pair: (-pair[1], pair[0]))


def test_every_page_has_the_counts_of_all_and_a_write_changes_them(cars: Cars) -> None:
    for round_number in range(3):
        pages = [counted(cars, offset=offset, limit=10) for offset in (0, 10, 20)]
        assert pages[0] == pages[1] == pages[2]
        assert pages[0][0]["make"] == expected(cars)
        cars.put({"id": f"new {round_number}", "make": "make 1", "price": 70})
        cars.delete(str(20 + round_number))


def test_they_are_kept_with_the_search_and_are_the_callers_own(cars: Cars) -> None:
    first = counted(cars)
    of = cars.partitions
    kept = request_of(of, None, FILTER, None, "price", "current", None, None).counted
    assert len(kept.counts) == 1
    first[0]["make"].clear()
    assert counted(cars)[0]["make"] == expected(cars)


def test_counts_of_some_shards_only_are_not_kept(cars: Cars) -> None:
    asked: dict[str, Any] = {"filter": {"id": ["1", "2"]}, "facets": ["make"]}
    for _ in range(2):
        assert sorted(cars.search(**asked).facets["make"]) == [("make 1", 1), ("make 2", 1)]
    of = cars.partitions
    request = request_of(of, None, asked["filter"], None, None, "current", None, None)
    assert len(request.counted.counts) == (len(of.numbers) == 1)


def test_they_are_bounded_and_of_one_state() -> None:
    now, later = ((0, 1),), ((0, 2),)
    kept = KeptCounts()
    asked = [Counting((Facet("make", size),)) for size in range(1, KINDS_MAX + 3)]
    for counting in asked:
        kept = kept.having(now, counting, Counts(), with_total=False)
    assert len(kept.counts) == KINDS_MAX
    assert kept.of(now, asked[0], with_total=False) is None
    assert kept.of(now, asked[-1], with_total=False) is not None
    assert kept.of(now, asked[-1], with_total=True) is None
    assert kept.of(later, asked[-1], with_total=False) is None
    many = Counts({"make": [ValueCount(n, 1) for n in range(VALUES_MAX + 1)]})
    assert kept.having(later, asked[0], many, with_total=False) is kept
    assert len(kept.having(later, asked[0], Counts(), with_total=False).counts) == 1


def test_equal_numbers_of_other_types_are_counted_apart(cars: Cars) -> None:
    for interval in (10, 10.0, 10):
        found = cars.search(histograms={"price": {"interval": interval}}, limit=0)
        assert type(found.histograms["price"].interval) is type(interval)
