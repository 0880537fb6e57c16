"""Cars of any source become listings, are loaded once, and a stopped load goes on."""

import gzip
import json
from pathlib import Path

import pytest

from api.demo.listings import COLLECTION, listing_of
from api.demo.loading import fixtures, prepare
from docstore import DocstoreError, Store
from tests.conftest import LISTINGS


def test_a_car_of_another_source_becomes_a_listing() -> None:
    car = {
        "id": "x-1",
        "make": "bmw",
        "model": "x5",
        "year": 2011,
        "price": 9400,
        "fuel": "Petrol",
        "body": "SUV",
        "color": "Grey",
        "mileage": None,
        "posted": "6/23/2018",
    }
    assert listing_of(car) == {
        "id": "x-1",
        "make": "BMW",
        "model": "X5",
        "year": 2011,
        "price": 9400,
        "fuel": "gas",
        "body": "suv",
        "color": "gray",
        "posted": "2018-06-23T00:00:00Z",
        "title": "2011 BMW X5",
    }


def test_the_fixtures_are_listings_already() -> None:
    with LISTINGS.open() as lines:
        for line in lines:
            assert listing_of(json.loads(line)) == json.loads(line)


def test_the_fixtures_come_along() -> None:
    assert fixtures().read_bytes() == LISTINGS.read_bytes()


def test_what_is_loaded_is_not_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "cars.jsonl"
    file.write_text('{"id": "a", "make": "ford"}\n{"id": "b"}\n')
    with Store.open(tmp_path / "data") as store:
        assert prepare(store, file) == 2
        store.collection(COLLECTION).delete("a")
        assert prepare(store, None) == 1
        assert store.collection(COLLECTION).get("b") == {"id": "b", "title": "A car"}


def test_a_load_that_was_stopped_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "cars.jsonl.gz"
    whole = gzip.compress(b"".join(b'{"id": "%d"}\n' % number for number in range(3000)))
    file.write_bytes(whole[: len(whole) // 2])
    with Store.open(tmp_path / "data") as store:
        with pytest.raises(DocstoreError):
            prepare(store, file)
        file.write_bytes(whole)
        assert prepare(store, file) == 3000
        assert prepare(store, None) == 3000
