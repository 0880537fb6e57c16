"""What a process may not do is said plainly: more files than allowed, one store opened twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from docstore import Store, Unavailable

FEW_FILES = """
import resource, sys
from docstore import Store, Unavailable
store = Store.open(sys.argv[1])
cars = store.create_collection("cars", partitions=64)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
acknowledged = []
try:
    for number in range(64):
        cars.put({"name": "ford"}, str(number))
        acknowledged.append(str(number))
except Unavailable as error:
    print("refused:", error.message, "/", error.hint)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
assert all(cars.exists(key) for key in acknowledged)
print("found:", cars.search("ford", limit=0).total == len(acknowledged) == cars.count())
store.close()
"""


def test_too_few_files_are_no_damage(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FEW_FILES, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "refused: this process may not open more files / raise its limit" in ran.stdout
    assert "found: True" in ran.stdout
    with Store.open(tmp_path / "data") as store:
        assert not list(store.collection("cars").check())


def test_a_store_opened_twice_in_one_process_names_what_to_do(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars")
        cars.put({"name": "ford"}, "a")
        with pytest.raises(Unavailable, match="open for writing by process"):
            Store.open(tmp_path / "data")
        with (
            Store.open(tmp_path / "data", read_only=True) as reader,
            pytest.raises(Unavailable, match="open already"),
        ):
            reader.collection("cars").get("a")
        assert cars.get("a") == {"name": "ford", "id": "a"}
