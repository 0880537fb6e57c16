"""Splitting and merging over HTTP and in the commands."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli import app
from api.http import partitions
from docstore import Range, Store
from tests.api.http.conftest import Connect

PATH = "/v1/collections/cars/partitions"


@pytest.fixture
def filled(cars: TestClient) -> TestClient:
    """A client of a collection of sixty cars in three partitions."""
    lines = b"".join(orjson.dumps({"id": f"c{n:02}", "price": n}) + b"\n" for n in range(60))
    path = "/v1/collections/cars/documents:bulk"
    assert cars.post(path, content=lines, headers={"content-type": "application/x-ndjson"})
    return cars


def test_a_partition_is_split_and_its_halves_are_merged(filled: TestClient) -> None:
    total = filled.post("/v1/collections/cars/count", json={}).json()
    seen = filled.get("/v1/collections/cars/changes").text.splitlines()
    answer = filled.post(f"{PATH}/1/split", json={})
    assert answer.status_code == 200
    partitions.Changed.model_validate(answer.json())
    assert (answer.json()["kind"], answer.json()["into"]) == ("split", [3, 4])
    shown = filled.get(PATH).json()
    partitions.Partitions.model_validate(shown)
    assert [each["partition"] for each in shown["partitions"]] == [0, 3, 4, 2]
    assert (shown["epoch"], shown["moving"]) == (2, None)
    merged = filled.post(f"{PATH}/4/merge", json={"neighbour": 3}).json()
    assert (merged["from"], merged["into"]) == ([3, 4], [5])
    assert filled.post("/v1/collections/cars/count", json={}).json() == total
    again = filled.get("/v1/collections/cars/changes").text.splitlines()
    assert len(again) == len(seen)
    last = orjson.loads(again[-1])["position"]
    assert filled.get("/v1/collections/cars", params={}).json()["epoch"] == 3
    assert filled.get("/v1/collections/cars/changes", params={"after": last}).status_code == 200


def test_a_definition_can_be_put_again_after_a_split(filled: TestClient) -> None:
    made = filled.get("/v1/collections/cars").json()
    filled.post(f"{PATH}/0/split", json={})
    again = {"schema": made["schema"], "partitions": 3}
    assert filled.put("/v1/collections/cars", json=again).status_code == 200
    assert filled.put("/v1/collections/cars", json={**again, "partitions": 4}).status_code == 409


def test_a_search_after_a_split_is_not_answered_from_before(filled: TestClient) -> None:
    def found() -> Any:
        answer = filled.post("/v1/collections/cars/search", json={"filter": {"price": {"lt": 50}}})
        return answer.json()

    assert found()["total"] == found()["total"]
    filled.post(f"{PATH}/0/split", json={})
    assert len(found()["plan"]["chosen"]["shards"]) == 4


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("9/split", {}, 404),
        ("x/split", {}, 404),
        ("1/split", {"at": "c1"}, 400),
        ("1/split", {"where": 1}, 400),
        ("0/merge", {"neighbour": 2}, 400),
        ("0/merge", {"neighbour": 7}, 404),
        ("0/merge", {}, 400),
        ("0/merge", {"neighbour": "1"}, 400),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    filled: TestClient, path: str, asked: dict[str, Any], status: int
) -> None:
    answer = filled.post(f"{PATH}/{path}", json=asked)
    assert answer.status_code == status
    assert answer.json()["hint"]


def test_changing_partitions_takes_an_admin(connect: Connect, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    made = CliRunner().invoke(app, ["keys", "add", str(keys), "site", "--scope", "write"])
    client = connect(api_key_file=keys)
    key = made.stdout.split()[-1]
    answer = client.post(f"{PATH}/0/split", json={}, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 403


# The commands


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_the_commands_split_and_merge(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with Store.open(data) as store:
        cars = store.create_collection("cars", partitioning=Range())
        cars.put_many({"id": f"c{n:02}"} for n in range(20))
    told = run("split", data, "cars", "0", "--at", "c05")
    assert told.stdout.startswith("split 0 into 1 and 2: 20 documents")
    told = run("split", data, "cars", "2", "--json")
    assert orjson.loads(told.stdout)["into"] == [3, 4]
    told = run("merge", data, "cars", "3", "1")
    assert told.stdout.startswith("merge 1 and 3 into 5: ")
    assert orjson.loads(run("stats", data, "cars", "--json").stdout)["epoch"] == 4
    refused = run("split", data, "cars", "7")
    assert refused.exit_code == 3
    assert "hint: partitions: 5, 4" in refused.stderr
    assert run("merge", data, "cars", "5", "5").exit_code != 0


def test_a_hashed_collection_is_cut_at_a_token(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with Store.open(data) as store:
        store.create_collection("cars", partitions=1).put_many({"id": f"{n}"} for n in range(9))
    refused = run("split", data, "cars", "0", "--at", "c05")
    assert "is not a token" in refused.stderr
    told = orjson.loads(run("split", data, "cars", "0", "--at", "2147483648", "--json").stdout)
    assert told["from"] == [0]


# By itself


def test_limits_are_shown_set_and_turned_off(filled: TestClient) -> None:
    path = "/v1/collections/cars/auto-split"
    shown = filled.get(path).json()
    partitions.AutoSplitState.model_validate(shown)
    assert shown["limits"]["documents"] == 1_000_000
    told = filled.put(path, json={"limits": {"documents": 500}}).json()
    assert (told["limits"]["documents"], told["limits"]["bytes"]) == (500, 4 * 1024**3)
    assert filled.put(path, json={"limits": False}).json()["limits"] is None
    assert filled.get(PATH).json()["auto_split"]["limits"] is None
    assert filled.put(path, json={"limits": True}).json() == shown


@pytest.mark.parametrize(
    "wrong", [{}, {"limits": "yes"}, {"limits": {"documents": 1}}, {"limits": {"docs": 5}}]
)
def test_wrong_limits_are_refused(filled: TestClient, wrong: dict[str, Any]) -> None:
    answer = filled.put("/v1/collections/cars/auto-split", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["hint"]


def test_a_collection_is_made_with_limits(filled: TestClient) -> None:
    small = {"partitions": 1, "auto_split": {"documents": 50}}
    assert filled.put("/v1/collections/small", json=small).status_code == 201
    assert filled.put("/v1/collections/small", json=small).status_code == 200
    assert filled.put("/v1/collections/small", json={"partitions": 1}).status_code == 200
    other = {**small, "auto_split": False}
    assert filled.put("/v1/collections/small", json=other).status_code == 409
    limits = filled.get("/v1/collections/small/auto-split").json()["limits"]
    assert limits["documents"] == 50
    wrong = {"auto_split": {"documents": 1}}
    assert filled.put("/v1/collections/wrong", json=wrong).status_code == 400


def test_what_was_done_is_told_with_what_it_took(filled: TestClient) -> None:
    made = filled.post(f"{PATH}/1/split", json={}).json()
    shown = filled.get(PATH).json()
    partitions.Partitions.model_validate(shown)
    (past,) = shown["history"]
    assert {name: past[name] for name in ("documents", "seconds", "pause_ms")} == {
        name: made[name] for name in ("documents", "seconds", "pause_ms")
    }
    assert past["why"] is None
