"""Loads: what goes in, what is refused, and how a load that was stopped goes on."""

import gzip
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli import app
from api.lines import Line, source_of
from api.load import BATCH_BYTES, Interrupts, Tally, batches
from api.load_progress import PROGRESS_FILE
from api.load_report import REFUSED_SHOWN, progress_text
from docstore import InvalidRequest, Store
from indexing.schema import Kind
from tests.conftest import LISTINGS, ROOT

Load = Callable[..., Any]
STDIN = source_of("-")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Runs `load` into the collection `cars` of the test's store and expects an exit code."""

    def run(*words: str | Path, code: int = 0, stdin: bytes | None = None) -> Any:
        command = ["load", str(tmp_path / "data"), "cars", *map(str, words)]
        result = CliRunner().invoke(app, command, input=stdin)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run


def jsonl(path: Path, *documents: Any) -> Path:
    """A file with a line per document; bytes are a line as they are."""
    lines = [each if isinstance(each, bytes) else orjson.dumps(each) for each in documents]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def documents(tmp_path: Path) -> list[dict[str, Any]]:
    """What the collection holds, in key order; every invariant is checked."""
    with Store.open(tmp_path / "data") as store:
        assert list(store.check()) == []
        return [each.document for each in store.collection("cars").scan()]


def test_the_listings_load_and_the_summary_counts_them(load: Load, tmp_path: Path) -> None:
    result = load(LISTINGS)
    assert result.stdout.startswith("3,000 documents in cars, ")
    assert result.stdout.endswith(" docs/s\n")
    assert documents(tmp_path) == [
        orjson.loads(line) for line in LISTINGS.read_bytes().splitlines()
    ]
    assert not (tmp_path / "data" / "cars" / PROGRESS_FILE).exists()


def test_files_compressed_and_not_and_standard_input_load_together(
    load: Load, tmp_path: Path
) -> None:
    plain = jsonl(tmp_path / "a.jsonl", {"id": "a"})
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"id": "b"}\n'))
    result = load(plain, packed, "-", "--json", stdin=b'{"id": "c"}\n')
    summary = orjson.loads(result.stdout)
    assert (summary["documents"], summary["loaded"], summary["refused"]) == (3, 3, 0)
    assert [each["id"] for each in documents(tmp_path)] == ["a", "b", "c"]


def test_loading_again_replaces_and_adds_nothing(load: Load, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"id": "a", "n": 1}, {"n": 2})
    load(file)
    before = documents(tmp_path)
    load(file)
    assert documents(tmp_path) == before
    assert len(before) == 2


def test_documents_without_a_key_get_one_and_the_load_tells(load: Load, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"n": 1}, {"id": None, "n": 2}, {"id": "x", "n": 3})
    assert "2 documents had no 'id'; keys were made for them" in load(file).stderr
    assert [each["n"] for each in documents(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize("given", [["--key", "make", "--key", "n"], ["--key", "make,n"]])
def test_a_compound_key_is_given_twice_or_with_commas(
    load: Load, tmp_path: Path, given: list[str]
) -> None:
    load(jsonl(tmp_path / "a.jsonl", {"make": "b", "n": 1}, {"make": "a", "n": 2}), *given)
    with Store.open(tmp_path / "data") as store:
        cars = store.collection("cars")
        assert cars.key_fields == ("make", "n")
        assert [each.key for each in cars.scan()] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("schema", ["infer", "none"])
def test_whole_numbers_are_keys_too(load: Load, tmp_path: Path, schema: str) -> None:
    load(jsonl(tmp_path / "a.jsonl", {"id": 10}, {"id": 9}), "--schema", schema)
    with Store.open(tmp_path / "data") as store:
        assert [each.key for each in store.collection("cars").scan()] == [9, 10]


def test_the_schema_is_inferred_read_or_left_out(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"id": "a", "price": 5})
    definition = tmp_path / "schema.json"
    definition.write_text('{"fields": {"id": "keyword", "price": "float"}}')
    kinds: dict[str, dict[str, Kind]] = {}
    for schema in ("infer", str(definition), "none"):
        data = tmp_path / Path(schema).stem
        command = ["load", str(data), "cars", str(file), "--schema", schema]
        assert CliRunner().invoke(app, command).exit_code == 0
        with Store.open(data) as store:
            leaves = store.collection("cars").schema.leaves()
            kinds[Path(schema).stem] = {path: leaf.kind for path, leaf in leaves}
    assert kinds == {
        "infer": {"id": Kind.STRING, "price": Kind.INT},
        "schema": {"id": Kind.KEYWORD, "price": Kind.FLOAT},
        "none": {},
    }


def test_broken_lines_are_reported_with_place_and_reason_and_stop_nothing(
    load: Load, tmp_path: Path
) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"fields": {"id": "keyword", "price": "int"}}')
    lines = ({"id": "a"}, b"{broken", b"", [1], b"7", {"id": "b", "price": "x"}, {"id": "c"})
    file = jsonl(tmp_path / "a.jsonl", *lines)
    result = load(file, "--schema", schema, code=1)
    reported = [line for line in result.stderr.splitlines() if line.startswith(str(file))]
    places = [line.removeprefix(str(file)).split(":")[1] for line in reported]
    assert places == ["2", "4", "5", "6"]
    assert "not JSON" in reported[0]
    assert "jq" in load(jsonl(tmp_path / "b.jsonl", b'[{"id":'), code=1).stderr
    assert "a JSON int, not an object" in reported[2]
    assert "'price'" in reported[3]
    assert "refused 4 lines" in result.stderr
    assert result.stdout.startswith("2 documents in cars")


