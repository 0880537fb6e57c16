"""A server without keys: no page of another site changes it, and nobody else is in its way."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.http.app import OPERATIONS
from api.http.key_file import add_key
from api.http.routing import Operation
from api.http.senders import SAFE_METHODS
from tests.api.http.conftest import Connect

UNSAFE = [each for each in OPERATIONS if each.method not in SAFE_METHODS]
FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": "http://localhost:8469", "sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://[", "host": "localhost"},
    {"origin": "http://localhost:81"},
    {"origin": "http://localhost.evil.example"},
    {"origin": "http://localhost@evil.example"},
]
OWN: list[dict[str, str]] = [
    {},  # curl, httpx: no browser
    {"origin": "http://localhost"},
    {"origin": "https://localhost"},  # behind a proxy that speaks TLS
    {"origin": "http://localhost", "sec-fetch-site": "same-origin"},
    {"origin": "https://store.example", "sec-fetch-site": "same-origin"},  # behind one of that name
    {"sec-fetch-site": "none"},
]


def path_of(operation: Operation) -> str:
    values = {"collection": "cars", "partition": "0"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values.get(found[1], "x"), operation.path)


@pytest.mark.parametrize("operation", UNSAFE, ids=lambda each: f"{each.method} {each.path}")
def test_no_operation_that_changes_something_is_another_sites(
    cars: TestClient, operation: Operation
) -> None:
    for headers in FOREIGN:
        refused = cars.request(operation.method, path_of(operation), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross-site"), headers
        assert refused.json()["title"] == "This came from another site"
    for headers in OWN:
        answer = cars.request(operation.method, path_of(operation), headers=headers)
        assert answer.status_code != 403, headers


def test_every_unsafe_operation_needs_a_scope_so_it_is_looked_at() -> None:
    assert len(UNSAFE) > 20
    assert [each.path for each in UNSAFE if each.scope is None] == []


def test_a_page_elsewhere_drops_nothing(cars: TestClient) -> None:
    headers = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    assert cars.delete("/v1/collections/cars", headers=headers).status_code == 403
    assert cars.post("/v1/collections/cars/rebuild", headers=headers).status_code == 403
    assert cars.get("/v1/collections/cars/documents/a1").status_code == 200
    assert cars.delete("/v1/collections/cars").status_code == 204


def test_reading_stays_what_it_was(cars: TestClient) -> None:
    for headers in FOREIGN:
        assert cars.get("/v1/collections/cars/search?q=ford", headers=headers).status_code == 200


def test_sites_that_the_settings_name_may_change_things(connect: Connect) -> None:
    client = connect(cors_origins=("https://site.example",))
    named = {"origin": "https://site.example", "sec-fetch-site": "cross-site"}
    assert client.put("/v1/collections/cars", json={}, headers=named).status_code == 201
    other = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert client.delete("/v1/collections/cars", headers=other).status_code == 403
    anybody = connect(cors_origins=("*",))
    assert anybody.delete("/v1/collections/cars", headers=other).status_code == 204


def test_a_key_says_who_asks_wherever_its_page_is(connect: Connect, tmp_path: Path) -> None:
    _, key = add_key(tmp_path / "keys.json", "page", ("admin",), ("*",))
    client = connect(api_key_file=tmp_path / "keys.json")
    headers = {"origin": "https://site.example", "authorization": f"Bearer {key}"}
    assert client.put("/v1/collections/cars", json={}, headers=headers).status_code == 201
