"""The stream of changes: resumed without a gap, followed live, ended with its reason."""

import json
from contextlib import ExitStack
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from tests.api.http.conftest import CARS, Serve

CHANGES = "/v1/collections/cars/changes"
EVENTS = {"accept": "text/event-stream"}


def changes_of(client: TestClient, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get(CHANGES, params=parameters)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_changes_hold_every_write_with_its_document(cars: TestClient) -> None:
    cars.put("/v1/collections/cars/documents/a1", json={"price": 1})
    cars.delete("/v1/collections/cars/documents/a2")
    found = changes_of(cars)
    by_key: dict[str, list[dict[str, Any]]] = {}
    for change in found:
        by_key.setdefault(change["key"], []).append(change)
    assert [(each["version"], each["document"]) for each in by_key["a1"]] == [
        (1, None),
        (2, {"id": "a1", "price": 1}),
    ]
    assert [each["operation"] for each in by_key["a2"]] == ["put", "delete"]
    assert by_key["a3"][0]["document"] == CARS[2]


def test_a_reader_goes_on_where_it_was(cars: TestClient) -> None:
    first = changes_of(cars, limit=2)
    seen = " ".join(each["position"] for each in first)
    rest = changes_of(cars, after=seen)
    assert sorted(each["key"] for each in first + rest) == ["a1", "a2", "a3"]
    nowhere = cars.get(CHANGES, params={"after": ""})  # an unset variable would replay everything
    assert (nowhere.status_code, nowhere.json()["code"]) == (400, "invalid-request")
    now = cars.get(CHANGES, params={"after": "now"})
    assert now.text == ""
    cars.put("/v1/collections/cars/documents/a1", json={"price": 1})
    (change,) = changes_of(cars, after=now.headers["docstore-position"])
    assert (change["key"], change["version"]) == ("a1", 2)


@pytest.mark.parametrize("after", ["x", "9@1:1", "0@1:1000"])
def test_a_position_that_is_none_is_refused(cars: TestClient, after: str) -> None:
    assert cars.get(CHANGES, params={"after": after}).status_code == 400


def test_only_forms_that_exist_can_be_accepted(cars: TestClient) -> None:
    refused = cars.get(CHANGES, headers={"accept": "text/html"})
    assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")


def test_events_follow_what_is_written_and_resume_by_their_last_id(serve: Serve) -> None:
    server = serve(heartbeat_seconds=0.1)
    cars = f"{server.url}/v1/collections/cars"
    httpx.put(cars, json={"partitions": 2})
    httpx.put(f"{cars}/documents/a", json={"price": 1})
    with httpx.stream("GET", f"{cars}/changes", headers=EVENTS) as stream:
        lines = stream.iter_lines()
        first = [next(lines) for _ in range(4)]
        assert [line.partition(":")[0] for line in first] == ["id", "event", "data", ""]
        assert next(lines) == ": still here"
        httpx.put(f"{cars}/documents/b", json={"price": 2})
        later = next(line for line in lines if line.startswith("data"))
        assert json.loads(later.removeprefix("data: "))["key"] == "b"
    last_id = first[0].removeprefix("id: ")
    with httpx.stream(
        "GET", f"{cars}/changes", headers={**EVENTS, "last-event-id": last_id}
    ) as stream:
        again = next(line for line in stream.iter_lines() if line.startswith("data"))
        assert json.loads(again.removeprefix("data: "))["key"] == "b"


def test_lines_can_be_followed_too_and_end_when_the_server_does(serve: Serve) -> None:
    server = serve(heartbeat_seconds=0.1)
    cars = f"{server.url}/v1/collections/cars"
    httpx.put(cars, json={"partitions": 1})
    with httpx.stream("GET", f"{cars}/changes", params={"follow": "true"}) as stream:
        lines = stream.iter_lines()
        assert json.loads(next(lines)) == {"heartbeat": True, "position": []}
        httpx.put(f"{cars}/documents/b", json={"price": 2})
        change = next(line for line in lines if "heartbeat" not in line)
        assert json.loads(change)["document"] == {"id": "b", "price": 2}
        server.ask_to_stop()
        assert all("heartbeat" in line for line in lines)


def test_an_idle_stream_outlives_the_time_a_head_may_take(serve: Serve) -> None:
    server = serve(heartbeat_seconds=0.1, header_seconds=0.3)
    cars = f"{server.url}/v1/collections/cars"
    httpx.put(cars, json={"partitions": 1})
    with httpx.stream("GET", f"{cars}/changes", headers=EVENTS) as stream:
        beats = [line for line, _ in zip(stream.iter_lines(), range(20), strict=False) if line]
    assert beats == [": still here"] * 10


def test_a_head_sent_ahead_does_not_spoil_the_answer_before_it(serve: Serve) -> None:
    server = serve(heartbeat_seconds=0.1, header_seconds=0.3)
    httpx.put(f"{server.url}/v1/collections/cars", json={"partitions": 1})
    with server.connection() as connection:
        connection.sendall(
            f"GET {CHANGES}?follow=true HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
        )
        answer = connection.recv(65536)
        connection.sendall(b"GET / HTTP/1.1\r\n")
        while answer.count(b"heartbeat") < 8:
            part = connection.recv(65536)
            assert part, "the stream was cut"
            answer += part
    assert b"head-timeout" not in answer


def test_no_more_streams_than_allowed(serve: Serve) -> None:
    server = serve(change_streams_max=1)
    cars = f"{server.url}/v1/collections/cars"
    httpx.put(cars, json={})
    httpx.put(f"{cars}/documents/a", json={})
    with httpx.stream("GET", f"{cars}/changes", headers=EVENTS, timeout=60) as stream:
        lines = stream.iter_lines()  # who lets go of them closes the stream
        next(lines)
        refused = httpx.get(f"{cars}/changes", headers=EVENTS, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")


def test_no_more_streams_than_allowed_when_many_ask_at_once(serve: Serve) -> None:
    server = serve(change_streams_max=2)
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    for _ in range(3):  # what is refused takes no place
        assert httpx.get(server.url + CHANGES, params={"after": "9@9:9"}).status_code == 400
    asked = f"GET {CHANGES}?follow=true HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
    with ExitStack() as stack:
        connections = [stack.enter_context(server.connection()) for _ in range(12)]
        for connection in connections:
            connection.sendall(asked)
        statuses = [int(connection.recv(65536).split()[1]) for connection in connections]
    assert sorted(statuses) == [200] * 2 + [503] * 10
