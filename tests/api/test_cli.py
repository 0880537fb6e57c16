"""The commands, as a person and as a program use them."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.failures import EXIT_CODES_HELP, exit_code_of
from docstore import (
    AlreadyExists,
    Closed,
    Corruption,
    DocstoreError,
    InvalidQuery,
    NotFound,
    Schema,
    Store,
    Unavailable,
    VersionConflict,
)
from tests.conftest import LISTINGS, ROOT

LISTED = [orjson.loads(line) for line in LISTINGS.read_bytes().splitlines()]
COMMANDS = (
    "load",
    "get",
    "put",
    "delete",
    "scan",
    "dump",
    "search",
    "explain",
    "advise",
    "collections",
    "stats",
    "check",
    "rebuild",
    "split",
    "merge",
    "salt",
    "drop",
)

Run = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with a collection `cars` of three hundred listings."""
    path = tmp_path / "data"
    with Store.open(path) as store:
        store.create_collection("cars", Schema.infer(LISTED[:300])).put_many(LISTED[:300])
    return path


@pytest.fixture
def run(data: Path) -> Run:
    """Runs a command on that store and expects an exit code."""

    def run_it(command: str, *words: str, code: int = 0, stdin: bytes | str | None = None) -> Any:
        result = CliRunner().invoke(app, [command, str(data), *words], input=stdin)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run_it


def process(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "api", *words],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        check=False,
    )


def test_search_answers_programs_with_one_object(run: Run) -> None:
    narrowed = '{"make": "Ford", "price": {"lt": 20000}}'
    asked = ("cars", "ford", "--filter", narrowed, "--sort", "price", "--json")
    answer = orjson.loads(run("search", *asked, "--limit", "3").stdout)
    wanted = sorted(
        (car["price"], car["id"])
        for car in LISTED[:300]
        if car["make"] == "Ford" and car["price"] < 20000
    )
    assert answer["total"] == len(wanted)
    found = [(hit["document"]["price"], hit["key"]) for hit in answer["hits"]]
    assert found == wanted[:3]
    assert set(answer) == {"total", "took_ms", "shards_touched", "plan", "hits"}
    assert set(answer["hits"][0]) == {"key", "score", "sort", "version", "document"}
    assert answer["shards_touched"] == 4
    assert answer["plan"]["chosen"]["name"] == "scatter"


@pytest.mark.parametrize("sort", ["-price", "price:desc"])
def test_search_sorts_downwards(run: Run, sort: str) -> None:
    answer = orjson.loads(run("search", "cars", "--sort", sort, "--json", "-n", "5").stdout)
    prices = sorted((car["price"] for car in LISTED[:300]), reverse=True)
    assert [hit["sort"] for hit in answer["hits"]] == prices[:5]


def test_a_sort_by_an_unknown_field_is_remarked(run: Run, data: Path) -> None:
    with Store.open(data) as store:
        store.create_collection("loose").put({"id": "a", "price": 1})
    assert "no document has a field 'pric'" in run("search", "loose", "--sort", "pric").stderr
    assert "no document" not in run("search", "loose", "--sort", "price").stderr


def test_search_pages_selects_and_requires_words(run: Run) -> None:
    page = ("--limit", "2", "--offset", "1", "--select", "make, seller.name", "--json")
    answer = orjson.loads(run("search", "cars", "--sort", "id", *page).stdout)
    assert [hit["key"] for hit in answer["hits"]] == ["car-000002", "car-000003"]
    assert all(set(hit["document"]) == {"make", "seller"} for hit in answer["hits"])
    either = orjson.loads(run("search", "cars", "ford manual", "--json").stdout)["total"]
    both = orjson.loads(run("search", "cars", "ford manual", "--operator", "and", "--json").stdout)[
        "total"
    ]
    assert 0 < both < either


def test_search_shows_people_a_table_that_fits(run: Run) -> None:
    shown = run("search", "cars", "ford", "--limit", "3").stdout
    header, *_, last = shown.splitlines()
    assert header.split()[:2] == ["key", "score"]
    assert "1-3 of" in last
    assert "4 shards" in last
    assert max(map(len, shown.splitlines())) <= 80


