"""Hot keys over HTTP, and in the command that asks a server for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli import app
from api.http.hot_keys import HotKeys
from api.http.partitions import Changed
from docstore import connect
from tests.api.http.conftest import Running


def test_a_collection_tells_the_keys_that_are_asked_for_most(cars: TestClient) -> None:
    for _ in range(6):
        cars.get("/v1/collections/cars/documents/a2")
    answer = cars.get("/v1/collections/cars/hot-keys", params={"limit": 1}).json()
    HotKeys.model_validate(answer)
    (told,) = answer["hot_keys"]
    assert told["key"] == "a2"
    assert told["read_share"] == 1
    assert told["is_hot"] is False


def test_the_store_tells_those_of_all_collections(cars: TestClient) -> None:
    answer = cars.get("/v1/hot-keys").json()
    assert {each["key"] for each in answer["hot_keys"]} == {"a1", "a2", "a3"}


def test_a_limit_that_is_too_large_is_refused(cars: TestClient) -> None:
    assert cars.get("/v1/hot-keys", params={"limit": 257}).status_code == 400
    assert cars.get("/v1/collections/cars/hot-keys", params={"limit": 257}).status_code == 400
    assert cars.get("/v1/collections/boats/hot-keys").status_code == 404


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "data")
    yield running
    running.stop()


def _run(*words: str) -> Any:
    return CliRunner().invoke(app, ["hot-keys", *words])


def test_the_command_asks_a_server(server: Running) -> None:
    quiet = _run(server.url)
    assert quiet.exit_code == 0, quiet.stderr
    assert "no key was read or written yet" in quiet.stdout
    with connect(server.url) as store:
        cars = store.create_collection("cars")
        cars.put({"id": "car-1"})
    told = orjson.loads(_run(server.url, "cars", "--json").stdout)
    assert [each["key"] for each in told] == ["car-1"]
    assert "car-1" in _run(server.url).stdout


def test_the_command_needs_a_server_rather_than_a_directory(tmp_path: Path) -> None:
    refused = _run(str(tmp_path))
    assert refused.exit_code != 0
    assert "http://" in refused.stderr


def _sales(client: TestClient) -> str:
    path = "/v1/collections/sales"
    made = client.put(path, json={"key": ["seller", "n"], "partitions": 4})
    assert made.status_code == 201
    for number in range(20):
        document = {"seller": "big", "n": number}
        assert client.post(f"{path}/documents", json=document).status_code == 201
    return path


def test_a_key_is_salted_listed_and_unsalted(client: TestClient) -> None:
    path = _sales(client)
    made = client.post(f"{path}/salts", json={"key": "big", "fan": 4})
    assert made.status_code == 200
    Changed.model_validate(made.json())
    assert client.get(f"{path}/salts").json() == {"salts": [{"key": "big", "fan": 4}]}
    assert client.get(f"{path}/stats").json()["salts"] == [{"key": "big", "fan": 4}]
    explained = client.post(f"{path}/explain", json={"filter": {"seller": "big"}}).json()
    assert "salted over 4 places" in str(explained)
    found = client.post(f"{path}/search", json={"filter": {"seller": "big"}}).json()
    assert found["total"] == 20
    assert client.post(f"{path}/salts", json={"key": ["big"], "fan": 1}).json()["epoch"] == 3
    assert client.get(f"{path}/salts").json() == {"salts": []}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "big", "fan": 0}, 400),
        ({"key": "big", "fan": 3}, 400),
        ({"key": "big", "fan": 10_000}, 400),
        ({"key": "big", "fan": "8"}, 400),
        ({"key": "big"}, 400),
        ({"key": None, "fan": 8}, 400),
        ({"key": {"seller": "big"}, "fan": 8}, 400),
        ({"key": ["big", 3], "fan": 8}, 400),
        ({"key": "nobody", "fan": 8}, 404),
    ],
)
def test_what_cannot_be_salted_is_refused(
    client: TestClient, body: dict[str, Any], status: int
) -> None:
    path = _sales(client)
    assert client.post(f"{path}/salts", json=body).status_code == status
    assert client.get(f"{path}/salts").json() == {"salts": []}
