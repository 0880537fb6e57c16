"""Hot terms over HTTP and in the command that asks a server; salting them from afar."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.http.hot_terms import HotTerms, TermChanged
from docstore import GlobalIndex, InvalidRequest, NotFound, connect
from tests.api.http.conftest import Running

INDEXES = [GlobalIndex("color", partitions=4), GlobalIndex(["color", "make"], name="pairs")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "data")
    yield running
    running.stop()


def _run(*words: str) -> Any:
    return CliRunner().invoke(app, ["hot-terms", *words])


def test_hot_terms_are_told_and_spread_from_afar(server: Running) -> None:
    assert "holds anything yet" in _run(server.url).stdout
    with connect(server.url) as store:
        cars = store.create_collection("cars", partitions=2)
        for index in INDEXES:
            cars.indexes.create(index)
        cars.put_many(
            {"id": f"{n}", "color": ["white", "red"][n % 3 == 0], "make": "vw"} for n in range(60)
        )
        assert cars.count({"color": "white"}) == 40
        while len(cars.hot_terms()) < 4 or any(
            index["overlay"] or index["state"] != "ready" for index in cars.indexes.stats()
        ):
            cars.count({"color": "white"}, freshness="current")
        first = next(each for each in cars.hot_terms() if each.key == ("color", "white"))
        assert (first.documents, first.fan, first.is_hot) == (40, 1, False)
        assert {each.index for each in store.hot_terms()} == {"color", "pairs"}
        made = cars.indexes.salt("color", "white", 4)
        assert (made.value, made.fan, made.documents) == ("white", 4, 40)
        assert cars.indexes.salt("pairs", ["white", "vw"], 2).documents == 40
        found = cars.search(filter={"color": "white"}, sort="id", index="color", limit=50)
        assert (found.total, len(found.indexes[0].partitions)) == (40, 4)
        assert [index["salts"] for index in cars.indexes.stats()] == [
            [{"value": "white", "fan": 4}],
            [{"value": ["white", "vw"], "fan": 2}],
        ]
        assert {index.name for index in cars.indexes} == {"color", "pairs"}
        with pytest.raises(InvalidRequest, match="power of two"):
            cars.indexes.salt("color", "white", 3)
        with pytest.raises(NotFound, match="pink"):
            cars.indexes.salt("color", "pink", 2)
    told = orjson.loads(_run(server.url, "cars", "--json").stdout)
    HotTerms.model_validate({"hot_terms": told})
    assert {each["fan"] for each in told if each["value"] == "white"} == {4}
    shown = _run(server.url)
    assert shown.exit_code == 0
    assert "white" in shown.stdout
    TermChanged.model_validate({**orjson.loads(orjson.dumps(made)), "value": made.value})


def test_the_command_wants_a_server(tmp_path: Path) -> None:
    refused = _run(str(tmp_path))
    assert refused.exit_code != 0
    assert "not a server's URL" in refused.stderr
