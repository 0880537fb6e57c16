"""What a request is told whose collection is dropped while it is under way."""

import json
from typing import Any

import httpx2 as httpx
import pytest

from docstore import Store
from tests.api.http.conftest import Running, Serve, received

CARS = "/v1/collections/cars"


def _put_over_a_drop(server: Running, *, is_made_anew: bool) -> tuple[int, dict[str, object]]:
    """The answer to a PUT whose collection goes between its head and the end of its body."""
    httpx.put(server.url + CARS, json={})
    with server.connection() as connection:
        connection.sendall(
            f"PUT {CARS}/documents/a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            "content-type: application/json\r\ncontent-length: 10\r\n\r\n{".encode()
        )
        # What is asked after it on the same loop is answered after it was begun.
        while httpx.get(f"{server.url}/metrics").status_code != 200:
            continue
        assert httpx.delete(server.url + CARS).status_code == 204
        if is_made_anew:
            httpx.put(server.url + CARS, json={})
        connection.sendall(b'"id":"a"}')
        head, _, body = received(connection).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    ("is_made_anew", "status", "code", "retryable"),
    [(False, 404, "not-found", False), (True, 503, "unavailable", True)],
)
def test_a_collection_that_was_dropped_meanwhile_is_gone(
    serve: Serve, is_made_anew: bool, status: int, code: str, retryable: bool
) -> None:
    told, problem = _put_over_a_drop(serve(), is_made_anew=is_made_anew)
    assert (told, problem["code"], problem["retryable"]) == (status, code, retryable)


@pytest.mark.parametrize(
    ("is_made_anew", "status", "code", "retryable"),
    [(False, 404, "not-found", False), (True, 503, "unavailable", True)],
)
@pytest.mark.parametrize(
    ("path", "line"),
    [("documents:bulk", '{"id":"%s"}'), ("documents:write", '{"put":{"id":"%s"}}')],
)
def test_each_line_of_a_stream_says_that_its_collection_is_gone(
    serve: Serve, path: str, line: str, is_made_anew: bool, status: int, code: str, retryable: bool
) -> None:
    server = serve()
    httpx.put(server.url + CARS, json={})
    with server.connection() as connection, connection.makefile("rb") as answer:
        connection.sendall(
            f"POST {CARS}/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            "content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )

        def told(*keys: str) -> list[dict[str, Any]]:
            lines = "".join(line % key + "\n" for key in keys).encode()
            connection.sendall(b"%x\r\n%b\r\n" % (len(lines), lines))
            results: list[dict[str, Any]] = []
            while len(results) < len(keys):
                if (text := answer.readline()).startswith(b"{"):
                    results.append(json.loads(text))
            return results

        assert [each["status"] for each in told("a")] == [201]
        assert httpx.delete(server.url + CARS).status_code == 204
        if is_made_anew:
            httpx.put(server.url + CARS, json={})
        for batch in (["b", "c"], ["d"]):  # the stream goes on: its next lines are told the same
            refused = told(*batch)
            assert [(each["status"], each["key"]) for each in refused] == [
                (status, key) for key in batch
            ]
            errors = [each["error"] for each in refused]
            assert {(each["code"], each["retryable"]) for each in errors} == {(code, retryable)}
        connection.sendall(b"0\r\n\r\n")
        assert answer.read().strip() == b"0"
    if is_made_anew:
        assert httpx.post(f"{server.url}{CARS}/count", json={}).json() == {"count": 0}


def test_what_is_hot_is_told_beside_a_collection_that_goes(store: Store) -> None:
    store.create_collection("cars").put({"id": "a"})
    assert [each.key for each in store.hot_keys(collections=["gone", "cars"])] == ["a"]
    assert store.hot_terms(collections=["gone", "cars"]) == []


@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson"])
def test_a_stream_of_a_collection_that_goes_ends_by_saying_so(serve: Serve, kind: str) -> None:
    server = serve()
    httpx.put(server.url + CARS, json={})
    httpx.put(f"{server.url}{CARS}/documents/a", json={})
    asked = {"accept": kind}
    url = f"{server.url}{CARS}/changes?follow=true"
    with httpx.stream("GET", url, headers=asked, timeout=20) as stream:
        lines = stream.iter_lines()
        assert '"a"' in next(line for line in lines if "{" in line)
        assert httpx.delete(server.url + CARS).status_code == 204
        (last,) = [line for line in lines if "{" in line]
    assert json.loads(last.removeprefix("data: "))["code"] == "not-found"
