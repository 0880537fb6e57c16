"""Bad input over a real socket: each is a precise problem, and the server goes on."""

import json
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from tests.api.http.conftest import Connect, Serve, received

SEARCH = "/v1/collections/cars/search"
DOCUMENT = "/v1/collections/cars/documents/x"


def problem_in(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    problem: dict[str, Any] = json.loads(body)
    return problem


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid-request"),
        (b"{", "invalid-request"),
        (b'{"q": "\xff"}', "invalid-request"),
        (b'{"q": "\\ud800"}', "invalid-request"),
        (b'{"limit": NaN}', "invalid-request"),
        (b"[]", "invalid-request"),
        (b"null", "invalid-request"),
        (b'{"limit": 1e400}', "invalid-request"),
        (b'{"limit": 99999999999999999999999999}', "invalid-query"),
        (b'{"q": {"$ne": 1}}', "invalid-query"),
        (b'{"query": {"match": {"a": "b", "c": "d"}}}', "invalid-query"),
        (b'{"query": {"regexp": {"make": "((((a+)+)+)+"}}}', "invalid-query"),
    ],
)
def test_a_body_that_is_no_search_is_told_so(cars: TestClient, body: bytes, code: str) -> None:
    headers = {"content-type": "application/json"}
    refused = cars.post(SEARCH, content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, code)


def nested(levels: int) -> bytes:
    return (
        b'{"query": ' + b'{"bool":{"must":' * levels + b'{"match_all":{}}' + b"}}" * levels + b"}"
    )


@pytest.mark.parametrize("levels", [33, 400, 2_000_000 // 18])
def test_nested_bools_are_refused_whatever_their_depth(connect: Connect, levels: int) -> None:
    client = connect(search_bytes_max=4_000_000)
    client.put("/v1/collections/cars", json={})
    refused = client.post(
        SEARCH, content=nested(levels), headers={"content-type": "application/json"}
    )
    assert refused.status_code == 400
    assert refused.json()["code"] in ("invalid-query", "invalid-request")
    assert "nested" in refused.json()["hint"]


def test_more_clauses_than_allowed_are_refused(connect: Connect) -> None:
    client = connect(query_clauses_max=3, query_depth_max=2)
    client.put("/v1/collections/cars", json={})
    wide: Any = {"query": {"bool": {"should": [{"match_all": {}}] * 3}}}
    assert client.post(SEARCH, json=wide).json()["path"] == "bool.should[2]"
    deep: Any = {"query": {"bool": {"must": {"bool": {"must": {"match_all": {}}}}}}}
    assert client.post(SEARCH, json=deep).status_code == 400


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, "no content type"),
        ({"content-type": "text/plain"}, "text/plain"),
        ({"content-type": "application/json; charset=latin-1"}, "latin-1"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "gzip"),
    ],
)
def test_a_body_of_another_kind_is_refused(
    cars: TestClient, headers: dict[str, str], named: str
) -> None:
    refused = cars.post(SEARCH, content=b"{}", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-media-type")
    assert named in refused.json()["detail"]


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused_and_the_connection_goes_on(
    serve: Serve, announced: bool
) -> None:
    server = serve(search_bytes_max=10_000)
    body = b" " * 3_000_000
    content = body if announced else iter([body])
    with httpx.Client(base_url=server.url) as client:
        client.put("/v1/collections/cars", json={})
        headers = {"content-type": "application/json"}
        refused = client.post(SEARCH, content=content, headers=headers)
        assert (refused.status_code, refused.json()["data"]["bytes_max"]) == (413, 10_000)
        assert client.post(SEARCH, json={}).status_code == 200


def test_a_document_that_is_too_large_is_refused(connect: Connect) -> None:
    client = connect(document_bytes_max=2_000, body_bytes_max=3_000)
    client.put("/v1/collections/cars", json={})
    for size in (2_000, 3_000):
        refused = client.put(DOCUMENT, json={"text": "x" * size})
        assert (refused.status_code, refused.json()["code"]) == (413, "too-large")
    assert client.put(DOCUMENT, json={"text": "x" * 1_900}).status_code == 201


def test_a_body_that_does_not_come_is_waited_for_only_so_long(serve: Serve) -> None:
    server = serve(body_seconds=0.2)
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    with server.connection() as connection:
        connection.sendall(
            b"PUT " + DOCUMENT.encode() + b" HTTP/1.1\r\nhost: localhost\r\n"
            b'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"a"'
        )
        answer = connection.recv(65536)
    assert problem_in(answer)["code"] == "body-timeout"
    assert httpx.get(f"{server.url}{DOCUMENT}").status_code == 404


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ", "head-timeout"),
        (b"nonsense\r\n\r\n", "invalid-request"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", "head-too-large"),
        (b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n", "invalid-request"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\na: b\rset-cookie: c\r\n\r\n", "invalid-request"),
        (b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n", "invalid-request"),
    ],
)
def test_what_is_no_request_is_a_problem_too(serve: Serve, head: bytes, code: str) -> None:
    assert problem_in(serve(header_seconds=0.2).exchange(head))["code"] == code


@pytest.mark.parametrize("name", [b"Upgrade", b"upgrade"])
def test_who_offers_to_speak_another_protocol_is_answered_in_this_one(
    serve: Serve, name: bytes
) -> None:
    server = serve()
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    head = (
        b"PUT " + DOCUMENT.encode() + b" HTTP/1.1\r\nhost: localhost\r\n"
        b"connection: Upgrade, HTTP2-Settings\r\n" + name + b": h2c\r\n"
        b"content-type: application/json\r\ncontent-length: 26\r\n\r\n"
    )
    with server.connection() as connection:
        for body in (b'{"text": "\\r\\nupgrade: x"}', b'{"text": "\\r\\nupgrade: y"}'):
            connection.sendall(head + body)
            assert b'"key":"x"' in connection.recv(65536)
            assert httpx.get(server.url + DOCUMENT).json()["text"] == json.loads(body)["text"]


def test_headers_without_an_end_are_cut_off(serve: Serve) -> None:
    server = serve(header_bytes_max=10_000)
    with server.connection() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 1_600)
        connection.sendall(b"x: y\r\n" * 1_600)
        answer = received(connection)
    assert problem_in(answer)["code"] == "head-too-large"


