"""Terms of a global index whose postings are spread: answers, changes of fan, crashes, refusals."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import (
    Collection,
    DocstoreError,
    GlobalIndex,
    InvalidQuery,
    InvalidRequest,
    NotFound,
    Store,
    Unavailable,
)
from docstore.global_index import flushing, term_moving
from docstore.global_index.term_salts import TermSalt
from docstore.global_index.term_values import values_of_term
from docstore.global_index.terms import stored, term_of
from indexing.schema import Kind
from tests.docstore.steps import copied, each_step

Cars = Collection[dict[str, Any]]
INDEXES = [
    GlobalIndex("color", include=["price"], partitions=4),
    GlobalIndex("price", include=["color"], partitions=4, by="range"),
    GlobalIndex(["color", "make", "price"], partitions=5, name="three"),
    GlobalIndex("note", include=["price"], partitions=8, name="words"),
]
SCHEMA = {
    "fields": {
        "id": "keyword",
        "color": {"type": "keyword", "list": True},
        "make": "keyword",
        "price": "int",
        "note": "text",
    }
}
SALTS: list[tuple[str, Any, int]] = [
    ("color", "white", 4),
    ("price", 3, 4),
    ("three", ("white", "vw", 4), 4),
    ("words", "car", 8),
]
ASKED: list[dict[str, Any]] = [
    {"filter": {"color": "white"}, "sort": "-price", "facets": ["price"]},
    {"filter": {"color": ["white", "red"]}, "sort": "price", "histograms": {"price": 3}},
    {"filter": {"color": {"gt": "red"}}},
    {"filter": {"color": {"gte": "red", "lte": "white"}}, "offset": 7},
    {"filter": {"color": {"gt": "white"}}},
    {"filter": {"color": {"lt": "white"}}},
    {"filter": {"color": {"prefix": "w"}}, "sort": "price"},
    {"filter": {"price": 3}},
    {"filter": {"price": {"gte": 3, "lt": 6}}, "sort": "price"},
    {"filter": {"price": {"gt": 3, "lte": 6}}, "sort": "-price"},
    {"filter": {"price": {"gt": 2, "lte": 3}}},
    {"filter": {"price": {"lt": 3}, "color": "white"}},
    {"filter": {"color": "white", "make": "vw", "price": 4}},
    {"filter": {"color": "white", "make": "vw", "price": {"gt": 3}}},
    {"filter": {"color": "white", "make": {"gt": "bmw"}, "price": {"gte": 0}}},
    {"filter": {"note": {"match": "car"}}, "sort": "price"},
    {"query": {"match": {"note": {"query": "a car", "operator": "and"}}}, "sort": "price"},
]


def document(n: int) -> dict[str, Any]:
    colors = [["white"], ["red"], ["white", "black"], []][n % 4]
    return {
        "id": f"{n:03d}",
        "color": colors,
        "make": ["vw", "bmw"][n % 3 == 0],
        "price": n % 9,
        "note": f"a car {n}" if n % 5 else "old",
    }


@pytest.fixture
def cars(store: Store) -> Cars:
    """A hundred cars of which half are white."""
    made = store.create_collection("cars", SCHEMA, partitions=3, indexes=INDEXES)
    made.put_many(map(document, range(100)))
    made.indexes.catch_up()
    return made


def shown(result: Any) -> tuple[Any, ...]:
    hits = [(hit.key, hit.version, repr(hit.sort)) for hit in result.hits]
    return result.total, hits, dict(result.facets), dict(result.histograms)


def check_answers(cars: Cars) -> None:
    """Every index that can answer answers as the shards do."""
    answered = 0
    for asked in ASKED:
        expected = shown(cars.search(**asked, limit=100, index=None))
        assert expected[0] == len(expected[1]) + asked.get("offset", 0)
        for index in cars.indexes:
            try:
                found = cars.search(**asked, limit=100, index=index.name)
            except InvalidQuery:
                continue
            assert shown(found) == expected, (asked, index.name)
            answered += 1
    assert answered >= len(ASKED)


def fans(cars: Cars, name: str) -> dict[Any, int]:
    (index,) = (each for each in cars.indexes.stats() if each["name"] == name)
    return {repr(each["value"]): each["fan"] for each in index["salts"]}


@pytest.mark.parametrize(("name", "value", "most"), SALTS)
def test_answers_stay_the_same_at_every_fan(
    cars: Cars, name: str, value: Any, most: int, open_store: Callable[[], Store]
) -> None:
    for fan in (2, most, 2, 1, most):
        changed = cars.indexes.salt(name, value, fan)
        assert (changed.fan, changed.documents > 0) == (fan, True)
        check_answers(cars)
        cars.put_many(map(document, range(90, 110)))
        cars.delete("001")
        check_answers(cars)
        assert list(cars.check()) == []
    assert fans(cars, name) == {repr(value): most}
    again = open_store().collection("cars")
    assert fans(again, name) == {repr(value): most}
    check_answers(again)
    again.indexes.rebuild(name)
    again.indexes.catch_up()
    check_answers(again)


def test_only_lookups_of_a_spread_value_ask_several_partitions(cars: Cars) -> None:
    cars.indexes.salt("color", "white", 4)
    white = cars.search(filter={"color": "white"}, sort="price", index="color")
    red = cars.search(filter={"color": "red"}, sort="price", index="color")
    assert [len(found.indexes[0].partitions) for found in (white, red)] == [4, 1]
    reason = cars.explain(filter={"color": "white"}, sort="price", index="color").chosen.reason
    assert "in 4 of 4 partitions" in reason
    assert "spread over 4" in reason
    prices = [
        cars.explain(filter={"color": color}, sort="price", index="color").chosen.price
        for color in ("white", "red")
    ]
    assert prices[0] > prices[1] + 3 * 15
    with pytest.raises(InvalidQuery, match="max_fanout"):
        cars.search(filter={"color": "white"}, index="color", max_fanout=3)


def test_postings_are_spread_evenly(store: Store) -> None:
    cars = store.create_collection("cars", partitions=2, indexes=[INDEXES[0]])
    cars.put_many({"id": f"{n}", "color": "white", "price": n} for n in range(4000))
    cars.indexes.catch_up()
    cars.indexes.salt("color", "white", 4)
    sizes = [each.sizes()[1] for each in cars.indexes._live["color"].files.partitions]
    assert sum(sizes) == 4000
    assert max(sizes) < 1150


@pytest.mark.parametrize(
    ("fan", "value", "error", "match"),
    [
        (0, "white", InvalidRequest, "power of two up to 4"),
        (3, "white", InvalidRequest, "fan of 3"),
        (10_000, "white", InvalidRequest, "4 index partitions"),
        (True, "white", InvalidRequest, "fan of True"),
        (2, "pink", NotFound, "no document"),
        (2, None, InvalidQuery, "None"),
        (2, ["white", "red"], InvalidQuery, "not a value"),
    ],
)
def test_what_cannot_be_spread_is_refused(
    cars: Cars, fan: Any, value: Any, error: type[DocstoreError], match: str
) -> None:
    with pytest.raises(error, match=match):
        cars.indexes.salt("color", value, fan)
    with pytest.raises(NotFound, match="no index"):
        cars.indexes.salt("wheels", "white", 2)
    assert cars.indexes.salt("color", "pink", 1).documents == 0
    assert fans(cars, "color") == {}


def test_a_partial_value_of_several_fields_is_refused(cars: Cars) -> None:
    with pytest.raises(InvalidRequest, match="value of each of: color, make, price"):
        cars.indexes.salt("three", ("white",), 2)


def test_an_index_that_is_filled_is_not_salted(cars: Cars) -> None:
    cars.indexes.throttle(1.0)
    cars.indexes.rebuild("color")
    with pytest.raises(Unavailable, match="filled") as refused:
        cars.indexes.salt("color", "white", 2)
    assert refused.value.retryable
    cars.indexes.throttle(None)
    cars.indexes.catch_up()
    assert cars.indexes.salt("color", "white", 2).documents == 50


def test_a_crash_at_any_step_leaves_the_old_map_or_the_new_one(
    cars: Cars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(term_moving, "STEP_POSTINGS", 12)
    monkeypatch.setattr(flushing, "FLUSH_DOCUMENTS", 20)
    cars.indexes._updater.stop()  # what it writes would be no step of this thread
    cars.indexes.salt("color", "white", 2)
    cars.put_many(map(document, range(80, 120)))
    check_answers(cars)  # they are in memory, and not on disk
    images: list[Path] = []

    def copy() -> None:
        images.append(tmp_path / f"image{len(images)}")
        copied(tmp_path / "data", images[-1])

    with each_step(copy):
        cars.indexes.salt("color", "white", 4)
    assert len(images) > 20
    seen = []
    for image in images:
        with Store.open(image) as store:
            opened = store.collection("cars")
            seen.append(fans(opened, "color")["'white'"])
            assert opened.indexes._live["color"].definition.unread == ()
            opened.indexes.catch_up()
            check_answers(opened)
            assert list(opened.check()) == []
    assert seen == sorted(seen)
    assert set(seen) == {2, 4}


def test_what_an_earlier_change_left_is_removed_by_the_next(cars: Cars) -> None:
    index = cars.indexes._live["color"]
    left = TermSalt(term_of("white", Kind.KEYWORD) or b"", 1, 4)
    write = partial(cars.indexes._declared._write, index)
    term_moving._mapped(index, write, left, is_spreading=True)
    index.flush(is_last=True)
    assert list(term_moving._made(index, left))
    term_moving._mapped(index, write, left)
    check_answers(cars)
    assert list(cars.check()) == []
    cars.indexes.salt("color", "white", 2)
    assert index.definition.unread == ()
    check_answers(cars)
    assert list(cars.check()) == []


def test_an_index_that_is_emptied_meanwhile_ends_the_change(
    cars: Cars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(term_moving, "STEP_POSTINGS", 12)
    index = cars.indexes._live["color"]
    change, steps = index.change, iter(range(9))

    def emptied(step: Any) -> Any:
        if next(steps) == 2:
            index.empty()
        return change(step)

    monkeypatch.setattr(index, "change", emptied)
    with pytest.raises(Unavailable, match="filled again"):
        cars.indexes.salt("color", "white", 4)
    cars.indexes.catch_up()
    assert fans(cars, "color") == {}
    check_answers(cars)
    assert list(cars.check()) == []


def test_searches_and_writes_go_on_while_fans_grow_and_shrink(cars: Cars) -> None:
    stopped = threading.Event()
    wrong: list[object] = []
    expected = sorted(f"s{n}" for n in range(300))
    cars.put_many({"id": f"s{n}", "color": ["white"], "price": 100 + n} for n in range(300))

    def search() -> None:
        while not stopped.is_set():
            for color in ("white", {"gte": "w"}):
                asked = {"color": color, "price": {"gte": 100}}
                found = cars.search(filter=asked, limit=400, index="color")
                if [hit.key for hit in found.hits] != expected or found.total != 300:
                    wrong.append((asked, found.total))

    def write() -> None:
        turn = 0
        while not stopped.is_set():
            turn += 1
            cars.put_many(document((turn * 7 + n) % 100) for n in range(9))
            cars.put({"id": f"s{turn % 300}", "color": ["white"], "price": 100 + turn % 300})

    with ThreadPoolExecutor() as pool:
        running = [pool.submit(each) for each in (search, search, write)]
        for fan in (2, 4, 1, 4, 2, 1, 2):
            cars.indexes.salt("color", "white", fan)
        stopped.set()
        for each in running:
            each.result()
    assert wrong == []
    assert list(cars.check()) == []


READER = """
import sys
from docstore import Store
with Store.open(sys.argv[1], read_only=True) as store:
    cars = store.collection("cars")
    print("open", flush=True)
    for _ in sys.stdin:
        for turn in range(3):
            try:
                print(cars.search(filter={"color": "white"}, index="color").total, flush=True)
                break
            except Exception as error:
                last = error
        else:
            print(last, flush=True)
