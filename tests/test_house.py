"""The house stands as drawn: rooms, imports, sizes, public names, types, style and the wheel.

Each test runs the real tool over the real tree and shows its words when it objects. What git
tracks, and what it would track, is the tree; caches go to a temporary directory.
"""

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("api", "docstore", "indexing")
LINES_MAX = 400
TEST_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

PUBLIC = {
    "api": [],
    "docstore": [
        "Advice",
        "AlreadyExists",
        "AutoSplit",
        "BatchResult",
        "Bucket",
        "Candidate",
        "Change",
        "Closed",
        "Collection",
        "Completion",
        "Corruption",
        "DeadlineExceeded",
        "Delete",
        "DeleteResult",
        "DocstoreError",
        "Document",
        "FailedWrite",
        "GlobalIndex",
        "Hash",
        "Histogram",
        "Hit",
        "HotKey",
        "HotTerm",
        "InvalidCluster",
        "InvalidDocument",
        "InvalidQuery",
        "InvalidRequest",
        "InvalidSchema",
        "Key",
        "Keyword",
        "LogTrimmed",
        "NotFound",
        "PartitionChange",
        "Plan",
        "Position",
        "Put",
        "Range",
        "Relief",
        "Schema",
        "SearchResult",
        "Sort",
        "Store",
        "Text",
        "Unavailable",
        "ValueCount",
        "VersionConflict",
        "Violation",
        "WriteResult",
        "aconnect",
        "advise",
        "after_hit",
        "connect",
    ],
    "indexing": [],
}
"""What each room's `__init__` promises to the outside; a change here is a change for users."""

OWNERS = {
    "httpx": {"docstore"},
    "jinja2": {"api"},
    "tantivy": {"indexing"},
    "lmdb": {"docstore"},
    "rich": {"api"},
    "starlette": {"api"},
    "typer": {"api"},
    "uvicorn": {"api"},
}
"""The one room that may import a library."""

UNFINISHED = re.compile(rb"\b(?:TO[D]O|FIX[M]E)\b")
VAGUE = frozenset({"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"})


def _run(*command: str | Path) -> str:
    """Run a program in the tree and return what it printed; its failure fails the test."""
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _tree(*paths: str) -> list[Path]:
    """The files git tracks or would track, relative to the root, without those just deleted."""
    listed = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *paths)
    names = {Path(name) for name in listed.split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


def _modules(*folders: str) -> list[Path]:
    return [name for name in _tree(*folders) if name.suffix == ".py"]


def _parsed(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"), str(module))


def _imported(module: Path) -> Iterator[str]:
    """The top-level names of everything a module imports, wherever in it the import stands."""
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            yield (node.module or "").partition(".")[0]


def _line_count(module: Path) -> int:
    return len((ROOT / module).read_text(encoding="utf-8").splitlines())


def test_imports_go_down_the_house() -> None:
    program = "from importlinter.cli import lint_imports_command as run; run()"
    _run(sys.executable, "-c", program, "--no-cache", "--no-logo")


def test_rooms_import_only_libraries_that_are_theirs() -> None:
    for library, rooms in OWNERS.items():
        users = {module for module in _modules(*ROOMS) if library in _imported(module)}
        assert {module.parts[0] for module in users} <= rooms, f"{library}: {users}"


def test_exactly_one_file_knows_lmdb() -> None:
    users = [str(module) for module in _modules("docstore") if "lmdb" in _imported(module)]
    assert len(users) == 1, users


def test_modules_are_short() -> None:
    rooms = {str(m): lines for m in _modules(*ROOMS) if (lines := _line_count(m)) > LINES_MAX}
    tests = {str(m): lines for m in _modules("tests") if (lines := _line_count(m)) > TEST_LINES_MAX}
    assert not rooms | tests


def test_functions_are_short() -> None:
    long = {
        f"{module}:{node.lineno} {node.name}": lines
        for module in _modules(*ROOMS)
        for node in ast.walk(_parsed(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert not long


def test_every_module_opens_with_its_responsibility() -> None:
    silent = [str(m) for m in _modules(*ROOMS) if not ast.get_docstring(_parsed(m))]
    assert not silent


def test_no_module_has_a_vague_name() -> None:
    vague = [str(m) for m in _modules(*ROOMS) if VAGUE & set(m.stem.split("_"))]
    assert not vague


def test_ruff_has_nothing_to_say() -> None:
    _run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")


def test_the_code_is_formatted() -> None:
    _run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", ".")


def test_the_types_hold(tmp_path: Path) -> None:
    _run(sys.executable, "-m", "mypy", "--cache-dir", tmp_path)


def test_the_wheel_holds_the_three_rooms_and_nothing_else(tmp_path: Path) -> None:
    _run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, str(ROOT)
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    information = {name for name in names if ".dist-info/" in name}
    assert {name.partition("/")[0] for name in names - information} == set(ROOMS)
    assert {re.sub(r"-.*", "", name) for name in information} == {"docstore"}
    rooms = {name.as_posix() for name in _tree(*ROOMS)}
    assert names - information == rooms | {"api/fixtures/cars.jsonl"}  # what the demo shows
    assert {f"{room}/py.typed" for room in ROOMS} <= names


def test_nothing_is_left_unfinished() -> None:
    marked = [str(name) for name in _tree() if UNFINISHED.search((ROOT / name).read_bytes())]
    assert not marked


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_pinned(room: str) -> None:
    module = importlib.import_module(room)
    promised = sorted(getattr(module, "__all__", []))
    assert promised == PUBLIC[room]
    assert all(hasattr(module, name) for name in promised)
