"""Every kind of bad input is refused by an error of our tree that says where and what to do."""

import datetime
import math
import os
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, ConfigDict

from docstore import (
    AlreadyExists,
    Closed,
    Collection,
    Corruption,
    DocstoreError,
    InvalidDocument,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    Key,
    NotFound,
    Position,
    Store,
    Unavailable,
)
from docstore.documents import DOCUMENT_BYTES_MAX


class Car(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    make: str
    price: int | None = None
    weight: float | None = None
    sold: datetime.datetime | None = None
    seen_from: IPv4Address | None = None


@pytest.fixture
def cars(store: Store) -> Collection[Car]:
    cars = store.create_collection("cars", Car)
    cars.put({"id": "kept", "make": "ford", "price": 5})
    return cars


@pytest.fixture
def anything(store: Store) -> Collection[dict[str, Any]]:
    anything = store.create_collection("anything")
    anything.put({"id": "kept", "make": "ford", "price": 5})
    return anything


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"id": "a", "make": 7}, "make"),
        ({"id": "a", "make": "x", "price": "cheap"}, "price"),
        ({"id": "a", "make": "x", "price": 2**63}, "price"),
        ({"id": "a", "make": "x", "colour": "red"}, "colour"),
        ({"id": "a"}, "make"),
        ({"id": "a", "make": "x", "weight": math.nan}, "weight"),
        ({"id": "a", "make": "x", "weight": math.inf}, "weight"),
        ({"id": "a", "make": "x", "sold": "10000-01-01T00:00:00Z"}, "sold"),
        ({"id": "a", "make": "x", "sold": "the other day"}, "sold"),
        ({"id": "a", "make": "x", "seen_from": "1.2.3"}, "seen_from"),
    ],
)
def test_a_document_that_does_not_fit_its_model_is_refused_naming_the_field(
    cars: Collection[Car], document: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidDocument) as refused:
        cars.put(document)
    assert refused.value.data["field"] == field
    assert refused.value.hint
    assert cars.count() == 1


@pytest.mark.parametrize(
    "document",
    [
        {"id": "a", "x": math.nan},
        {"id": "a", "x": [1, {"y": -math.inf}]},
        {"id": "a", 5: "x"},
        {"id": "a", "x": b"bytes"},
        {"id": "a", "x": "\ud800"},
        {"id": "a", "x": object()},
        {"id": "a", "x": 2**70},
        {"id": ""},
        {"id": "k" * 512},
        {"id": "\ud800"},
        {"id": 5.5},
        {"id": ["a"]},
        [],
        "text",
        None,
        {"id": "a", "x": "y" * DOCUMENT_BYTES_MAX},
    ],
    ids=lambda document: repr(document)[:30],
)
def test_what_json_or_the_key_cannot_hold_is_refused(
    anything: Collection[dict[str, Any]], document: Any
) -> None:
    with pytest.raises(InvalidDocument) as refused:
        anything.put(document)
    assert refused.value.hint
    assert anything.count() == 1


def test_nesting_without_end_is_refused(anything: Collection[dict[str, Any]]) -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(5000):
        inner["x"] = {}
        inner = inner["x"]
    with pytest.raises(InvalidDocument, match="nested"):
        anything.put({"id": "a", "deep": deep})


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": {"colour": "red"}},
        {"filter": {"price": "cheap"}},
        {"filter": {"price": {"below": 3}}},
        {"filter": "price < 3"},
        {"query": {"math": {"make": "x"}}},
        {"query": {"match": {"colour": "x"}}},
        {"query": {"regexp": {"make": "("}}},
        {"query": {"regexp": {"make": "((a{1,100}){1,100}){1,100}"}}},
        {"query": {"regexp": {"make": "(.*a){200}"}}},
        {"query": {"regexp": {"make": "a" * 2000}}},
        {"query": {"range": {"price": {"gt": math.nan}}}},
        {"query": {"range": {"sold": {"gt": "soon"}}}},
        {"query": {"prefix": {"price": "1"}}},
        {"query": {"term": {"make": "x" * 9000}}},
        {"query": {}},
        {"query": []},
        {"sort": "colour"},
        {"sort": "price:up"},
        {"sort": 5},
        {"limit": 1_000_000_000},
        {"limit": -1},
        {"limit": "ten"},
        {"offset": -5},
        {"freshness": "yesterday"},
        {"after": "first"},
        {"after": Position(77, 1, 1)},
        {"after": Position(0, 1, 10**9)},
        {"operator": "xor"},
        {"q": 5},
    ],
    ids=str,
)
def test_a_search_that_makes_no_sense_is_refused(
    cars: Collection[Car], asked: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        cars.search(**asked)
    assert refused.value.hint
    assert refused.value.as_dict()["code"] in ("invalid-query", "invalid-request")


def test_a_query_nested_without_end_is_refused(cars: Collection[Car]) -> None:
    query: dict[str, Any] = {"match_all": {}}
    for _ in range(5000):
        query = {"bool": {"must": [query]}}
    with pytest.raises(InvalidQuery):
        cars.search(query=query)


@pytest.mark.parametrize("q", ["", " ", '"', "((((", "a:b:c", "-", "+-+", "o'reilly", "x" * 10_000])
def test_free_text_never_raises(cars: Collection[Car], q: str) -> None:
    assert cars.search(q).total >= 0


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "x" * 101, "-a", "ü", 5])
def test_a_name_that_is_no_directory_name_is_refused(store: Store, name: Any) -> None:
    with pytest.raises(InvalidSchema):
        store.create_collection(name)
    with pytest.raises(DocstoreError):
        store.collection(name)


