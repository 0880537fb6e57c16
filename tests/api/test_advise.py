"""The advisor's command: tables for people, JSON for programs."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from docstore import Store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=8)
        cars.put_many([{"id": f"car-{n}", "make": f"make-{n % 40}"} for n in range(400)])
    return tmp_path / "data"


def _run(data: Path, *words: str, asked: str, code: int = 0) -> Any:
    command = ["advise", str(data), "cars", "--workload", "-", *words]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, command, input=asked)
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


_ASKED = "\n".join(
    orjson.dumps({"op": "search", "filter": {"make": f"make-{n}"}, "count": 5}).decode()
    for n in range(40)
)


def test_people_get_tables_and_a_recommendation(data: Path) -> None:
    shown = _run(data, asked=_ASKED).stdout
    assert "hash of id (now)" in shown
    assert "Partition by" in shown
    assert "Global indexes" in shown


def test_programs_get_json(data: Path) -> None:
    told = orjson.loads(_run(data, "--json", "--partitions", "4", asked=_ASKED).stdout)
    assert told["operations"] == 200
    assert told["ways"][told["best"]]["key"] == ["make", "id"]
    assert told["ways"][0]["partitions"] == 4


def test_a_bad_line_is_named_where_it_stands(data: Path) -> None:
    refused = _run(data, asked='{"op": "get", "key": "car-1"}\n\n\n{"op": "fly"}', code=2)
    assert "line 4" in refused.stderr


def test_a_workload_that_is_not_there_is_an_error(data: Path) -> None:
    command = ["advise", str(data), "cars", "--workload", str(data / "nowhere.jsonl")]
    assert "there is no file" in CliRunner().invoke(app, command).stderr
