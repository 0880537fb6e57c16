"""A recorded workload: what is noted, its bounds, and the advice that it gives."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from docstore import (
    Collection,
    Delete,
    InvalidRequest,
    Key,
    NotFound,
    Put,
    Store,
    Unavailable,
    advise,
    recording,
)
from indexing.query import Term


@pytest.fixture
def cars(store: Store) -> Collection[dict[str, Any]]:
    made = store.create_collection("cars", partitions=8)
    made.put_many(
        {"id": f"car-{n}", "color": ["red", "blue"][n % 2], "secret": f"s{n}"} for n in range(200)
    )
    return made


def noted(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_every_kind_of_operation_is_noted_without_documents(
    store: Store, cars: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "asked.jsonl"
    with store.record(path) as made:
        for _ in range(3):
            cars.get("car-1")
        cars.get_many(["car-2", "car-3"])
        cars.put({"id": "car-4", "secret": "mine"})
        cars.put_many([{"id": "car-5", "secret": "mine"}])
        cars.write_many([Put({"id": "car-6", "secret": "mine"}), Delete("car-7")])
        cars.delete("car-8")
        list(cars.scan(prefix="car-1", limit=5))
        cars.search("red", filter={"color": "red"}, sort="-id", limit=3)
        cars.count({"color": "blue"})
        cars.search(query={"match_all": {}})
        with pytest.raises(NotFound):
            cars.patch("nothing", {"secret": "mine"})
    assert made.operations == sum(line.get("count", 1) for line in noted(path))
    found = noted(path)
    assert {line.pop("collection") for line in found} == {"cars"}
    expected: list[dict[str, Any]] = [
        {"op": "get", "key": "car-1", "count": 3},
        {"op": "get", "key": "car-2"},
        {"op": "get", "key": "car-3"},
        {"op": "put", "key": "car-4"},
        {"op": "put", "key": "car-5"},
        {"op": "put", "key": "car-6"},
        {"op": "delete", "key": "car-7"},
        {"op": "delete", "key": "car-8"},
        {"op": "scan", "prefix": "car-1", "limit": 5},
        {"op": "search", "q": "red", "filter": {"color": "red"}, "sort": "-id", "limit": 3},
        {"op": "search", "filter": {"color": "blue"}, "limit": 0},
        {"op": "search", "query": {"match_all": {}}, "limit": 10},
        {"op": "get", "key": "nothing"},
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    assert b"mine" not in path.read_bytes()
    cars.get("car-9")
    assert len(noted(path)) == len(expected)


def test_what_was_recorded_gives_advice(
    store: Store, cars: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "asked.jsonl"
    others = store.create_collection("others")
    with store.record(path):
        for n in range(40):
            cars.search(filter={"color": "red"}, limit=n % 3)
            others.put({"id": f"{n}"})
        cars.get("car-3")
    advice = advise(cars, path.read_bytes().splitlines())
    assert advice.operations == 41
    assert "color" in {each.field for each in advice.indexes}
    assert advise(others, path.read_bytes().splitlines()).operations == 40
    none = store.create_collection("none")
    with pytest.raises(InvalidRequest, match="no operations on none"):
        advise(none, path.read_bytes().splitlines())


def test_keys_of_several_parts_come_back(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    schema = {"fields": {"seller": "int", "at": "datetime", "raw": "keyword"}}
    sales = store.create_collection("sales", schema, key=Key("seller", "at", "raw"))
    key = (7, datetime(2024, 5, 1, tzinfo=UTC), "x")
    sales.put({"seller": 7, "at": "2024-05-01T00:00:00Z", "raw": "x"})
    with store.record(path):
        assert sales.get(key) is not None
        list(sales.scan(prefix=(7,)))
        list(sales.scan(start=(7, key[1]), end=(8,)))
        sales.search(filter={"seller": 7})
    advice = advise(sales, path.read_bytes().splitlines())
    assert advice.operations == 4


def test_a_recording_is_bounded(
    store: Store,
    cars: Collection[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "JOINED_MAX", 10)
    path = tmp_path / "asked.jsonl"
    with store.record(path, bytes_max=2_000) as made:
        for n in range(200):
            cars.get(f"car-{n}")
        assert made.is_full
    assert path.stat().st_size == made.bytes <= 2_000
    assert made.lines == len(noted(path)) > 30
    with store.record(path) as again:
        cars.get("car-1")
    assert again.lines == len(noted(path)) == 1


def test_what_cannot_be_recorded_is_refused(
    store: Store, cars: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    with store.record(tmp_path / "one") as made:
        with pytest.raises(InvalidRequest, match="is being recorded"), store.record(tmp_path / "2"):
            pass
        assert cars.search(query=Term("color", "red")).total == 100
        assert (made.skipped, made.operations) == (1, 0)
    with pytest.raises(InvalidRequest, match="bytes at most"):
        store.record(tmp_path / "one", bytes_max=0)
    with pytest.raises(Unavailable), store.record(tmp_path / "no" / "where"):
        pass


def test_a_file_that_cannot_be_written_ends_the_recording_alone(
    store: Store, cars: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    directory = tmp_path / "gone"
    directory.mkdir()
    made = store.record(directory / "file")
    made.__enter__()
    cars.get("car-1")
    shutil.rmtree(directory)
    with pytest.raises(Unavailable):
        made.__exit__(None, None, None)
    assert made.error is not None
    assert cars.get("car-1") is not None
