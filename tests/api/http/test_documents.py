"""Documents over HTTP: versions, conditions, patches, generated keys, retries, keys in paths."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.http.conftest import CARS

DOCUMENTS = "/v1/collections/cars/documents"

JSON = {"content-type": "application/json"}


def test_a_document_comes_back_as_it_was_put_with_its_version_as_etag(cars: TestClient) -> None:
    found = cars.get(f"{DOCUMENTS}/a1")
    assert (found.status_code, found.json()) == (200, CARS[0])
    assert found.headers["etag"].startswith('"1-')
    again = cars.put(f"{DOCUMENTS}/a1", json={**CARS[0], "price": 9000})
    seq = again.json()["position"].rpartition(":")[2]
    assert again.status_code == 200
    assert again.headers["etag"].startswith(f'"2-{seq}-')
    assert again.json()["position"] == again.headers["docstore-position"]
    changed = cars.get(f"{DOCUMENTS}/a1")
    assert (changed.json()["price"], changed.headers["etag"]) == (9000, again.headers["etag"])


def test_a_reader_that_has_the_version_is_told_so(cars: TestClient) -> None:
    tag = cars.get(f"{DOCUMENTS}/a1").headers["etag"]
    found = cars.get(f"{DOCUMENTS}/a1", headers={"if-none-match": f'W/{tag}, "7"'})
    assert (found.status_code, found.content, found.headers["etag"]) == (304, b"", tag)
    assert cars.get(f"{DOCUMENTS}/a1", headers={"if-none-match": '"2"'}).status_code == 200


def test_an_etag_is_never_that_of_another_document(cars: TestClient) -> None:
    path = f"{DOCUMENTS}/a1"
    tag = cars.get(path).headers["etag"]
    cars.delete(path)
    anew = cars.put(path, json={"make": "Kia"})
    assert (anew.json()["version"], tag != anew.headers["etag"]) == (1, True)
    assert cars.get(path, headers={"if-none-match": tag}).json()["make"] == "Kia"
    for method, body in (("PUT", {"make": "BMW"}), ("PATCH", {"price": 1}), ("DELETE", None)):
        refused = cars.request(method, path, headers={"if-match": tag}, json=body)
        assert (refused.status_code, refused.json()["data"]["current"]) == (412, 1)
        assert refused.headers["etag"] == anew.headers["etag"]
    seq = int(tag.split("-")[1])
    lines = [{"delete": "a1", "if_seq": seq}, {"put": {"id": "a1"}, "if_seq": seq}]
    written = cars.post(
        f"{DOCUMENTS}:write",
        content="".join(json.dumps(line) + "\n" for line in lines),
        headers={"content-type": "application/x-ndjson"},
    )
    assert [json.loads(line)["status"] for line in written.iter_lines()] == [412, 412]
    assert cars.get(path).json() == {"id": "a1", "make": "Kia"}


def test_an_etag_lets_one_change_through_and_a_retry_of_it(cars: TestClient) -> None:
    path, retried = f"{DOCUMENTS}/a1", {"idempotency-key": "one"}
    for body in ({"price": 1}, {"price": None, "make": "Kia"}):
        tag = cars.get(path).headers["etag"]
        asked = {"if-match": tag, "idempotency-key": f"change {body['price']}"}
        first = cars.patch(path, headers=asked, json=body)
        assert (first.status_code, cars.patch(path, headers=asked, json=body).json()) == (
            200,
            first.json(),
        )
        assert cars.patch(path, headers={"if-match": tag}, json=body).status_code == 412
    deleted = cars.delete(path, headers={"if-match": first.headers["etag"], **retried})
    assert deleted.json()["deleted"]
    gone = cars.patch(path, headers={"if-match": first.headers["etag"]}, json={"price": 1})
    assert (gone.status_code, gone.json()["code"]) == (404, "not-found")


def test_head_answers_like_get_without_the_body(cars: TestClient) -> None:
    assert (
        cars.head(f"{DOCUMENTS}/a1").headers["etag"] == cars.get(f"{DOCUMENTS}/a1").headers["etag"]
    )
    assert cars.head(f"{DOCUMENTS}/nobody").status_code == 404


@pytest.mark.parametrize(
    ("method", "headers", "current"),
    [
        ("PUT", {"if-match": '"7"'}, 1),
        ("PUT", {"if-none-match": "*"}, 1),
        ("PATCH", {"if-match": '"7"'}, 1),
        ("DELETE", {"if-match": '"7"'}, 1),
    ],
)
def test_a_condition_that_does_not_hold_is_a_412_with_the_current_version(
    cars: TestClient, method: str, headers: dict[str, str], current: int
) -> None:
    body = None if method == "DELETE" else {"price": 1}
    refused = cars.request(method, f"{DOCUMENTS}/a1", headers=headers, json=body)
    assert refused.status_code == 412
    problem = refused.json()
    assert (problem["code"], problem["data"]["current"]) == ("version-conflict", current)
    assert refused.headers["etag"] == cars.get(f"{DOCUMENTS}/a1").headers["etag"]
    assert cars.get(f"{DOCUMENTS}/a1").json() == CARS[0]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_write_of_what_must_be_there_conflicts_when_it_is_not(
    cars: TestClient, method: str
) -> None:
    body = None if method == "DELETE" else {"price": 1}
    refused = cars.request(method, f"{DOCUMENTS}/no", headers={"if-match": "*"}, json=body)
    assert (refused.status_code, refused.json()["data"]["current"]) == (412, 0)


def test_conditions_that_hold_let_a_write_through(cars: TestClient) -> None:
    put = cars.put(f"{DOCUMENTS}/a1", json={"price": 1}, headers={"if-match": '"1"'})
    assert put.json()["version"] == 2
    made = cars.put(f"{DOCUMENTS}/b1", json={"price": 2}, headers={"if-none-match": "*"})
    assert (made.status_code, made.headers["location"]) == (201, f"{DOCUMENTS}/b1")
    assert cars.delete(f"{DOCUMENTS}/a1", headers={"if-match": '"2"'}).json()["deleted"] is True
    assert cars.delete(f"{DOCUMENTS}/a1").json()["deleted"] is False


def test_a_merge_patch_changes_some_fields_and_null_removes_one(cars: TestClient) -> None:
    patched = cars.patch(
        f"{DOCUMENTS}/a1",
        content=b'{"price": 1, "about": null}',
        headers={"content-type": "application/merge-patch+json"},
    )
    assert patched.json()["version"] == 2
    expected = {name: value for name, value in CARS[0].items() if name != "about"}
    assert cars.get(f"{DOCUMENTS}/a1").json() == {**expected, "price": 1}
    assert cars.patch(f"{DOCUMENTS}/no", json={"price": 1}).status_code == 404


def test_a_posted_document_gets_a_key_and_a_location(cars: TestClient) -> None:
    posted = cars.post(DOCUMENTS, json={"make": "Kia", "price": 5})
    assert posted.status_code == 201
    assert cars.get(posted.headers["location"]).json()["id"] == posted.json()["key"]
    taken = cars.post(DOCUMENTS, json=CARS[0])
    assert (taken.status_code, taken.json()["code"]) == (409, "already-exists")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_retried_write_is_done_once_and_answered_the_same(cars: TestClient, method: str) -> None:
    path = DOCUMENTS if method == "POST" else f"{DOCUMENTS}/x"
    headers = {"idempotency-key": '"0190-once"'}
    first, second = (
        cars.request(method, path, json={"price": 5}, headers=headers) for _ in range(2)
    )
    assert first.json() == second.json()
    count = cars.post("/v1/collections/cars/count", json={}).json()["count"]
    assert count == len(CARS) + 1


@pytest.mark.parametrize(
    "key",
    ["with space", "a/b", "/", "..", ".", "~x", "ü€", "a%2Fb", "a?b#c", "[1]", "a,b", '"', "\n"],
)
def test_every_string_is_a_key_in_a_path(cars: TestClient, key: str) -> None:
    posted = cars.post(DOCUMENTS, json={"id": key, "price": 1})
    assert posted.status_code == 201
    assert posted.json()["key"] == key
    assert cars.get(posted.headers["location"]).json() == {"id": key, "price": 1}
    assert cars.delete(posted.headers["location"]).json()["deleted"] is True


def test_a_compound_key_is_a_list_in_a_path_and_in_json(client: TestClient) -> None:
    definition = {
        "key": ["seller", "listed"],
        "schema": {"fields": {"seller": "keyword", "listed": "datetime", "price": "int"}},
    }
    assert client.put("/v1/collections/offers", json=definition).status_code == 201
    offers = "/v1/collections/offers/documents"
    offer = {"seller": "s,1", "listed": "2024-02-01T00:00:00Z", "price": 3}
    posted = client.post(offers, json=offer)
    assert posted.json()["key"][0] == "s,1"
    assert client.get(posted.headers["location"]).json() == offer
    many = client.post(
        f"{offers}:get-many", json={"keys": [posted.json()["key"], ["x", offer["listed"]]]}
    )
    assert many.json()["documents"] == [offer, None]


def test_documents_are_read_by_many_keys_in_their_order(cars: TestClient) -> None:
    found = cars.post(f"{DOCUMENTS}:get-many", json={"keys": ["a3", "nobody", "a1"]})
    assert found.json()["documents"] == [CARS[2], None, CARS[0]]


@pytest.mark.parametrize(
    ("document", "status", "path"),
    [
        ({"price": "cheap"}, 422, "price"),
        ({"colour": "red"}, 422, "colour"),
        ({"id": "other"}, 422, "id"),
        ([1], 422, None),
    ],
)
def test_a_document_that_does_not_fit_is_refused_naming_the_field(
    cars: TestClient, document: Any, status: int, path: str | None
) -> None:
    refused = cars.put(f"{DOCUMENTS}/z", json=document)
    assert (refused.status_code, refused.json().get("path")) == (status, path)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["hint"]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_a_whole_number_beyond_64_bits_is_refused_rather_than_changed(
    client: TestClient, number: int
) -> None:
    path = "/v1/collections/things"
    client.put(path, json={})
    for form in (f'{{"n": {number}}}', f'{{"a": [1.5, {{"n": {number}}}]}}'):
        refused = client.put(f"{path}/documents/a", content=form, headers=JSON)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-document")
        lines = {"content-type": "application/x-ndjson"}
        bulk = client.post(f"{path}/documents:bulk", content=form, headers=lines)
        assert bulk.json()["status"] == 422
    exact = f'{{"n":{2**64 - 1},"m":{-(2**63)},"f":1e+30,"id":"a"}}'
    assert client.put(f"{path}/documents/a", content=exact, headers=JSON).status_code == 201
    assert client.get(f"{path}/documents/a").text == exact
