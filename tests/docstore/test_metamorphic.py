"""The same documents and questions over 1, 2 and 16 partitions give the same answers.

Invariant 7: totals, keys, order and documents are equal; scores within 1%, because each shard
normalises lengths by its own average.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from docstore import Collection, Schema, Store
from tests.conftest import LISTINGS

PARTITIONS = (1, 2, 16)
Cars = Collection[dict[str, Any]]

ORDERED: list[dict[str, Any]] = [
    {"sort": "price", "limit": 25},
    {"sort": "-price", "limit": 25, "offset": 40},
    {"sort": "make", "limit": 60},
    {"sort": "-year", "limit": 10},
    {"sort": "color", "limit": 500, "offset": 100},
    {"sort": "certified", "limit": 30},
    {"sort": "posted:desc", "limit": 30},
    {"sort": "seller.kind", "limit": 50},
    {"sort": "features", "limit": 50},
    {"sort": "transmission", "limit": 2900},
    {"limit": 15},
    {"filter": {"color": "red", "price": {"lt": 20000}}, "sort": "price"},
    {"filter": {"make": ["Ford", "Toyota"], "year": {"gte": 2015}}, "sort": "-mileage"},
    {"filter": {"seller": {"kind": "private"}}, "limit": 20},
    {"filter": {"not": {"color": "black"}, "certified": True}, "sort": "mileage"},
    {"filter": {"make": {"gte": "H", "lt": "N"}}, "sort": "make", "limit": 40},
    {"query": {"prefix": {"model": "C"}}, "limit": 30},
    {"query": {"exists": {"field": "engine_liters"}}, "sort": "engine_liters"},
    {"query": {"wildcard": {"model": "*o*a*"}}, "sort": "model"},
    {"q": "leather", "sort": "price"},
    {"q": '"one owner" -black', "sort": "year"},
]
SCORED = ["ford f-150", "low mileage", "automatic red", "toyota camry hybrid", "citroën", "seats"]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Cars]]:
    documents = [orjson.loads(line) for line in LISTINGS.read_bytes().splitlines()]
    root: Path = tmp_path_factory.mktemp("metamorphic")
    with Store.open(root) as store:
        made = {}
        for partitions in PARTITIONS:
            cars = store.create_collection(
                f"cars{partitions}", Schema.infer(documents), partitions=partitions
            )
            assert not cars.put_many(documents).errors
            # Some documents come twice and some go, so that segments hold deleted ones.
            cars.put_many(documents[::3])
            cars.delete_many(document["id"] for document in documents[::50])
            made[partitions] = cars
        yield made
        assert list(store.check()) == []


@pytest.mark.parametrize("asked", ORDERED, ids=str)
def test_ordered_answers_are_equal_whatever_the_number_of_partitions(
    collections: dict[int, Cars], asked: dict[str, Any]
) -> None:
    answers = [collections[partitions].search(**asked) for partitions in PARTITIONS]
    first = answers[0]
    assert first.total > 0
    for other in answers[1:]:
        assert other.total == first.total
        assert [(hit.key, hit.sort, hit.document) for hit in other.hits] == [
            (hit.key, hit.sort, hit.document) for hit in first.hits
        ]


@pytest.mark.parametrize("q", SCORED)
def test_scores_are_within_one_percent_whatever_the_number_of_partitions(
    collections: dict[int, Cars], q: str
) -> None:
    one, *others = [collections[partitions].search(q, limit=3000) for partitions in PARTITIONS]
    scores = {hit.key: hit.score for hit in one.hits}
    assert scores
    for other in others:
        assert other.total == one.total
        assert {hit.key: hit.score for hit in other.hits} == {
            key: pytest.approx(score, rel=0.01) for key, score in scores.items()
        }


def test_pages_laid_side_by_side_are_the_whole(collections: dict[int, Cars]) -> None:
    cars = collections[16]
    whole = cars.search(sort="color", limit=300).hits
    pages = [
        hit
        for offset in range(0, 300, 30)
        for hit in cars.search(sort="color", limit=30, offset=offset).hits
    ]
    assert [hit.key for hit in pages] == [hit.key for hit in whole]


def test_scans_are_equal_whatever_the_number_of_partitions(collections: dict[int, Cars]) -> None:
    for arguments in (
        {},
        {"reverse": True},
        {"prefix": "car-0001"},
        {"start": "car-00201"},
        {"start": "car-0002", "end": "car-0003", "reverse": True, "limit": 7},
    ):
        scans = [
            [(found.key, found.version) for found in collections[each].scan(**arguments)]
            for each in PARTITIONS
        ]
        assert scans[0]
        assert scans[0] == scans[1] == scans[2]