def test_search_counts_values_for_programs(run: Run) -> None:
    asked = ("search", "cars", "--facet", "make:2", "--facet", "color", "--json")
    facets = orjson.loads(run(*asked).stdout)["facets"]
    assert [len(facets["make"]), len(facets["color"])] == [2, 10]
    first = facets["make"][0]
    assert first["documents"] == sum(each["make"] == first["value"] for each in LISTED[:300])


def test_search_shows_people_values_and_words_that_were_found(run: Run) -> None:
    shown = run("search", "cars", "leather", "--facet", "body:3", "--highlight", "-n", "2").stdout
    assert shown.startswith("body")
    assert "█" * 12 in shown
    assert "features" in shown
    assert "<mark>" not in shown
    answer = orjson.loads(run("search", "cars", "leather", "--highlight", "--json").stdout)
    assert all("<mark>" in str(hit["highlights"]) for hit in answer["hits"])
    assert "facets" not in answer


@pytest.mark.parametrize("facet", ["color:x", ":5", "color:-1", "color:", "color:99999999999"])
def test_a_facet_that_cannot_be_read_is_told(run: Run, facet: str) -> None:
    assert "--facet" in run("search", "cars", "--facet", facet, code=2).stderr


def test_search_that_finds_nothing_says_so(run: Run) -> None:
    assert run("search", "cars", "zeppelin").stdout.startswith("nothing found")


def test_a_document_cannot_drive_the_terminal(run: Run) -> None:
    run("put", "cars", '{"id": "evil\\u001b[2J", "make": "\\u001b]0;x\\u0007honda", "price": 1}')
    for command in (("search", "cars", "--sort", "price"), ("scan", "cars", "--prefix", "evil")):
        shown = run(*command).stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_explain_shows_the_plan_as_a_tree_and_as_json(run: Run) -> None:
    asked = ("explain", "cars", "--filter", '{"id": "car-000001"}')
    shown = run(*asked).stdout
    assert "chosen" in shown
    assert "point_read" in shown
    assert "rejected" in shown
    assert orjson.loads(run(*asked, "--json").stdout)["chosen"]["name"] == "point_read"


def test_get_prints_the_document_and_json_adds_its_version(run: Run) -> None:
    assert orjson.loads(run("get", "cars", "car-000007").stdout) == LISTED[6]
    answer = orjson.loads(run("get", "cars", "car-000007", "--json").stdout)
    assert answer == {"key": "car-000007", "version": 1, "document": LISTED[6]}


def test_put_stores_from_the_argument_a_file_and_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"id": "b", "make": "file"}')
    assert run("put", "cars", '{"id": "a", "make": "word"}').stdout.startswith("created a, version")
    run("put", "cars", f"@{tmp_path / 'one.json'}")
    run("put", "cars", "-", stdin='{"id": "c", "make": "pipe"}')
    run("put", "cars", stdin='{"make": "keyed"}', code=0)
    run("put", "cars", '{"make": "named"}', "--key", "d")
    makes = [orjson.loads(run("get", "cars", key).stdout)["make"] for key in ("a", "b", "c", "d")]
    assert makes == ["word", "file", "pipe", "named"]


def test_put_conditions_are_kept(run: Run) -> None:
    run("put", "cars", '{"id": "a"}', "--if-present", code=4)
    first = orjson.loads(run("put", "cars", '{"id": "a"}', "--if-absent", "--json").stdout)
    assert (first["version"], first["created"]) == (1, True)
    run("put", "cars", '{"id": "a"}', "--if-absent", code=4)
    run("put", "cars", '{"id": "a"}', "--if-version", "1")
    stale = run("put", "cars", '{"id": "a"}', "--if-version", "1", "--json", code=4)
    assert orjson.loads(stale.stderr)["code"] == "version-conflict"


def test_a_repeated_operation_gives_the_first_answer(run: Run) -> None:
    answers = [
        run("put", "cars", '{"id": "a"}', "--op-id", "one", "--json").stdout for _ in range(2)
    ]
    assert answers[0] == answers[1]


def test_a_write_is_found_by_the_position_it_returned(run: Run) -> None:
    written = orjson.loads(run("put", "cars", '{"id": "a", "make": "tatra"}', "--json").stdout)
    found = run("search", "cars", "tatra", "--after", written["position"], "--json")
    assert orjson.loads(found.stdout)["total"] == 1