def test_programs_get_one_object_per_refused_line(load: Load, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"id": "a"}, b"{", b"}")
    result = load(file, "--json", code=1)
    told = [orjson.loads(line) for line in result.stderr.splitlines()]
    assert [(each["file"], each["line"]) for each in told] == [(str(file), 2), (str(file), 3)]
    assert orjson.loads(result.stdout)["refused"] == 2


def test_many_broken_lines_are_only_counted(load: Load, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", *[b"{"] * (REFUSED_SHOWN + 30), {"id": "a"})
    told = load(file, code=1).stderr
    assert sum(line.startswith(str(file)) for line in told.splitlines()) == REFUSED_SHOWN
    assert f"refused {REFUSED_SHOWN + 30} lines" in told


def test_stopping_at_an_error_leaves_the_lines_before_and_goes_on_from_there(
    load: Load, tmp_path: Path
) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"id": "a"}, {"id": "b"}, b"{", {"id": "c"})
    load(file, "--stop-on-error", "--batch", "2", code=1)
    assert [each["id"] for each in documents(tmp_path)] == ["a", "b"]
    result = load(file, code=1)
    assert "going on after line 2" in result.stderr
    assert "refused 1 line\n" in result.stderr
    assert [each["id"] for each in documents(tmp_path)] == ["a", "b", "c"]


def test_restart_begins_at_the_first_line(load: Load, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"id": "a"}, b"{")
    load(file, "--stop-on-error", "--batch", "1", code=1)
    result = load(file, "--restart", "--json", code=1)
    assert orjson.loads(result.stdout)["loaded"] == 1
    assert orjson.loads(result.stdout)["resumed_after_lines"] == 0


def test_damaged_gzip_loads_what_it_holds_and_says_where_it_ends(
    load: Load, tmp_path: Path
) -> None:
    whole = gzip.compress(b"".join(b'{"id": "%06d"}\n' % number for number in range(20_000)))
    file = tmp_path / "a.gz"
    file.write_bytes(whole[: len(whole) // 2])
    assert "not whole gzip after line" in load(file, code=2).stderr
    held = documents(tmp_path)
    assert held == [{"id": f"{number:06d}"} for number in range(len(held))]
    assert held


@pytest.mark.parametrize(
    ("words", "lowers"),
    [
        (["--range"], [""]),
        (["--pre-split", "g", "--pre-split", "n"], ["", "g", "n"]),
        (["--key", "n", "--pre-split", "10"], ["", "10"]),
    ],
)
def test_a_load_makes_ranges_of_keys_and_goes_on_after_a_split(
    load: Load, tmp_path: Path, words: list[str], lowers: list[str]
) -> None:
    file = jsonl(tmp_path / "a.jsonl", *({"id": f"k{n:02}", "n": n} for n in range(20)))
    load(file, *words)
    with Store.open(tmp_path / "data") as store:
        cars = store.collection("cars")
        assert [each["lower"] for each in cars.stats()["partitions"]] == lowers
        fullest = max(cars.stats()["partitions"], key=lambda each: each["documents"])
        cars.split(fullest["partition"])
    load(jsonl(tmp_path / "b.jsonl", {"id": "z", "n": 99}), *words)
    assert len(documents(tmp_path)) == 21
    load(file, *words, "--pre-split", "zz", code=2)


@pytest.mark.parametrize(
    "words",
    [
        ["--key", "other"],
        ["--partitions", "3"],
        ["--range"],
        ["--pre-split", "m", "--partitions", "2"],
        ["--schema", "SCHEMA"],
        ["--key", "id,"],
        ["--batch", "0"],
        ["-", "-"],
    ],
)
def test_a_load_that_does_not_fit_is_refused_before_it_writes(
    load: Load, tmp_path: Path, words: list[str]
) -> None:
    load(jsonl(tmp_path / "a.jsonl", {"id": "a"}))
    (tmp_path / "SCHEMA").write_text('{"fields": {"id": "text"}}')
    words = [str(tmp_path / word) if word == "SCHEMA" else word for word in words]
    load(jsonl(tmp_path / "b.jsonl", {"id": "b"}), *words, code=2)
    assert [each["id"] for each in documents(tmp_path)] == ["a"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["none.jsonl"], 3),
        (["."], 2),
        (["a.jsonl", "--schema", "none.json"], 3),
        (["a.jsonl", "--schema", "a.jsonl"], 2),
    ],
)
def test_what_cannot_be_read_makes_no_store(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "a.jsonl", b"{")
    load(*words, code=code)
    assert not (tmp_path / "data").exists()


