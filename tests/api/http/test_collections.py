"""Collections over HTTP: what they are made with, once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.http.test_bulk import NDJSON

PATH = "/v1/collections/words"


def test_what_has_defaults_is_made_without_a_body(client: TestClient) -> None:
    plain = client.put("/v1/collections/plain")
    assert (plain.status_code, plain.json()["partitions"]) == (201, 4)
    assert client.put("/v1/collections/plain", json={}).status_code == 200
    index = client.put("/v1/collections/plain/indexes/color")
    assert (index.status_code, index.json()["field"]) == (201, "color")
    client.post("/v1/collections/plain/documents:bulk", content=b'{"n":1}\n' * 50, headers=NDJSON)
    split = client.post("/v1/collections/plain/partitions/0/split")
    assert (split.status_code, split.json()["kind"]) == (200, "split")
    for path in ("search", "count", "documents"):
        assert client.post(f"/v1/collections/plain/{path}").status_code == 415


def test_of_several_who_make_one_collection_at_once_one_does(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = list(range(2, 10))
        answers = list(pool.map(lambda n: client.put(PATH, json={"partitions": n}), asked))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"already-exists"}


@pytest.mark.parametrize("definition", [{}, {"partitions": 3}, {"pre_split": ["g", "n"]}])
def test_the_same_definition_again_does_nothing_and_another_conflicts(
    client: TestClient, definition: dict[str, Any]
) -> None:
    made = client.put(PATH, json=definition)
    assert made.status_code == 201
    assert made.json()["partitioning"] == ("range" if "pre_split" in definition else "hash")
    assert client.put(PATH, json=definition).status_code == 200
    others = [{"partitions": 5}, {"pre_split": ["g", "o"]}, {"pre_split": []}]
    if "pre_split" in definition:
        others += [{}, {"partitions": 3}]
    for other in others:
        assert client.put(PATH, json=other).status_code == 409


def test_a_definition_may_name_its_fields_in_another_order(client: TestClient) -> None:
    fields = {"id": "keyword", "make": "string", "price": "int"}
    assert client.put(PATH, json={"schema": {"fields": fields}}).status_code == 201
    permuted = dict(reversed(fields.items()))
    again = client.put(PATH, json={"schema": {"fields": permuted}})
    assert again.status_code == 200
    assert list(again.json()["schema"]["fields"]) == list(fields)


def test_another_definition_is_told_what_differs(client: TestClient) -> None:
    schema = {"fields": {"id": "keyword", "price": "int"}}
    client.put(PATH, json={"schema": schema, "pre_split": ["g"]})
    other = {"fields": {"id": "keyword", "price": "float"}}
    refused = client.put(
        PATH, json={"schema": other, "pre_split": ["h"], "auto_split": {"documents": 10}}
    )
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["code"] == "already-exists"
    assert list(problem["data"]["differences"]) == [
        "schema.fields.price",
        "pre_split",
        "auto_split",
    ]
    assert "its schema.fields.price is int, not float" in problem["detail"]
    assert "its pre_split is ['g'], not ['h']" in problem["detail"]
    assert "dump it" in problem["hint"]
    typed = client.put(PATH, json={"key": "price"})
    assert typed.json()["data"]["differences"] == {"key": {"made": "id", "given": "typed price"}}
