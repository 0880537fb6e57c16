"""The command that says when partitions split, and what the statistics tell of it."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.changes_text import limits_text, moving_text, past_text, troubles
from api.cli import app
from docstore import AutoSplit, Store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "data") as store:
        store.create_collection("cars", partitions=1).put_many({"id": f"c{n}"} for n in range(40))
    return tmp_path / "data"


def _run(*words: Any, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def _limits(data: Path) -> Any:
    return orjson.loads(_run("auto-split", data, "cars", "--json").stdout)["limits"]


def test_limits_are_shown_and_set(data: Path) -> None:
    assert "above 1,000,000 documents or 4.3 GB" in _run("auto-split", data, "cars").stdout
    told = _run("auto-split", data, "cars", "--documents", 500, "--bytes", 0)
    assert told.stdout == "a partition is split above 500 documents, merged below 25% of that\n"
    _run("auto-split", data, "cars", "--writes-per-second", 100, "--merge-below", 0)
    asked = {"documents": 500, "bytes": None, "writes_per_second": 100.0, "merge_below": 0.0}
    assert _limits(data) == {**asked, "window_seconds": 60.0}
    assert "only when somebody says so" in _run("auto-split", data, "cars", "--off").stdout
    assert _limits(data) is None
    _run("auto-split", data, "cars", "--on", "--window", 5)
    assert _limits(data) == AutoSplit(window_seconds=5).as_dict()


@pytest.mark.parametrize(
    "words", [["--off", "--documents", "5"], ["--documents", "1"], ["--merge-below", "0.9"]]
)
def test_wrong_limits_are_refused_and_change_nothing(data: Path, words: list[str]) -> None:
    assert "hint" in _run("auto-split", data, "cars", *words, code=2).stderr
    assert _limits(data) == AutoSplit().as_dict()


def test_statistics_tell_the_changes_and_the_limits(data: Path) -> None:
    _run("split", data, "cars", 0)
    told = _run("stats", data, "cars")
    assert "split 0 into 1 and 2: 40 documents in " in told.stdout
    assert "a partition is split above 1,000,000 documents" in told.stderr


def test_a_change_is_told_in_words() -> None:
    moving = {"kind": "split", "from": [3], "into": [8, 9], "phase": "indexing"}
    told = moving_text({**moving, "done": 1_000, "of": 2_000, "seconds": 4.2})
    assert told == "split 3 into 8 and 9: indexing, 1,000 of 2,000, 4 s so far"
    past = {"kind": "merge", "from": [8, 9], "into": [10], "seconds": None, "why": "small\n"}
    assert past_text(past) == "merge 8 and 9 into 10; small"
    made = {**past, "documents": 1, "seconds": 2.0, "pause_ms": 3.25, "why": None}
    assert past_text(made) == "merge 8 and 9 into 10: 1 document in 2.0 s, writers waited 3.2 ms"
    assert past_text({**past, "kind": "salt", "from": [], "into": []}) == "salt; small"
    assert limits_text(AutoSplit(None, None, 50.0).as_dict()).startswith(
        "a partition is split above 50 writes/s for 60 s"
    )
    state = {"unsplittable": [{"partition": 1, "why": "one key"}], "error": "disk full"}
    assert troubles(state) == ["cannot be split: one key", "the last change failed: disk full"]
