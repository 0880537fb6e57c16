"""Writes of any kind in one request, keys with bytes among them, and looking after a collection."""

import base64
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from tests.api.http.test_bulk import NDJSON, results_of

CARS = "/v1/collections/cars"
WRITE = f"{CARS}/documents:write"


def test_puts_and_deletes_of_one_request_have_their_own_conditions(cars: TestClient) -> None:
    lines = [
        b'{"put": {"id": "w1", "price": 1}, "if_absent": true}',
        b'{"put": {"price": 2}, "key": "w2"}',
        b'{"put": {"id": "a1"}, "if_absent": true}',
        b'{"delete": "a1", "if_version": 1}',
        b'{"delete": "nowhere"}',
        b'{"delete": "nowhere", "if_present": true}',
        b'{"put": {"price": 3}}',
    ]
    results = results_of(cars.post(WRITE, content=b"\n".join(lines), headers=NDJSON).content)
    assert [each["status"] for each in results] == [201, 201, 412, 200, 200, 412, 201]
    assert [each.get("deleted", False) for each in results][3:5] == [True, False]
    assert cars.get(f"{CARS}/documents/w2").json() == {"id": "w2", "price": 2}
    assert cars.get(f"{CARS}/documents/a1").status_code == 404


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"put": {}, "delete": "a"}',
        b'{"put": []}',
        b'{"delete": "a", "key": "a"}',
        b'{"delete": "a", "if_absent": true}',
        b'{"put": {}, "unknown": 1}',
        b'{"put": {}, "if_version": -1}',
        b'{"put": {}, "op_id": ""}',
        b'{"delete": {"hex": "00"}}',
        b'{"delete": {"base64": "not base64"}}',
        b'{"delete": {"base64": "AA==", "hex": "00"}}',
    ],
)
def test_a_line_that_is_no_write_is_refused_alone(cars: TestClient, line: bytes) -> None:
    body = line + b'\n{"put": {"id": "fine"}}'
    refused, fine = results_of(cars.post(WRITE, content=body, headers=NDJSON).content)
    assert (refused["line"], 400 <= refused["status"] < 423) == (1, True)
    assert fine["status"] == 201


def test_a_request_that_is_sent_again_writes_nothing_more(cars: TestClient) -> None:
    lines = b'{"put": {"price": 1}}\n{"delete": "a1"}\n{"put": {"price": 2}, "op_id": "mine"}'
    headers = {**NDJSON, "idempotency-key": "once"}
    first = cars.post(WRITE, content=lines, headers=headers).content
    assert cars.post(WRITE, content=lines, headers=headers).content == first
    alone = b'\n{"put": {"price": 2}, "op_id": "mine"}'
    (again,) = results_of(cars.post(WRITE, content=alone, headers=NDJSON).content)
    assert again["key"] == results_of(first)[2]["key"]


@pytest.mark.parametrize("key", [5, 5.0, True, [5], ["5"], ["a", 1], {"base64": "NQ=="}])
def test_a_key_that_is_no_text_is_none_of_a_collection_of_texts(
    cars: TestClient, key: object
) -> None:
    for text in ("5", "5.0", "true", "[5]", '["5"]', '["a",1]'):
        cars.post("/v1/collections/cars/documents", json={"id": text})
    line = orjson.dumps({"delete": key})
    (result,) = results_of(cars.post(WRITE, content=line, headers=NDJSON).content)
    assert result["status"] == 422
    for path, asked in (("documents:get-many", {"keys": [key]}), ("more-like", {"key": key})):
        refused = cars.post(f"/v1/collections/cars/{path}", json=asked)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-document")
    assert cars.post("/v1/collections/cars/count", json={}).json() == {"count": 9}


def test_keys_with_bytes_come_back_as_they_are_sent(client: TestClient) -> None:
    path = "/v1/collections/blobs"
    assert client.put(path, json={"key": ["digest", "n"]}).status_code == 201
    key: Any = [{"base64": base64.b64encode(b"\x00\xff").decode()}, 7]
    line = b'{"put": {"n": 7}, "key": [{"base64": "AP8="}, 7]}'
    (result,) = results_of(
        client.post(f"{path}/documents:write", content=line, headers=NDJSON).content
    )
    assert (result["status"], result["key"]) == (201, key)
    (found,) = client.get(f"{path}/documents").json()["documents"]
    assert found["key"] == key
    assert client.post(f"{path}/search", json={}).json()["hits"][0]["key"] == key
    read = client.post(f"{path}/documents:get-many", json={"keys": [key, "~wrong"]})
    assert read.status_code == 400
    read = client.post(f"{path}/documents:get-many", json={"keys": [key]})
    assert read.json()["documents"] == [{"digest": "AP8=", "n": 7}]


def test_the_end_of_the_logs_can_be_asked_for(cars: TestClient) -> None:
    before = cars.get(f"{CARS}/position")
    assert before.headers["docstore-position"].split() == before.json()["position"]
    written = cars.put(f"{CARS}/documents/new", json={}).json()["position"]
    assert written in cars.get(f"{CARS}/position").json()["position"]


def test_a_collection_is_checked_and_its_indexes_made_again(cars: TestClient) -> None:
    assert cars.post(f"{CARS}/check").json() == {"violations": [], "more": False}
    assert cars.post(f"{CARS}/rebuild?partition=0").status_code == 200
    rebuilt = cars.post(f"{CARS}/rebuild")
    assert rebuilt.json() == cars.get(f"{CARS}/position").json()
    assert cars.post(f"{CARS}/check").json() == {"violations": [], "more": False}
    assert cars.post(f"{CARS}/rebuild?partition=99").status_code == 404
    assert cars.post(f"{CARS}/check?limit=0").status_code == 400
