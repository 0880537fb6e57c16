"""A reading process goes on with the indexes that the writing one has now."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from docstore import Closed, Collection, GlobalIndex, Store, Unavailable
from docstore.global_index.wanted import Values

Cars = Collection[dict[str, Any]]
READER = """
import sys
import orjson
from docstore import DocstoreError, Store
with Store.open(sys.argv[1], read_only=True) as store:
    cars = store.collection("cars")
    for line in sys.stdin:
        try:
            found = eval(line)
        except DocstoreError as error:
            found = type(error).__name__
        print(orjson.dumps(found).decode(), flush=True)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Cars]:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=2, indexes=[GlobalIndex("color")])
        cars.put_many({"id": f"{n:03d}", "color": ["red", "blue"][n % 2]} for n in range(40))
        settle(cars)
        yield cars


class Reader:
    """Another process, which has the store open and says what an expression over `cars` gives."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._answers = process.stdin, process.stdout

    def __call__(self, expression: str) -> Any:
        self._to.write(expression + "\n")
        self._to.flush()
        return orjson.loads(self._answers.readline())


@pytest.fixture
def reader(writer: Cars, tmp_path: Path) -> Iterator[Reader]:
    command = [sys.executable, "-c", READER, str(tmp_path / "data")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        reader = Reader(process)
        assert reader(RED) == writer.indexes.lookup("color", "red").total
        yield reader
        assert process.stdin is not None
        process.stdin.close()


def settle(cars: Cars) -> None:
    cars.indexes.catch_up()


def recolor(cars: Cars) -> None:
    """Ten red ones less."""
    cars.put_many({"id": f"{n:03d}", "color": "green"} for n in range(0, 20, 2))


RED = 'cars.indexes.lookup("color", "red", freshness="any").total'
SEARCH = 'cars.search(filter={"color": "red"}, sort="id").total'


def test_it_follows_an_index_that_is_filled_again(writer: Cars, reader: Reader) -> None:
    writer.indexes.rebuild("color")
    settle(writer)
    recolor(writer)
    settle(writer)
    assert reader('cars.indexes.stats()[0]["state"]') == "ready"
    assert reader(RED) == 10
    assert reader(SEARCH) == 10


def test_it_follows_an_index_that_is_dropped_and_made_anew(writer: Cars, reader: Reader) -> None:
    writer.indexes.drop("color")
    recolor(writer)
    assert reader(RED) == "NotFound"
    assert reader(SEARCH) == 10
    assert reader("cars.indexes.stats()") == []
    writer.indexes.create(GlobalIndex("color"))
    settle(writer)
    assert reader(RED) == 10


def test_it_follows_a_drop_and_a_creation_between_two_looks(writer: Cars, reader: Reader) -> None:
    writer.indexes.drop("color")
    recolor(writer)
    writer.indexes.create(GlobalIndex("color"))
    settle(writer)
    assert reader(RED) == 10


def test_it_follows_a_rename_and_a_first_index(writer: Cars, reader: Reader) -> None:
    writer.indexes.rename("color", "paint")
    assert reader("[index.name for index in cars.indexes]") == ["paint"]
    assert reader('cars.indexes.lookup("paint", "red").total') == 20
    writer.indexes.drop("paint")
    assert reader("len(cars.indexes)") == 0
    writer.indexes.create(GlobalIndex("color", include=["id"]))
    settle(writer)
    assert reader(SEARCH.replace(".total", ".plan.chosen.name")) == "global_covered"


def test_an_index_closed_under_a_lookup_says_what_became_of_it(writer: Cars) -> None:
    indexes = writer.indexes
    indexes._updater.stop()
    wanted = indexes.wanted("color", [Values(("red",))])
    # As a rename leaves it until the new one is open.
    indexes._live["color"].close()
    with pytest.raises(Unavailable, match="renamed, or made anew") as refused:
        indexes.candidates("color", wanted)
    assert refused.value.retryable
    assert writer.search(filter={"color": "red"}, sort="id").total == 20
    assert writer.count(filter={"color": "red"}) == 20
    indexes._live["color"] = indexes._declared._opened(indexes._live["color"].definition)
    assert indexes.lookup("color", "red").total == 20
    indexes.close()
    with pytest.raises(Closed):
        indexes.lookup("color", "red")
