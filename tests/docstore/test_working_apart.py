"""Processes that work for this one start, and are heard, whatever the program has done before."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import docstore
from docstore.working_apart import is_heard, started


@pytest.fixture
def high() -> Iterator[None]:
    """Files that are opened have numbers that `select` refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    yield
    for each in held:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("high")
def test_files_of_any_number_are_heard() -> None:
    reading, writing = os.pipe()
    assert reading > 1023
    assert not is_heard(reading, 0)
    os.write(writing, b"x")
    assert is_heard(reading, 0)
    os.read(reading, 1)
    os.close(writing)
    assert is_heard(reading, 0)  # the end is heard too
    os.close(reading)


def test_import_paths_that_are_no_text_keep_none_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "told.py").write_text("print('ready', flush=True)")
    monkeypatch.setattr(sys, "path", [Path("/nowhere"), str(tmp_path), None, *sys.path])
    process = started("told", asked=subprocess.DEVNULL, answers=subprocess.PIPE, nice=0)
    assert process is not None
    assert process.stdout is not None
    with process:
        assert process.stdout.read() == b"ready\n"


@pytest.mark.parametrize("among", [False, True])
def test_it_runs_the_code_that_this_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, among: bool
) -> None:
    home = str(Path(docstore.__file__).parents[1])
    (tmp_path / "docstore.py").write_text("other = True")
    (tmp_path / "told.py").write_text("import docstore; print(docstore.__file__, flush=True)")
    others = [each for each in sys.path if each not in ("", home)]
    path = ["", home, str(tmp_path), *others] if among else ["", str(tmp_path), *others]
    monkeypatch.setattr(sys, "path", path)
    process = started("told", asked=subprocess.DEVNULL, answers=subprocess.PIPE, nice=0)
    assert process is not None
    assert process.stdout is not None
    with process:
        assert process.stdout.read().decode() == f"{docstore.__file__}\n"


def test_a_path_that_no_program_can_be_told_of_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/no\0where", *sys.path])
    assert started("json", asked=subprocess.DEVNULL, answers=subprocess.DEVNULL, nice=0) is None


PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from docstore.global_index import applying_apart
from docstore.working_apart import is_heard

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
applying_apart.FIRST_DOCUMENTS_MIN = applying_apart.DOCUMENTS_MIN = 0
applier = applying_apart.Applier()
applier.apply(Path(sys.argv[1]), (0, 0), {}, {})
assert is_heard(applier._other._socket, 30) and applier._other.is_ready
os.kill(applier._other._process.pid, signal.SIGKILL)
for each in threading.enumerate():
    if each.name.startswith("docstore-child"):
        each.join()
assert not applier.apply(Path(sys.argv[1]), (0, 0), {}, {})
"""


def test_a_program_that_ends_at_a_broken_pipe_does_not_end_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "indexes" / "color" / "0")]
    assert subprocess.run(command, check=False, timeout=100).returncode == 0
