"""Searching over HTTP: what the Python API finds, on whichever thread, as a body or as a link."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.http.app import create_app
from api.http.search_models import SearchAnswer
from api.http.service import Service
from api.http.settings import Settings
from docstore import Store
from tests.api.http.conftest import CARS, SCHEMA, Connect

CARS_PATH = "/v1/collections/cars"


def found_keys(answer: Any) -> list[str]:
    return [hit["key"] for hit in answer.json()["hits"]]


def test_a_search_finds_what_was_written_before_it(cars: TestClient) -> None:
    asked = {"q": "ford", "filter": {"price": {"lt": 20000}}, "sort": "-price"}
    answer = cars.post(f"{CARS_PATH}/search", json=asked)
    assert answer.status_code == 200
    assert found_keys(answer) == ["a2", "a1"]
    body = answer.json()
    assert body["total"] == 2
    assert body["hits"][0]["document"] == CARS[1]
    assert body["hits"][0]["sort"] == 12000
    assert body["plan"]["chosen"]["name"] == "scatter"


def test_a_link_finds_what_the_body_finds(cars: TestClient) -> None:
    link = cars.get(
        f"{CARS_PATH}/search",
        params={"q": "ford", "filter": '{"price": {"lt": 10000}}', "select": "price,make"},
    )
    assert link.json()["hits"][0]["document"] == {"price": 9500, "make": "Ford"}
    assert link.json()["total"] == 1


@pytest.mark.parametrize("cheap", [0, 1e9])
def test_where_a_search_runs_does_not_change_what_it_finds(connect: Connect, cheap: float) -> None:
    client = connect(cheap_microseconds=cheap)
    client.put(CARS_PATH, json={})
    for car in CARS:
        client.post(f"{CARS_PATH}/documents", json=car)
    for _ in range(2):
        answer = client.post(f"{CARS_PATH}/search", json={"q": "new", "plan": False})
        assert sorted(found_keys(answer)) == ["a1", "a3"]
        assert "plan" not in answer.json()


def test_values_are_counted_and_words_are_marked(cars: TestClient) -> None:
    asked = {
        "q": "tires",
        "filter": {"make": "BMW"},
        "facets": ["make"],
        "histograms": {"price": {"interval": 10_000}},
        "highlight": ["about"],
    }
    answer = cars.post(f"{CARS_PATH}/search", json=asked).json()
    assert answer["facets"]["make"] == [{"value": "BMW", "documents": 1}]
    assert answer["histograms"]["price"]["buckets"][0]["documents"] == 1
    assert answer["hits"][0]["highlights"] == {"about": ["new <mark>tires</mark>"]}


def test_a_partial_answer_says_what_it_lacks(tmp_path: Path) -> None:
    services: list[Service] = []

    def pages(service: Service) -> tuple[()]:
        services.append(service)
        return ()

    app = create_app(Store.open(tmp_path), Settings(access_log=False, threads=1), pages)
    allowed = threading.Event()
    with TestClient(app, "http://localhost") as client, ThreadPoolExecutor(1) as other:
        client.put(CARS_PATH, json={"schema": SCHEMA})
        client.put(f"{CARS_PATH}/documents/a1", json=CARS[0])
        asked = {"filter": {"id": "a1"}, "facets": ["make"], "timeout_ms": 1, "partial": True}
        # Its time passes while it waits for the only thread.
        services[0].pool.submit(allowed.wait, 20)
        asking = other.submit(client.post, f"{CARS_PATH}/search", json=asked)
        while not services[0].dear:
            client.get("/health/live")
        begun = time.monotonic()
        while time.monotonic() - begun < 0.01:
            client.get("/health/live")
        allowed.set()
        answer = asking.result()
        assert found_keys(answer) == ["a1"]
        said = answer.json()
        assert (said["partial"], said["missing"], said["uncounted"]) == (True, [], ["make"])
        assert "facets" not in said
        SearchAnswer.model_validate(said)
        again = client.post(f"{CARS_PATH}/search", json={**asked, "timeout_ms": 9_000}).json()
        assert again["facets"]["make"] == [{"value": "Ford", "documents": 1}]
        assert "partial" not in again


def test_words_are_completed_and_similar_documents_found(cars: TestClient) -> None:
    typed = cars.post(f"{CARS_PATH}/complete", json={"prefix": "fo", "field": "make"}).json()
    assert typed["completions"][0] == {"value": "Ford", "field": "make", "documents": 2}
    similar = cars.post(f"{CARS_PATH}/more-like", json={"key": "a1", "fields": ["make"]})
    assert found_keys(similar) == ["a2"]
    lost = cars.post(f"{CARS_PATH}/more-like", json={"key": "nobody"})
    assert lost.status_code == 404


def test_documents_are_counted_and_searches_explained(cars: TestClient) -> None:
    assert cars.post(f"{CARS_PATH}/count", json={}).json() == {"count": 3}
    counted = cars.post(f"{CARS_PATH}/count", json={"filter": {"make": "Ford"}})
    assert counted.json() == {"count": 2}
    plan = cars.post(f"{CARS_PATH}/explain", json={"filter": {"id": "a1"}}).json()
    assert plan["chosen"]["name"] == "point_read"


def test_what_matches_is_deleted_a_batch_at_a_time(cars: TestClient) -> None:
    path = f"{CARS_PATH}/documents:delete-by-query"
    asked = {"filter": {"make": "Ford"}, "max_documents": 1}
    first = cars.post(path, json=asked).json()
    assert (first["deleted"], first["more"]) == (1, True)
    second = cars.post(path, json=asked).json()
    assert (second["deleted"], second["more"]) == (1, False)
    assert cars.post(path, json=asked).json()["deleted"] == 0
    assert cars.post(f"{CARS_PATH}/count", json={}).json() == {"count": 1}


@pytest.mark.parametrize("asked", [{}, {"filter": {}}, {"q": ""}, {"q": " ", "filter": {}}])
def test_everything_is_deleted_only_when_that_is_said(
    cars: TestClient, asked: dict[str, Any]
) -> None:
    path = f"{CARS_PATH}/documents:delete-by-query"
    refused = cars.post(path, json=asked)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-query")
    assert cars.post(f"{CARS_PATH}/count", json={}).json() == {"count": 3}
    assert cars.post(path, json={"query": {"match_all": {}}}).json()["deleted"] == 3


def test_a_search_after_a_position_sees_that_write(cars: TestClient) -> None:
    put = cars.put(f"{CARS_PATH}/documents/b", json={"make": "Kia"})
    position = put.headers["docstore-position"]
    asked = {"filter": {"make": "Kia"}}
    by_body = cars.post(f"{CARS_PATH}/search", json={**asked, "after": position})
    by_header = cars.post(
        f"{CARS_PATH}/search", json=asked, headers={"docstore-position": position}
    )
    assert found_keys(by_body) == found_keys(by_header) == ["b"]
    wrong = cars.post(f"{CARS_PATH}/search", json={**asked, "after": "9@1:1"})
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"query": {"bool": {"must": [{"rang": {}}]}}}, "bool.must[0]"),
        ({"filter": {"price": {"lessthan": 3}}}, "price"),
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"sort": "about"}, "about"),
        ({"colour": "red"}, "colour"),
        ({"freshness": "old"}, "freshness"),
        ({"query": {"term": {"price": {"value": {}}}}}, "term.price.value"),
    ],
)
def test_a_wrong_search_says_where_it_is_wrong(
    cars: TestClient, asked: dict[str, Any], path: str
) -> None:
    refused = cars.post(f"{CARS_PATH}/search", json=asked)
    problem = refused.json()
    assert refused.status_code == 400
    assert problem["path"].startswith(path), problem
    assert problem["hint"]


@pytest.mark.parametrize("parameters", [{"limit": "x"}, {"colour": "red"}, {"filter": "{"}])
def test_a_wrong_link_names_its_parameter(cars: TestClient, parameters: dict[str, str]) -> None:
    refused = cars.get(f"{CARS_PATH}/search", params=parameters)
    assert (refused.status_code, refused.json()["path"]) == (400, next(iter(parameters)))


@pytest.mark.parametrize(
    ("asked", "path", "said"),
    [
        ({"sort": 3}, "sort", "sort by one field"),
        ({"sort": ["price", "-make"]}, "sort", "sort by one field"),
        ({"after": 5}, "after", "a valid string, or a valid list"),
        ({"after": [1]}, "after.0", "a valid string"),
        ({"select": ["id", 4]}, "select.1", "a valid string"),
        ({"facets": {}, "highlight": 5}, "highlight", "a valid boolean, or a valid string"),
        ({"aggs": {}}, "aggs", "counted by facets"),
        ({"size": 5}, "size", "called limit"),
        ({"from": 5}, "from", "called offset"),
        ({"_source": ["id"]}, "_source", "called select"),
        ({"search_after": [5]}, "search_after", "greater key"),
    ],
)
def test_what_does_not_fit_is_told_in_the_words_of_who_asked(
    cars: TestClient, asked: dict[str, Any], path: str, said: str
) -> None:
    problem = cars.post(f"{CARS_PATH}/search", json=asked).json()
    assert (problem["status"], problem["path"]) == (400, path)
    assert said in f"{problem['detail']} {problem['hint']}"
    assert "str:" not in problem["detail"]


def test_a_list_of_one_field_sorts(cars: TestClient) -> None:
    found = cars.post(f"{CARS_PATH}/search", json={"sort": ["-price"]}).json()
    assert [hit["key"] for hit in found["hits"]] == ["a3", "a2", "a1"]
