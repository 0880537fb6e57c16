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
