"""Errors over HTTP: every kind of the tree has its status; no answer tells more than it should."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.http import refusals
from api.http.problems import STATUSES, problem, problem_response
from docstore import Corruption, DocstoreError, Unavailable
from tests.api.http.conftest import Connect


def tree(root: type[DocstoreError]) -> Iterator[type[DocstoreError]]:
    yield root
    for kind in root.__subclasses__():
        if kind.__module__.partition(".")[0] in ("api", "docstore", "indexing"):
            yield from tree(kind)


def test_the_table_holds_the_whole_error_tree_and_nothing_else() -> None:
    assert refusals.Busy in STATUSES
    assert set(STATUSES) == set(tree(DocstoreError))


def test_the_codes_that_clients_branch_on_are_pinned() -> None:
    assert {kind.code: status for kind, (status, _) in STATUSES.items()} == {
        "error": 500,
        "invalid-request": 400,
        "invalid-document": 422,
        "invalid-query": 400,
        "invalid-schema": 422,
        "invalid-cluster": 400,
        "not-found": 404,
        "log-trimmed": 410,
        "already-exists": 409,
        "version-conflict": 412,
        "unavailable": 503,
        "corruption": 500,
        "closed": 503,
        "unauthorized": 401,
        "forbidden": 403,
        "untrusted-host": 403,
        "cross-site": 403,
        "unknown-route": 404,
        "method-not-allowed": 405,
        "not-acceptable": 406,
        "body-timeout": 408,
        "incomplete-body": 400,
        "too-large": 413,
        "head-too-large": 431,
        "head-timeout": 408,
        "unsupported-media-type": 415,
        "busy": 503,
        "deadline-exceeded": 504,
    }


def test_an_answer_tells_no_path_of_the_file_system() -> None:
    error = Corruption("cannot read /var/lib/store/cars/shards/0/documents.mdb", file="/etc/x/y")
    told = problem(error, "id")
    assert told["detail"] == "cannot read documents.mdb"
    assert told["data"] == {"file": "y"}


def test_a_retryable_error_says_when_to_come_back() -> None:
    busy = problem_response(Unavailable("full", retryable=True), "id")
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    for path in ("/nothing", "/v1/collections/", "/v1/collections/a/b/c", "/v1//"):
        lost = client.get(path)
        assert (lost.status_code, lost.json()["code"]) == (404, "unknown-route"), path
    wrong = client.post("/v1/collections/cars")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "PUT, GET, DELETE, HEAD")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_collection_that_is_not_there_is_not_found(client: TestClient, method: str) -> None:
    lost = client.request(method, "/v1/collections/nowhere")
    assert (lost.status_code, lost.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc", "a%00b", "%ff", ".x", "a b"])
def test_a_name_that_is_no_collection_reaches_no_file(client: TestClient, name: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        body: dict[str, int] | None = {} if method == "PUT" else None
        refused = client.request(method, f"http://localhost/v1/collections/{name}", json=body)
        assert refused.status_code in (404, 405, 422), (method, refused.text)
        assert refused.headers["content-type"] == "application/problem+json"


def test_a_request_keeps_its_id_and_a_dangerous_one_gets_another(client: TestClient) -> None:
    assert client.get("/x", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    for bad in (b"a\xffb", b"a b", b"x" * 65, b""):
        given = client.get("/x", headers={b"x-request-id": bad})
        assert len(given.headers["x-request-id"]) == 16
        assert given.json()["request_id"] == given.headers["x-request-id"]


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for answer in (client.get("/v1/collections"), client.get("/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_other_origins_are_let_in_only_when_the_settings_say_so(connect: Connect) -> None:
    headers = {"origin": "https://site.example"}
    assert (
        "access-control-allow-origin"
        not in connect().get("/v1/collections", headers=headers).headers
    )
    client = connect(cors_origins=("https://site.example",))
    allowed = client.get("/v1/collections", headers=headers)
    assert allowed.headers["access-control-allow-origin"] == "https://site.example"
    other = client.get("/v1/collections", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