def test_a_silent_connection_is_closed(serve: Serve) -> None:
    assert serve(header_seconds=0.1).exchange(b"") == b""


def test_more_connections_than_allowed_are_turned_away(serve: Serve) -> None:
    server = serve(connections_max=1)
    with server.connection() as first:
        first.sendall(b"GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert first.recv(65536).startswith(b"HTTP/1.1 404")
        assert problem_in(server.exchange(b""))["code"] == "busy"


@pytest.mark.parametrize("key", ["%ff", "a%80b"])
def test_a_key_that_is_not_utf8_is_refused(cars: TestClient, key: str) -> None:
    refused = cars.get(f"http://localhost/v1/collections/cars/documents/{key}")
    assert (refused.status_code, refused.json()["path"]) == (400, "key")


@pytest.mark.parametrize("key", ["~", "~!!", "~AAAA~", "~" + "A" * 2000, "x" * 512])
def test_a_text_that_is_no_key_is_refused(cars: TestClient, key: str) -> None:
    refused = cars.get(f"/v1/collections/cars/documents/{key}")
    assert refused.status_code in (400, 404, 422)
    assert refused.json()["hint"]


def test_script_in_a_document_stays_text(cars: TestClient) -> None:
    script = "<script>alert(1)</script>"
    cars.put(DOCUMENT, json={"model": script})
    found = cars.get(DOCUMENT)
    assert found.json()["model"] == script
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-content-type-options"] == "nosniff"


def test_a_header_cannot_be_injected_through_a_key(cars: TestClient) -> None:
    key = "x\r\nset-cookie: stolen"
    posted = cars.post("/v1/collections/cars/documents", json={"id": key})
    assert "set-cookie" not in posted.headers
    assert cars.get(posted.headers["location"]).json()["id"] == key