def test_an_empty_file_makes_an_empty_collection(load: Load, tmp_path: Path) -> None:
    assert load(jsonl(tmp_path / "a.jsonl")).stdout == "0 documents in cars, 0 docs/s\n"


def interrupted(tmp_path: Path, number: signal.Signals) -> tuple[Path, int, str]:
    """Interrupt a load in its middle; returns its file, its exit code and what it told.

    Each batch has a broken line, so that stderr says how far the load has come; after the file the
    load waits for standard input, so that it is still there when the signal comes.
    """
    lines = [
        b"{broken" if place % 10 == 0 else orjson.dumps({"id": f"{place:04d}"})
        for place in range(95)
    ]
    file = jsonl(tmp_path / "a.jsonl", *lines)
    with Store.open(tmp_path / "data") as store:
        store.create_collection("cars")
    command = [sys.executable, "-m", "api", "load", str(tmp_path / "data"), "cars"]
    with subprocess.Popen(
        [*command, str(file), "-", "--batch", "10"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for _ in range(9):
            assert "not JSON" in process.stderr.readline()
        process.send_signal(number)
        told = process.stderr.read()
        return file, process.wait(), told


def test_an_interrupted_load_says_how_to_go_on_and_does(load: Load, tmp_path: Path) -> None:
    file, code, told = interrupted(tmp_path, signal.SIGINT)
    assert code == 130
    assert told.splitlines() == [
        "what was loaded is safe; the same command goes on from here",
        "error: interrupted",
    ]
    result = load(file, "--json", code=1)
    summary = orjson.loads(result.stdout)
    assert summary["resumed_after_lines"] == 90
    assert (summary["documents"], summary["loaded"], summary["refused"]) == (85, 4, 10)


def test_a_killed_load_goes_on_and_every_document_is_there_once(load: Load, tmp_path: Path) -> None:
    file, code, _ = interrupted(tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    result = load(file, code=1)
    assert "going on after line" in result.stderr
    wanted = [f"{place:04d}" for place in range(95) if place % 10]
    assert [each["id"] for each in documents(tmp_path)] == wanted


@pytest.mark.parametrize(("signals", "is_done"), [(1, True), (2, False)])
def test_an_interrupt_waits_for_guarded_work_and_a_second_one_does_not(
    signals: int, is_done: bool
) -> None:
    interrupts = Interrupts()
    done: list[bool] = []

    def work() -> None:
        with interrupts.handled(), interrupts.guarded():
            for _ in range(signals):
                signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert bool(done) is is_done


@given(st.lists(st.integers(0, 9)), st.integers(1, 7))
def test_batches_hold_all_lines_in_order(sizes: list[int], documents_max: int) -> None:
    lines = [Line(STDIN, place, b"x" * size) for place, size in enumerate(sizes)]
    made = list(batches(lines, documents_max))
    assert [line for batch in made for line in batch] == lines
    assert all(len(batch) == documents_max for batch in made[:-1])


def test_a_batch_ends_when_it_has_enough_bytes() -> None:
    lines = [Line(STDIN, place, bytes(BATCH_BYTES)) for place in range(3)]
    assert [len(batch) for batch in batches(lines, 100)] == [1, 1, 1]


def test_progress_in_words_counts_what_was_refused() -> None:
    assert progress_text(Tally()) == "0 documents, 0 docs/s"
    assert progress_text(Tally(refused=1200)).endswith(", 1,200 refused")


def test_a_failing_read_comes_after_the_lines_before_it() -> None:
    def lines() -> Any:
        yield Line(STDIN, 1, b"{}")
        raise InvalidRequest("damaged")

    made = batches(lines(), 10)
    assert [line.number for line in next(made)] == [1]
    with pytest.raises(InvalidRequest, match="damaged"):
        next(made)