def test_delete_removes_and_says_what_was_not_there(run: Run) -> None:
    shown = run("delete", "cars", "car-000001", "nothing").stdout
    assert shown == "deleted car-000001\nthere was no nothing\n"
    run("get", "cars", "car-000001", code=3)
    run("delete", "cars", "car-000002", "--if-version", "9", code=4)
    run("delete", "cars", "a", "b", "--if-version", "1", code=2)


def test_scan_prints_a_line_per_document_in_key_order(run: Run) -> None:
    lines = run("scan", "cars", "--json").stdout.splitlines()
    assert [orjson.loads(line)["document"] for line in lines] == LISTED[:300]
    bounds = ("--start", "car-000010", "--end", "car-000013", "--reverse", "--json")
    keys = [orjson.loads(line)["key"] for line in run("scan", "cars", *bounds).stdout.splitlines()]
    assert keys == ["car-000012", "car-000011", "car-000010"]


def test_scan_shows_people_the_first_rows_and_says_so(run: Run) -> None:
    result = run("scan", "cars")
    assert len(result.stdout.splitlines()) == 52
    assert "the first 50" in result.stderr
    assert run("scan", "cars", "--prefix", "car-00001", "-n", "60").stderr == ""


@pytest.mark.parametrize("name", ["cars.jsonl", "cars.jsonl.gz"])
def test_a_dump_loads_into_an_equal_collection(run: Run, tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    assert "300 documents" in run("dump", "cars", "--output", str(output)).stdout
    written = output.read_bytes()
    written = gzip.decompress(written) if name.endswith(".gz") else written
    assert written == run("dump", "cars").stdout_bytes
    run("load", "copy", str(output))
    assert run("dump", "copy").stdout_bytes == written
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "data"]


def test_a_dump_that_cannot_be_written_leaves_nothing(run: Run, tmp_path: Path) -> None:
    run("dump", "cars", "--output", str(tmp_path / "none" / "x.jsonl"), code=5)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_stats_and_collections_count_documents(run: Run) -> None:
    assert "300 documents" in run("stats").stdout
    assert orjson.loads(run("stats", "cars", "--json").stdout)["documents"] == 300
    (listed,) = orjson.loads(run("collections", "--json").stdout)
    assert (listed["collection"], listed["documents"], listed["key"]) == ("cars", 300, ["id"])
    assert "cars" in run("collections").stdout


def test_check_and_rebuild_find_a_whole_store_whole(run: Run) -> None:
    assert run("check").stdout == "no violation\n"
    assert run("check", "cars", "--json").stdout == ""
    run("rebuild", "cars", "--partition", "9", code=3)
    assert run("rebuild", "cars", "--partition", "1").stdout.startswith("rebuilt the index of cars")
    assert orjson.loads(run("rebuild", "cars", "--json").stdout)["documents"] == 300
    assert run("check", "cars").stdout == "no violation\n"


def test_check_names_violations_and_exits_with_1(run: Run, data: Path) -> None:
    (data / "cars" / "shards" / "77").mkdir()
    shown = run("check", code=1)
    assert shown.stdout == "cars map: no partition owns shard 77\n"
    (line,) = run("check", "--json", code=1).stdout.splitlines()
    assert orjson.loads(line)["rule"] == "map"


def test_drop_asks_first(run: Run) -> None:
    run("drop", "cars", stdin="n\n", code=1)
    run("drop", "cars", stdin="", code=1)
    run("drop", "cars", "--json", code=2)
    assert orjson.loads(run("collections", "--json").stdout)
    shown = run("drop", "cars", stdin="y\n").stdout
    assert shown.endswith("removed cars with its 300 documents\n")
    assert orjson.loads(run("collections", "--json").stdout) == []


READING = [
    ("search", "cars"),
    ("explain", "cars"),
    ("get", "cars", "x"),
    ("scan", "cars"),
    ("dump", "cars"),
    ("stats",),
    ("check",),
    ("collections",),
    ("put", "cars", "{}"),
    ("delete", "cars", "x"),
    ("rebuild", "cars"),
    ("split", "cars", "0"),
    ("merge", "cars", "0", "1"),
    ("drop", "cars", "--yes"),
]


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_only_load_makes_a_store(tmp_path: Path, words: tuple[str, ...]) -> None:
    command, *rest = words
    missing = tmp_path / "none"
    result = CliRunner().invoke(app, [command, str(missing), *rest])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"error: there is no store in {missing}"[:60])
    assert "hint: make one: docstore load" in result.stderr
    assert not missing.exists()


