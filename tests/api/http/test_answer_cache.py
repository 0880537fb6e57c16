"""Kept answers: given again only while they are true, and never more than there is room for."""

from starlette.testclient import TestClient

from api.http.answer_cache import AnswerCache
from tests.api.http.conftest import CARS, Connect

SEARCH = "/v1/collections/cars/search"


def test_a_kept_answer_is_not_given_after_a_write(cars: TestClient) -> None:
    asked = {"filter": {"make": "Ford"}}
    cars.post("/v1/collections/cars/refresh")
    first, second = (cars.post(SEARCH, json=asked).json() for _ in range(2))
    assert second == {**first, "cached": True}  # to the microseconds it took
    assert "cached" not in first
    cars.put("/v1/collections/cars/documents/new", json={"make": "Ford"})
    assert cars.post(SEARCH, json=asked).json()["total"] == 3
    cars.delete("/v1/collections/cars/documents/new")
    assert cars.post(SEARCH, json=asked).json()["total"] == 2


def test_kept_answers_are_counted_as_searches(cars: TestClient) -> None:
    cars.post("/v1/collections/cars/refresh")
    for _ in range(3):
        cars.post(SEARCH, json={"q": "ford"})
    counts = cars.get("/metrics").text
    assert 'docstore_searches_total{answer="found"} 1.0' in counts
    assert 'docstore_searches_total{answer="kept"} 2.0' in counts
    assert cars.app.service.slow.count == 3  # type: ignore[attr-defined]  # the app is our own


def test_a_collection_made_anew_has_answers_of_its_own(cars: TestClient) -> None:
    for _ in range(2):
        assert cars.post(SEARCH, json={}).json()["total"] == len(CARS)
    cars.delete("/v1/collections/cars")
    cars.put("/v1/collections/cars", json={"partitions": 3})
    for car in CARS:
        cars.put(f"/v1/collections/cars/documents/{car['id']}", json={"price": 1})
    cars.post("/v1/collections/cars/refresh")
    assert cars.post(SEARCH, json={"filter": {"price": 1}}).json()["total"] == len(CARS)


def test_a_link_and_a_body_are_different_questions(connect: Connect) -> None:
    client = connect()
    client.put("/v1/collections/cars", json={})
    for _ in range(2):
        assert client.get(SEARCH).status_code == 200
        assert (
            client.post(
                SEARCH, content=b"", headers={"content-type": "application/json"}
            ).status_code
            == 400
        )


def test_the_room_is_kept_to_and_what_was_used_last_stays() -> None:
    cache = AnswerCache(20_000)
    for number in range(100):
        cache.keep(number, b"q", b"x" * 500)
        assert cache.get(0) is not None
    assert cache._bytes <= 20_000
    assert cache.get(99) is not None
    assert cache.get(50) is None
    cache.keep("large", b"q", b"x" * 5_000)
    assert cache.get("large") is None
