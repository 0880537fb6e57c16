"""Bulk writes: one result per line, in order, while the body still comes, in bounded memory."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from tests.api.http.conftest import Serve, received

BULK = "/v1/collections/cars/documents:bulk"
NDJSON = {"content-type": "application/x-ndjson"}


def results_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def test_every_line_has_its_result(cars: TestClient) -> None:
    body = b"\n".join(
        [
            b'{"id": "b1", "price": 1}',
            b"not json",
            b"",
            b'{"id": "a1", "price": 2}',
            b"[1]",
            b'{"id": "b2", "price": "cheap"}',
            b'{"price": 5}',
        ]
    )
    answer = cars.post(BULK, content=body, headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    results = results_of(answer.content)
    assert [(each["line"], each["status"]) for each in results] == [
        (1, 201),
        (2, 422),
        (4, 200),
        (5, 422),
        (6, 422),
        (7, 201),
    ]
    assert results[4]["error"]["path"] == "price"
    assert cars.get("/v1/collections/cars/documents/b1").json()["price"] == 1
    assert cars.post("/v1/collections/cars/count", json={}).json()["count"] == 5


def test_documents_that_exist_can_be_refused(cars: TestClient) -> None:
    body = b'{"id": "a1"}\n{"id": "new"}\n'
    answer = cars.post(f"{BULK}?if_absent=true", content=body, headers=NDJSON)
    assert [each["status"] for each in results_of(answer.content)] == [412, 201]


def test_a_bulk_request_of_nothing_has_no_results(cars: TestClient) -> None:
    assert cars.post(BULK, content=b"\n\n", headers=NDJSON).content == b""


def test_a_bulk_request_to_nowhere_or_of_another_type_is_a_problem(cars: TestClient) -> None:
    nowhere = cars.post(BULK.replace("cars", "nowhere"), content=b"{}\n", headers=NDJSON)
    assert nowhere.status_code == 404
    wrong = cars.post(BULK, content=b"{}\n", headers={"content-type": "text/csv"})
    assert (wrong.status_code, wrong.json()["code"]) == (415, "unsupported-media-type")


def test_a_line_of_a_hundred_megabytes_is_one_error_in_bounded_memory(serve: Serve) -> None:
    server = serve(line_bytes_max=1_000_000)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.put("/v1/collections/cars", json={})

        def body() -> Iterator[bytes]:
            yield b'{"id": "first"}\n'
            piece = b"x" * 1_000_000
            for _ in range(100):
                yield piece
            yield b'\n{"id": "last"}\n'

        tracemalloc.start()
        answer = client.post(BULK, content=body(), headers=NDJSON)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        results = results_of(answer.content)
        assert [each["status"] for each in results] == [201, 413, 201]
        assert results[1]["error"]["code"] == "too-large"
        assert peak < 20_000_000


def test_a_client_that_sends_all_before_it_reads_is_served(serve: Serve) -> None:
    server = serve()
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    count = 30_000
    body = b"".join(b'{"id": "%d"}\n' % number for number in range(count))
    with server.connection() as connection:
        connection.sendall(
            b"POST " + BULK.encode() + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            b"content-type: application/x-ndjson\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        connection.sendall(body)
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    results = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", answer)
    assert results.count(b'"status":201') == count


def test_results_come_while_the_body_still_does(serve: Serve) -> None:
    server = serve()
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    with server.connection() as connection:
        connection.sendall(
            b"POST " + BULK.encode() + b" HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        lines = b'{"price": 1}\n' * 5_000
        connection.sendall(b"%x\r\n%b\r\n" % (len(lines), lines))
        seen = b""
        while b'"line":2000' not in seen:
            seen += connection.recv(65536)
        connection.sendall(b"0\r\n\r\n")
        while b'"line":5000' not in seen:
            seen += connection.recv(65536)


@pytest.mark.parametrize("is_slow", [True, False])
def test_of_a_body_that_is_cut_off_no_half_line_is_written(serve: Serve, is_slow: bool) -> None:
    server = serve(body_seconds=0.2, header_seconds=0.5)
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    with server.connection() as connection:
        connection.sendall(
            b"POST " + BULK.encode() + b" HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n"
            b'{"id": "whole"}\n{"id": "half'
        )
        if is_slow:
            answer = received(connection)
            assert b'"line":1,"status":201' in answer
            assert b'"line":2,"status":408' in answer
    found = httpx.get(f"{server.url}/v1/collections/cars/documents").json()["documents"]
    # What a client sent that went away at once may not even have been looked at.
    assert [each["key"] for each in found] in ([["whole"]] if is_slow else [["whole"], []])


def test_a_bulk_request_sent_again_under_its_key_is_done_once(cars: TestClient) -> None:
    headers = {**NDJSON, "idempotency-key": "load-1"}
    body = b'{"price": 1}\n{"id": "b1", "price": 2}\n{"id": "a1"}\n'
    url = f"{BULK}?if_absent=true"
    first = results_of(cars.post(url, content=body, headers=headers).content)
    assert [each["status"] for each in first] == [201, 201, 412]
    again = results_of(cars.post(url, content=body, headers=headers).content)
    assert again[:2] == first[:2]
    other = cars.post(url, content=body, headers={**NDJSON, "idempotency-key": "load-2"})
    assert [each["status"] for each in results_of(other.content)] == [201, 412, 412]


def test_a_client_that_waits_for_each_result_gets_it(serve: Serve) -> None:
    server = serve(body_seconds=10)
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    with server.connection() as connection:
        connection.sendall(
            b"POST " + BULK.encode() + b" HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        seen = b""
        for number in range(1, 4):
            line = b'{"id": "w%d"}\n{"id": "half' % number
            connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))
            while b'"key":"w%d"' % number not in seen:
                seen += connection.recv(65536)
            found = httpx.get(f"{server.url}/v1/collections/cars/documents/w{number}")
            assert found.status_code == 200
            rest = b'%d"}\n' % number
            connection.sendall(b"%x\r\n%b\r\n" % (len(rest), rest))
        connection.sendall(b"0\r\n\r\n")
        while b'"key":"half3"' not in seen:
            seen += connection.recv(65536)
    lines = [int(each) for each in re.findall(rb'"line":(\d+)', seen)]
    assert lines == list(range(1, 7))
