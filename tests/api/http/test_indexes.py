"""Global indexes over HTTP: made, shown, used, dropped."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from docstore import GlobalIndex, Store
from tests.api.http.conftest import CARS, Connect

PATH = "/v1/collections/cars"
MAKE: dict[str, Any] = {"field": "make", "include": ["price"], "partitions": 2}


@pytest.fixture
def indexed(cars: TestClient) -> TestClient:
    """The cars, with an index that is asked."""
    assert cars.put(f"{PATH}/indexes/make", json=MAKE).status_code == 201
    wait_until_ready(cars)
    return cars


def wait_until_ready(client: TestClient) -> None:
    """Ask until an index was filled and compared."""
    while client.get(f"{PATH}/indexes/make").json()["state"] != "ready":
        client.post(f"{PATH}/refresh")


def test_an_index_is_made_listed_filled_again_and_dropped(indexed: TestClient) -> None:
    assert indexed.put(f"{PATH}/indexes/make", json=MAKE).status_code == 200
    refused = indexed.put(f"{PATH}/indexes/make", json={"field": "price"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-exists")
    (listed,) = indexed.get(f"{PATH}/indexes").json()["indexes"]
    assert (listed["name"], listed["documents"], listed["lag"]) == ("make", len(CARS), 0)
    assert indexed.post(f"{PATH}/indexes/make/rebuild").status_code == 200
    wait_until_ready(indexed)
    assert indexed.get(f"{PATH}/indexes/none").status_code == 404
    renamed = indexed.post(f"{PATH}/indexes/make/rename", json={"name": "brand"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "brand")
    assert indexed.post(f"{PATH}/indexes/brand/rename", json={"name": "a/b"}).status_code == 422
    assert indexed.post(f"{PATH}/indexes/brand/rename", json={}).status_code == 400
    assert indexed.delete(f"{PATH}/indexes/brand").status_code == 204
    named = indexed.put(f"{PATH}/indexes/price", json={})
    assert (named.status_code, named.json()["field"]) == (201, "price")
    assert indexed.delete(f"{PATH}/indexes/price").status_code == 204
    assert indexed.get(f"{PATH}/indexes").json() == {"indexes": []}


@pytest.mark.parametrize(
    ("definition", "status"),
    [
        ({"field": "nothing"}, 422),
        ({"field": "make", "partitions": 0}, 400),
        ({"field": "make", "colour": 1}, 400),
        ({"field": []}, 422),
        ({"field": None, "by": "size"}, 400),
        ({}, 422),
    ],
)
def test_what_no_index_can_be_is_refused(
    cars: TestClient, definition: dict[str, Any], status: int
) -> None:
    answer = cars.put(f"{PATH}/indexes/x", json=definition)
    assert answer.status_code == status
    assert answer.json()["hint"]


def test_a_search_says_which_index_answered_and_how_far_that_was(indexed: TestClient) -> None:
    asked: dict[str, Any] = {"filter": {"make": "Ford"}, "sort": "-price"}
    answer = indexed.post(f"{PATH}/search", json={**asked, "index": "make"}).json()
    (use,) = answer["indexes"]
    assert (use["index"], use["lag"], sum(use["checkpoint"].values())) == ("make", 0, len(CARS))
    assert answer["plan"]["chosen"]["indexes"] == ["make"]
    without = indexed.post(f"{PATH}/search", json={**asked, "index": None}).json()
    assert "indexes" not in without
    assert without["hits"] == answer["hits"]
    link = {"filter": '{"make": "Ford"}', "sort": "-price"}
    assert indexed.get(f"{PATH}/search", params={**link, "index": "make"}).json()["indexes"]
    assert "indexes" not in indexed.get(f"{PATH}/search", params={**link, "index": ""}).json()
    plan = indexed.post(f"{PATH}/explain", json={**asked, "index": "make"}).json()
    assert plan["chosen"]["name"] == "global_covered"
    counted = indexed.post(f"{PATH}/count", json={"filter": {"make": "Ford"}, "index": "make"})
    assert counted.json() == {"count": 2}


def test_an_answer_kept_for_an_index_is_not_given_when_the_index_is_gone(
    indexed: TestClient,
) -> None:
    asked = {"filter": {"make": "Ford"}, "index": "make"}
    assert indexed.post(f"{PATH}/search", json=asked).status_code == 200
    indexed.delete(f"{PATH}/indexes/make")
    assert indexed.post(f"{PATH}/search", json=asked).status_code == 404


def test_an_index_that_cannot_answer_says_why(indexed: TestClient) -> None:
    answer = indexed.post(f"{PATH}/search", json={"q": "new", "index": "make"})
    assert answer.status_code == 400
    assert "words" in answer.json()["detail"]
    wide = indexed.post(f"{PATH}/search", json={"q": "new", "max_fanout": 1})
    assert wide.status_code == 400
    assert wide.json()["data"]["needed"] == 3


def test_a_check_of_an_index_names_each_document_that_differs(
    tmp_path: Path, connect: Connect
) -> None:
    with Store.open(tmp_path / "data") as store:
        made = store.create_collection("cars", indexes=[GlobalIndex("make", partitions=1)])
        made.put_many(CARS)
        made.indexes.catch_up()
        partition = made.indexes._live["make"].files.partitions[0]
        partition.apply({each["id"].encode(): {} for each in CARS}, {})
    client = connect()
    found = client.post(f"{PATH}/indexes/make/check").json()
    assert sorted((each["rule"], each["key"]) for each in found["violations"]) == [
        ("global-missing", each["id"]) for each in CARS
    ]
    assert client.post(f"{PATH}/indexes/make/check?limit=1").json()["more"]
    assert client.post(f"{PATH}/indexes/none/check").status_code == 404
    client.post(f"{PATH}/indexes/make/rebuild")
    wait_until_ready(client)
    assert client.post(f"{PATH}/indexes/make/check").json() == {"violations": [], "more": False}


def test_verification_is_switched_on_and_shown_in_the_metrics(indexed: TestClient) -> None:
    assert indexed.put(f"{PATH}/verification", json={"rate": 1e6}).json()["rate"] == 1e6
    assert indexed.put(f"{PATH}/verification", json={"rate": 0}).status_code == 400
    while indexed.get(f"{PATH}/stats").json()["verification"]["rounds"] == 0:
        indexed.post(f"{PATH}/refresh")
    assert indexed.put(f"{PATH}/verification", json={"rate": None}).json()["divergent"] == 0
    text = indexed.get("/metrics").text
    assert 'docstore_divergent_documents_total{collection="cars"} 0.0' in text
    assert 'docstore_verified_documents_total{collection="cars"}' in text


def test_metrics_tell_where_an_index_stands(indexed: TestClient) -> None:
    text = indexed.get("/metrics").text
    for figure in ("lag_entries", "lag_milliseconds", "overlay_documents"):
        assert f'docstore_global_index_{figure}{{collection="cars",index="make"}} 0.0' in text
    assert 'docstore_global_index_checkpoint{collection="cars",index="make",partition="0"}' in text
