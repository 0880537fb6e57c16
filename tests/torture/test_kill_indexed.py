"""A process that writes under global indexes is killed at any moment: the indexes agree after it.

`KILLS=100 pytest tests/torture/test_kill_indexed.py` kills more often.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from docstore import Collection, Store
from docstore.global_index.wanted import Values
from docstore.working_apart import nobody_working
from tests.torture.pages import check_pages

KILLS = int(os.environ.get("KILLS", "4"))


def killed(data: Path, rng: random.Random) -> None:
    """Run the writer and kill it some moment after it has opened the store."""
    command = [
        sys.executable,
        "-m",
        "tests.torture.indexed_load",
        str(data),
        str(rng.random())[2:9],
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(1 + rng.randrange(25)):
            assert process.stdout.readline(), "the writer ended by itself"
        with_delay = rng.random() * 0.02
        try:
            process.wait(with_delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.stdout.read()
        assert process.wait() == -signal.SIGKILL


def found(cars: Collection[Any], freshness: Any) -> list[bytes]:
    """The red ones, from the index."""
    indexes = cars.indexes
    wanted = indexes.wanted("color", [Values(("red",))])
    return indexes.candidates("color", wanted, freshness=freshness).keys()


def test_global_indexes_agree_with_the_documents_after_any_kill(tmp_path: Path) -> None:
    rng = random.Random(KILLS)
    divergences = []
    for _ in range(KILLS):
        killed(tmp_path / "data", rng)
        # What wrote for it ends a moment later.
        with nobody_working(tmp_path / "data" / "cars" / "indexes", ""):
            check_pages(tmp_path / "data")
        with Store.open(tmp_path / "data") as store:
            cars = store.collection("cars")
            cars.indexes.catch_up()
            red = sorted(
                each.key.encode() for each in cars.scan() if "red" in (each.document["color"] or ())
            )
            assert found(cars, "current") == found(cars, "any") == red
            divergences += [each for each in store.check() if each.rule.startswith("global-")]
    assert divergences == []