@pytest.mark.parametrize("words", READING[:5], ids=lambda words: words[0])
def test_a_collection_that_is_missing_is_named_with_those_there_are(
    run: Run, words: tuple[str, ...]
) -> None:
    command, _, *rest = words
    told = orjson.loads(run(command, "boats", *rest, "--json", code=3).stderr)
    assert told["code"] == "not-found"
    assert "boats" in told["message"]
    assert "cars" in told["hint"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "cars", "--filter", "{bad"), "--filter is not JSON"),
        (("search", "cars", "--query", '{"magic": {}}'), "magic"),
        (("search", "cars", "--limit", "-1"), "limit"),
        (("search", "cars", "--limit", "1000000000"), "limit"),
        (("search", "cars", "--freshness", "old"), "freshness"),
        (("search", "cars", "--after", "soon"), "position"),
        (("search", "cars", "--operator", "xor"), "operator"),
        (("search", "cars", "--sort", "price:up"), "sort"),
        (("explain", "cars", "--filter", "[]"), "not an object"),
        (("put", "cars", "{"), "not JSON"),
        (("put", "cars", "[]"), "not an object"),
        (("put", "cars", '{"id": ""}'), "key is empty"),
        (("put", "cars", '{"id": "x", "price": "cheap"}'), "price"),
        (("get", "cars", "k" * 512), "512 bytes"),
        (("get", "cars", "\udcff"), "Unicode"),
        (("scan", "cars", "--limit", "-1"), "limit"),
    ],
)
def test_a_wrong_request_gets_one_line_and_a_hint(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    shown = run(*words, code=2).stderr
    error, hint = shown.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert hint.startswith("hint: ")
    told = orjson.loads(run(*words, "--json", code=2).stderr)
    assert {"code", "message", "hint", "retryable"} <= set(told)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DocstoreError("x"), 1),
        (InvalidQuery("x"), 2),
        (NotFound("x"), 3),
        (VersionConflict("x"), 4),
        (AlreadyExists("x"), 4),
        (Unavailable("x"), 5),
        (Closed("x"), 5),
        (Corruption("x"), 6),
    ],
)
def test_every_group_of_errors_has_its_exit_code(error: DocstoreError, code: int) -> None:
    assert exit_code_of(error) == code


def test_a_damaged_definition_is_corruption(run: Run, data: Path) -> None:
    (data / "cars" / "collection.json").write_text("{")
    assert "error: collection.json is not JSON" in run("get", "cars", "x", code=6).stderr


def test_a_held_store_can_be_read_and_searched_but_not_written(data: Path) -> None:
    with Store.open(data) as store:
        store.collection("cars").put({"id": "new", "make": "tatra"})
        store.collection("cars").refresh()
        found = process("search", str(data), "cars", "tatra", "--json")
        assert orjson.loads(found.stdout)["total"] == 1, found.stderr
        assert process("get", str(data), "cars", "new").returncode == 0
        assert process("check", str(data)).stdout == b"no violation\n"
        refused = process("put", str(data), "cars", '{"id": "x"}')
    assert refused.returncode == 5
    assert b"open for writing by process" in refused.stderr


def test_a_reader_that_goes_away_is_no_error(data: Path) -> None:
    command = [sys.executable, "-m", "api", "dump", str(data), "cars"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as dump:
        assert dump.stdout is not None
        assert dump.stderr is not None
        dump.stdout.close()
        assert dump.stderr.read() == b""
        assert dump.wait() == 141


def test_help_names_every_command_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert all(f" {command} " in shown for command in COMMANDS)
    assert EXIT_CODES_HELP.split(",")[0] in shown
    assert "Cluster" not in shown  # there is none: it only plans


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    assert f"docstore {command} ./data" in shown.partition("Example:")[2]


def test_the_version_is_told() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.stdout) == (0, f"docstore {version('docstore')}\n")
    assert version("docstore") in (ROOT / "pyproject.toml").read_text()


def test_a_wrong_command_line_exits_with_2() -> None:
    assert CliRunner().invoke(app, ["fly"]).exit_code == 2
    assert CliRunner().invoke(app, ["get", "x"]).exit_code == 2
