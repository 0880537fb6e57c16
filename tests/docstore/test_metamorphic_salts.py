"""The same documents and questions with and without salted keys give the same answers.

Invariant 7: totals, keys, order and documents are equal. Scores are within 5%, not 1: shards that
hold makes rather than a mixture differ in the average length by which each normalises.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from docstore import Key, Schema, Store
from tests.conftest import LISTINGS
from tests.docstore.test_metamorphic import ORDERED, SCORED, Cars

FANS = {"Ford": 8, "Toyota": 64, "Honda": 2}


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cars, Cars]]:
    documents = [orjson.loads(line) for line in LISTINGS.read_bytes().splitlines()]
    root: Path = tmp_path_factory.mktemp("metamorphic")
    with Store.open(root) as store:
        made = []
        for name in ("plain", "salted"):
            cars = store.create_collection(
                name, Schema.infer(documents), key=Key("make", "id"), partitions=8
            )
            assert not cars.put_many(documents).errors
            if name == "salted":
                for make, fan in FANS.items():
                    cars.salt(make, fan)
            cars.put_many(documents[::3])
            cars.delete_many((document["make"], document["id"]) for document in documents[::50])
            made.append(cars)
        yield made[0], made[1]
        assert list(store.check()) == []


@pytest.mark.parametrize("asked", ORDERED, ids=str)
def test_ordered_answers_are_equal_with_and_without_salts(
    collections: tuple[Cars, Cars], asked: dict[str, Any]
) -> None:
    plain, salted = (cars.search(**asked) for cars in collections)
    assert plain.total == salted.total > 0
    assert [(hit.key, hit.sort, hit.document) for hit in plain.hits] == [
        (hit.key, hit.sort, hit.document) for hit in salted.hits
    ]


@pytest.mark.parametrize("make", [*FANS, "BMW"])
def test_searches_and_scans_of_one_key_are_equal(collections: tuple[Cars, Cars], make: str) -> None:
    plain, salted = collections
    asked: dict[str, Any] = {"filter": {"make": make}, "sort": "price", "limit": 500}
    assert [hit.key for hit in plain.search(**asked).hits] == [
        hit.key for hit in salted.search(**asked).hits
    ]
    assert len(salted.explain(filter={"make": make}).chosen.shards) == min(FANS.get(make, 1), 8)
    for scan in (
        {"prefix": (make,)},
        {"prefix": (make,), "reverse": True, "limit": 20},
        {"prefix": (make,), "start": (make, "car-0005"), "end": (make, "car-0015")},
        {"start": (make,), "limit": 30},
    ):
        found = [[(each.key, each.version) for each in cars.scan(**scan)] for cars in collections]
        assert found[0] == found[1] != []


@pytest.mark.parametrize("q", SCORED)
def test_scores_are_close_with_and_without_salts(collections: tuple[Cars, Cars], q: str) -> None:
    plain, salted = (cars.search(q, limit=3000) for cars in collections)
    assert plain.total == salted.total
    assert {hit.key: hit.score for hit in salted.hits} == {
        hit.key: pytest.approx(hit.score, rel=0.05) for hit in plain.hits
    }


def test_facets_are_equal_with_and_without_salts(collections: tuple[Cars, Cars]) -> None:
    plain, salted = (
        cars.search(filter={"make": "Ford"}, facets=["make", "color"]) for cars in collections
    )
    assert plain.facets == salted.facets