"""


def test_a_reading_process_follows_the_map(cars: Cars, tmp_path: Path) -> None:
    command = [sys.executable, "-c", READER, str(tmp_path / "data")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        for fan in (1, 2, 4, 1, 4):
            cars.indexes.salt("color", "white", fan)
            reader.stdin.write("ask\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == "50\n"
        reader.stdin.close()


def test_the_file_says_more_only_when_a_term_is_spread(cars: Cars, tmp_path: Path) -> None:
    path = tmp_path / "data" / "cars" / "indexes.json"
    assert orjson.loads(path.read_bytes())["format"] == 1
    cars.indexes.salt("color", "white", 2)
    written = orjson.loads(path.read_bytes())
    assert written["format"] == 2
    salts = written["indexes"][0]["salts"]
    assert salts == [{"term": (b"\x20white\0\x01").hex(), "fan": 2, "other": None}]
    cars.indexes.salt("color", "white", 1)
    assert orjson.loads(path.read_bytes())["format"] == 1


SCALARS = (
    st.text(max_size=20)
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.lists(SCALARS, min_size=1, max_size=3))
def test_a_term_tells_its_values(values: list[Any]) -> None:
    term = b"".join(term_of(each, Kind.ANY) or b"" for each in values)
    told = values_of_term(stored(term))
    expected = [
        each.encode("utf-8", "replace").decode() if isinstance(each, str) else each
        for each in values
    ]
    assert told == expected
