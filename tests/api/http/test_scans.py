"""Scans over HTTP: every document once and in order, page by page, forwards and backwards."""

from itertools import chain
from typing import Any

import pytest
from starlette.testclient import TestClient

DOCUMENTS = "/v1/collections/many/documents"
KEYS = sorted(["..", "~t", "a/b", "ü", *(f"k{number:03}" for number in range(30))])


@pytest.fixture
def many(client: TestClient) -> TestClient:
    client.put("/v1/collections/many", json={"partitions": 3})
    body = "".join('{"id": "%s"}\n' % key for key in KEYS)  # noqa: UP031  braces of JSON
    headers = {"content-type": "application/x-ndjson"}
    assert client.post(f"{DOCUMENTS}:bulk", content=body, headers=headers).status_code == 200
    return client


def pages(client: TestClient, **parameters: Any) -> list[list[str]]:
    found = []
    cursor: str | None = None
    while True:
        asked = parameters | ({} if cursor is None else {"cursor": cursor})
        page = client.get(DOCUMENTS, params=asked)
        assert page.status_code == 200, page.text
        found.append([each["key"] for each in page.json()["documents"]])
        cursor = page.json()["next"]
        assert (cursor is None) == ("link" not in page.headers)
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("reverse", ["false", "true"])
def test_pages_hold_every_document_once_in_order(
    many: TestClient, limit: int, reverse: str
) -> None:
    found = pages(many, limit=limit, reverse=reverse)
    assert all(len(page) <= limit for page in found)
    expected = KEYS[::-1] if reverse == "true" else KEYS
    assert [key for page in found for key in page] == expected


def test_a_scan_keeps_to_its_bounds(many: TestClient) -> None:
    bounded = chain(*pages(many, **{"from": "k003", "to": "k010"}, limit=3))
    assert list(bounded) == [f"k{number:03}" for number in range(3, 10)]
    begun = chain(*pages(many, prefix="k01", limit=4))
    assert list(begun) == [f"k{number:03}" for number in range(10, 20)]


def test_the_link_leads_to_the_next_page(many: TestClient) -> None:
    first = many.get(DOCUMENTS, params={"prefix": "k0", "limit": 3})
    link = first.headers["link"].removeprefix("<").partition(">")[0]
    assert [each["key"] for each in many.get(link).json()["documents"]] == ["k003", "k004", "k005"]


def test_no_scan_goes_on_with_the_cursor_of_another(many: TestClient) -> None:
    cursor = many.get(DOCUMENTS, params={"limit": 1}).json()["next"]
    assert many.get(DOCUMENTS, params={"limit": 5, "cursor": cursor}).status_code == 200
    many.put("/v1/collections/few", json={})
    for path, others in [
        (DOCUMENTS, {"prefix": "k"}),
        (DOCUMENTS, {"from": "a"}),
        (DOCUMENTS, {"reverse": "true"}),
        ("/v1/collections/few/documents", {}),
    ]:
        refused = many.get(path, params={"cursor": cursor, **others})
        assert (refused.status_code, refused.json()["path"]) == (400, "cursor")


@pytest.mark.parametrize("cursor", ["x", "!!!!", "bnVsbA", "WyJhIl0", "W10", "WyJhIix0cnVlXQ", "ü"])
def test_a_cursor_that_is_none_is_refused(many: TestClient, cursor: str) -> None:
    refused = many.get(DOCUMENTS, params={"cursor": cursor})
    assert (refused.status_code, refused.json()["path"]) == (400, "cursor")


def test_a_page_that_is_too_large_is_refused(many: TestClient) -> None:
    refused = many.get(DOCUMENTS, params={"limit": 1_001})
    assert (refused.status_code, refused.json()["path"]) == (400, "limit")
