"""The commands of global indexes, as a person and as a program use them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from docstore import Store

Run = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with thirty cars."""
    path = tmp_path / "data"
    with Store.open(path) as store:
        store.create_collection("cars", partitions=2).put_many(
            {"id": f"{n}", "color": ["red", "blue"][n % 2], "price": n} for n in range(30)
        )
    return path


@pytest.fixture
def run(data: Path) -> Run:
    def run(*words: str) -> Any:
        command, *rest = words
        return CliRunner().invoke(app, ["index", command, str(data), "cars", *rest])

    return run


def test_an_index_is_created_listed_rebuilt_checked_and_dropped(run: Run, data: Path) -> None:
    created = run("create", "color", "--include", "price", "--partitions", "2")
    assert created.exit_code == 0, created.output
    assert "filled the index color: 30 documents under 2 values" in created.stdout
    assert "color" in run("list").stdout
    (listed,) = orjson.loads(run("list", "--json").stdout)
    assert (listed["name"], listed["include"], listed["state"]) == ("color", ["price"], "ready")
    assert "rebuilt the index color" in run("rebuild", "color").stdout
    assert orjson.loads(run("rebuild", "color", "--partition", "1", "--json").stdout)["lag"] == 0
    assert run("check").stdout == "no divergence\n"
    assert run("check", "color", "--json").stdout == ""
    with Store.open(data) as store:
        found = store.collection("cars").search(filter={"color": "red"}, index="color")
        assert found.total == 15
    for index, name in (("color", "global_covered"), ("none", "scatter")):
        words = ["search", str(data), "cars", "--filter", '{"color": "red"}', "--index", index]
        answered = orjson.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
        assert (answered["total"], answered["plan"]["chosen"]["name"]) == (15, name)
        assert ("indexes" in answered) == (index == "color")
        words[0] = "explain"
        assert name in CliRunner().invoke(app, words).stdout
    words = ["search", str(data), "cars", "--max-fanout", "1"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code != 0
    assert "2 shards, and 1 places are allowed" in refused.output
    assert CliRunner().invoke(app, [*words, "--filter", '{"color": "red"}']).exit_code == 0
    words[0] = "explain"
    assert CliRunner().invoke(app, [*words, "--filter", '{"color": "red"}']).exit_code == 0
    assert "is named colour now" in run("rename", "color", "colour").stdout
    assert orjson.loads(run("rename", "colour", "color", "--json").stdout)["index"] == "color"
    assert "removed" in run("drop", "color").stdout
    assert run("list").stdout == "no global index\n"


def test_an_index_over_several_fields_by_ranges(run: Run) -> None:
    words = ("create", "color", "price", "--ranges", "--name", "both", "--include", "all")
    made = orjson.loads(run(*words, "--json").stdout)
    assert (made["name"], made["field"], made["by"]) == ("both", ["color", "price"], "range")
    assert made["include"] == "all"


def test_an_index_that_is_not_there_is_named_with_those_there_are(run: Run) -> None:
    run("create", "color")
    for command in ("drop", "rebuild", "check"):
        wrong = run(command, "colour")
        assert wrong.exit_code == 3
        assert "indexes: color" in wrong.stderr


def test_an_index_over_a_field_that_no_document_has_is_remarked_on(run: Run) -> None:
    created = run("create", "colour")
    assert created.exit_code == 0
    assert "no document has what it is over" in created.output


def test_a_value_is_spread_and_gathered(run: Run) -> None:
    run("create", "color", "--partitions", "4")
    run("create", "color", "price", "--partitions", "2", "--name", "both")
    shown = run("salt", "color", "red", "--fan", "4")
    assert shown.exit_code == 0, shown.output
    assert "red is spread over 4 parts of the index color: 15 documents" in shown.stdout
    (color, both) = orjson.loads(run("list", "--json").stdout)
    assert (color["salts"], both["salts"]) == ([{"value": "red", "fan": 4}], [])
    made = orjson.loads(run("salt", "both", '["red", 4]', "--fan", "2", "--json").stdout)
    assert (made["value"], made["documents"]) == (["red", 4], 1)
    assert run("check").stdout == "no divergence\n"
    assert "1 part of" in run("salt", "color", "red", "--fan", "1").stdout
    assert run("salt", "color", "pink", "--fan", "2").exit_code != 0