def test_collections_are_found_made_once_and_gone_when_dropped(store: Store) -> None:
    store.create_collection("cars")
    with pytest.raises(AlreadyExists):
        store.create_collection("cars")
    store.drop_collection("cars")
    with pytest.raises(NotFound):
        store.collection("cars")
    with pytest.raises(NotFound):
        store.drop_collection("cars")
    assert store.create_collection("cars").count() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"partitions": 0},
        {"partitions": 5000},
        {"partitions": "4"},
        {"schema": {"fields": {"x": "decimal"}}},
        {"schema": {"fields": {"x": {"type": "text", "analyzer": "klingon"}}}},
        {"schema": [1]},
        {"key": ""},
        {"key": Key},
        {"key": 5},
        {"partitioning": "range"},
    ],
    ids=str,
)
def test_a_definition_that_makes_no_sense_leaves_no_collection(
    store: Store, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidSchema):
        store.create_collection("cars", **arguments)
    assert store.collections() == []


def test_another_model_than_the_collections_own_is_refused(store: Store) -> None:
    store.create_collection("cars", Car)

    class Other(BaseModel):
        id: str
        price: str

    with pytest.raises(InvalidSchema, match="Other"):
        store.collection("cars", Other)


def test_a_patch_may_not_change_the_key_nor_break_the_model(cars: Collection[Car]) -> None:
    for patch in ({"id": "other"}, {"price": "cheap"}, {"make": None}, {"new": 1}):
        with pytest.raises(InvalidDocument):
            cars.patch("kept", patch)
    assert cars.get("kept") == Car(id="kept", make="ford", price=5)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars")
        cars.put({"id": "a"})
    for act in (
        lambda: cars.put({"id": "b"}),
        lambda: cars.get("a"),
        lambda: cars.search("a"),
        lambda: store.collection("cars"),
    ):
        with pytest.raises(Closed):
            act()


def test_a_store_of_a_newer_format_is_not_touched(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Store.open(data).close()
    (data / "store.json").write_bytes(orjson.dumps({"format": 99}))
    for read_only in (False, True):
        with pytest.raises(Corruption, match="99"):
            Store.open(data, read_only=read_only)
    (data / "store.json").write_bytes(orjson.dumps({"format": 1}))
    with Store.open(data) as store:
        store.create_collection("cars")
    definition = data / "cars" / "collection.json"
    definition.write_bytes(definition.read_bytes().replace(b'"format": 1', b'"format": 7'))
    with Store.open(data) as store:
        with pytest.raises(Corruption, match="upgrade"):
            store.collection("cars")
        assert [violation.rule for violation in store.check()] == ["corruption"]


def test_a_path_that_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(Unavailable):
        Store.open(file)
    with pytest.raises(NotFound):
        Store.open(tmp_path / "nothing", read_only=True)


FULL_DISK = """
import resource, signal, sys
from docstore import Store, Unavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store.open(sys.argv[1]) as store:
    cars = store.create_collection("cars", partitions=1)
    acknowledged = 0
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, unlimited[1]))
    for number in range(3000):
        try:
            cars.put({"id": f"{number:06d}", "text": "x" * 2000})
        except Unavailable as error:
            print(acknowledged, flush=True)
            break
        acknowledged += 1
    for _ in range(3):
        try:
            cars.refresh()  # the index may take what its checkpoint has no room to record
        except Unavailable:
            continue
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    cars.put({"id": "after"})
"""


def test_when_no_more_can_be_written_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """A limit on file sizes stands in for a full disk: the same system call fails."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "data")]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ran.returncode == 0, ran.stderr
    acknowledged = int(ran.stdout)
    assert acknowledged > 100
    with Store.open(tmp_path / "data") as store:
        cars = store.collection("cars")
        assert list(store.check()) == []
        found = [document.key for document in cars.scan()]
        assert found == [*(f"{number:06d}" for number in range(acknowledged)), "after"]


def test_a_directory_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, who may do anything: the refusal is the system call's."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Unavailable, match="Permission denied") as refused:
        Store.open(tmp_path / "data")
    assert "directory" in refused.value.hint


def test_each_error_can_be_shown_to_people_and_programs(cars: Collection[Car]) -> None:
    with pytest.raises(DocstoreError) as refused:
        cars.put({"id": "a"})
    shown = refused.value.as_dict()
    assert shown["code"] == "invalid-document"
    assert shown["hint"] in str(refused.value)
    assert orjson.dumps(shown)


def test_a_store_stays_where_it_is_when_the_program_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Store.open("data") as store:
        assert store.path == tmp_path / "data"
        things = store.create_collection("things", partitions=4)
        monkeypatch.chdir("elsewhere")
        assert not things.put_many({"id": str(n)} for n in range(40)).errors
        assert not list(store.check())
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with Store.open("../data", read_only=True) as store:
        assert store.collection("things").count() == 40


def test_a_directory_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    with pytest.raises(Unavailable, match="UTF-8") as refused:
        Store.open(named)
    assert refused.value.hint
    assert not named.exists()
