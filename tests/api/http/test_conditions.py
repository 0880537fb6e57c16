"""Entity tags: what they let through, in every form in which they are sent."""

import pytest
from starlette.testclient import TestClient

from tests.api.http.conftest import Connect

PATH = "/v1/collections/cars/documents/a1"


def _tag(cars: TestClient) -> str:
    return cars.get(PATH).headers["etag"]


@pytest.mark.parametrize("tag", ["3", "", '"1" "2"', '"1', '*, "1"', "W/1", '"1", 2', "\t", ","])
def test_what_is_no_list_of_entity_tags_is_refused(cars: TestClient, tag: str) -> None:
    for method, body in (("GET", None), ("PUT", {"price": 1}), ("DELETE", None)):
        refused = cars.request(method, PATH, headers={"if-match": tag}, json=body)
        assert (refused.status_code, refused.json()["path"]) == (400, "if-match")


@pytest.mark.parametrize(
    "form", ["{}", '"7-7", {}', '{} , "x"', 'W/"x,1",{},', '"7",{},W/"1"', '"1"', '"x","1"']
)
def test_one_tag_of_a_list_is_enough(cars: TestClient, form: str) -> None:
    for method, body in (("PATCH", {"price": 1}), ("PUT", {"price": 2}), ("DELETE", None)):
        tags = form.format(_tag(cars)).replace('"1"', f'"{cars.get(PATH).headers["etag"][1]}"')
        assert cars.get(PATH, headers={"if-match": tags}).status_code == 200
        done = cars.request(method, PATH, headers={"if-match": tags}, json=body)
        assert done.status_code == 200
        again = cars.request(method, PATH, headers={"if-match": tags}, json=body)
        assert again.status_code in (404, 412)


@pytest.mark.parametrize("form", ["W/{}", '"x"', '"7", "8-1"', '"1-1-1-1"', '"01x"'])
def test_a_tag_that_does_not_match_changes_nothing(cars: TestClient, form: str) -> None:
    tag = _tag(cars)
    before, tags = cars.get(PATH).json(), form.format(tag)
    for method, body in (("PUT", {"price": 1}), ("PATCH", {"price": 1}), ("DELETE", None)):
        refused = cars.request(method, PATH, headers={"if-match": tags}, json=body)
        assert (refused.status_code, refused.json()["data"]["current"]) == (412, 1)
        assert refused.headers["etag"] == tag
    assert cars.get(PATH, headers={"if-match": tags}).status_code == 412
    assert cars.get(PATH, headers={"if-match": "*"}).json() == before


def test_two_lines_of_a_header_are_one_list(cars: TestClient) -> None:
    wanted = [("if-match", '"7"'), ("if-match", _tag(cars))]
    assert cars.put(PATH, json={"price": 1}, headers=wanted).status_code == 200
    assert cars.put(PATH, json={"price": 2}, headers=wanted).status_code == 412


def test_a_list_lets_a_retry_through(cars: TestClient) -> None:
    asked = {"if-match": f'"9", {_tag(cars)}', "idempotency-key": "once"}
    first = cars.put(PATH, json={"price": 1}, headers=asked)
    assert cars.put(PATH, json={"price": 1}, headers=asked).json() == first.json()


def test_a_collection_made_anew_has_other_tags(cars: TestClient) -> None:
    cars.put("/v1/collections/others", json={})
    cars.put("/v1/collections/again", json={})
    path = "/v1/collections/again/documents/a1"
    old = cars.put(path, json={"of": "old"}).headers["etag"]
    cars.delete("/v1/collections/again")
    cars.put("/v1/collections/again", json={})
    new = cars.put(path, json={"of": "new"}).headers["etag"]
    assert old.rpartition("-")[0] == new.rpartition("-")[0]
    assert cars.get(path, headers={"if-none-match": old}).json()["of"] == "new"
    assert cars.get(path, headers={"if-none-match": new}).status_code == 304
    for tag in (old, _tag(cars)):
        refused = cars.put(path, json={"of": "me"}, headers={"if-match": tag})
        assert (refused.status_code, refused.headers["etag"]) == (412, new)
    assert cars.get(path).json()["of"] == "new"
    other = cars.put("/v1/collections/others/documents/a1", json={}).headers["etag"]
    assert other != new


def test_a_tag_lives_as_long_as_its_document(connect: Connect, cars: TestClient) -> None:
    tag = _tag(cars)
    again = connect()
    assert again.get(PATH, headers={"if-none-match": tag}).status_code == 304
    assert again.put(PATH, json={"price": 1}, headers={"if-match": tag}).status_code == 200


@pytest.mark.parametrize("header", ["if-match", "if-none-match"])
@pytest.mark.parametrize("kind", ["bulk", "write"])
def test_a_condition_on_many_documents_is_refused(cars: TestClient, kind: str, header: str) -> None:
    path = f"{PATH.removesuffix('/a1')}:{kind}"
    kinds = {"content-type": "application/x-ndjson", header: "*"}
    refused = cars.post(path, content=b'{"id": "z"}\n', headers=kinds)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    new = cars.post(PATH.removesuffix("/a1"), json={"id": "z"}, headers={"if-match": '"1"'})
    assert new.status_code == 400
    assert cars.get(f"{PATH.removesuffix('a1')}z").status_code == 404
