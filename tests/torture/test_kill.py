"""A loading process is killed at any moment: what it acknowledged is there, and all agrees.

Invariants 1, 3 and 4.
"""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docstore import Store, Unavailable
from tests.torture.load import document_of
from tests.torture.pages import check_pages

ROUNDS = 4


def acknowledged_before_kill(data: Path, partitions: int, lines: int) -> int:
    """Run the loader, kill it after some lines, and return the last number it acknowledged."""
    command = [sys.executable, "-m", "tests.torture.load", str(data), str(partitions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = 0
        for _ in range(lines):
            line = process.stdout.readline()
            assert line, "the loader ended by itself"
            last = int(line)
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            last = int(line)
        assert process.wait() == -signal.SIGKILL
    return last


@pytest.mark.parametrize("partitions", [1, 4])
def test_every_acknowledged_document_survives_kills_and_the_store_is_whole(
    tmp_path: Path, partitions: int
) -> None:
    data = tmp_path / "data"
    rng = random.Random(partitions)
    for _ in range(ROUNDS):
        last = acknowledged_before_kill(data, partitions, rng.randint(1, 12))
        check_pages(data)
        with Store.open(data) as store:
            cars = store.collection("cars")
            assert list(store.check()) == []
            found = [document.document for document in cars.scan(end=f"{last:08d}")]
            assert found == [document_of(number) for number in range(last)]
            assert cars.search("common", limit=1).total == cars.count()


def test_a_second_writer_is_refused_and_told_who_holds_the_store(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.torture.load", str(tmp_path / "data"), "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Unavailable) as refused:
            Store.open(tmp_path / "data")
        assert refused.value.data["holder"]["pid"] == process.pid
        assert str(process.pid) in str(refused.value)
        process.kill()


def test_a_reader_follows_what_another_process_writes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.torture.load", str(tmp_path / "data"), "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = int(process.stdout.readline())
        with Store.open(tmp_path / "data", read_only=True) as reader:
            cars = reader.collection("cars")
            seen = 0
            for _ in range(5):
                assert cars.get(f"{last - 1:08d}") == document_of(last - 1)
                total = cars.search("common", limit=1).total
                assert total >= max(seen, last)
                seen = total
                last = int(process.stdout.readline())
            with pytest.raises(Unavailable, match="read-only"):
                cars.put({"id": "x"})
        process.kill()
