"""The command that salts a key, gathers it again and lists what is salted."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from docstore import Key, Store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "data") as store:
        sales = store.create_collection("sales", key=Key("seller", "n"), partitions=4)
        sales.put_many([{"seller": "big", "n": number} for number in range(40)])
    return tmp_path / "data"


def _run(data: Path, *words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["salt", str(data), "sales", *words])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def test_a_key_is_salted_listed_and_gathered(data: Path) -> None:
    assert "no key is salted" in _run(data).stdout
    assert "40 documents of 4 shards" in _run(data, "big", "--fan", "4").stdout
    assert orjson.loads(_run(data, "--json").stdout) == [{"key": "big", "fan": 4}]
    assert "big" in _run(data).stdout
    assert "nothing had to move" in _run(data, "big", "--fan", "4").stdout
    assert orjson.loads(_run(data, "big", "--fan", "1", "--json").stdout)["kind"] == "salt"
    with Store.open(data) as store:
        assert list(store.check()) == []
        assert store.collection("sales").count() == 40


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("big", "--fan", "3"), "power of two"),
        (("big", "--fan", "10000"), "power of two"),
        (("nobody", "--fan", "4"), "nothing to spread"),
        (("big",), "a key and a fan"),
        (("--fan", "4"), "a key and a fan"),
        (("big,3", "--fan", "4"), "not a partition key"),
    ],
)
def test_what_cannot_be_salted_is_refused(data: Path, words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, ["salt", str(data), "sales", *words])
    assert result.exit_code != 0
    assert said in result.stderr
