"""A process whose partitions change while it writes is killed at any moment: nothing is lost.

Invariant 6, with 1 to 4.
"""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from docstore import Store
from tests.torture.load import document_of

ROUNDS = 4


def acknowledged_before_kill(data: Path, scheme: str, seconds: float, epoch: int) -> int:
    """Run the process, kill it some time after the map had an epoch; what it acknowledged."""
    command = [sys.executable, "-m", "tests.torture.reshape", str(data), scheme]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        killer = threading.Timer(seconds, process.send_signal, (signal.SIGKILL,))
        last = 0
        for line in process.stdout:
            last, seen = map(int, line.split())
            if seen >= epoch and killer.ident is None:
                killer.start()
        killer.join()
        assert process.wait() == -signal.SIGKILL
    return last


@pytest.mark.parametrize("scheme", ["hash", "range", "salt", "auto", "apart"])
def test_every_acknowledged_document_is_in_one_partition_after_kills(
    tmp_path: Path, scheme: str
) -> None:
    data = tmp_path / "data"
    rng = random.Random(scheme)
    epoch = 0
    for turn in range(ROUNDS):
        wanted = 2 if turn == ROUNDS - 1 else 1
        last = acknowledged_before_kill(data, scheme, rng.uniform(0.3, 2.5), wanted)
        with Store.open(data) as store:
            things = store.collection("things")
            assert list(store.check()) == []
            found = sorted((each.document for each in things.scan()), key=lambda each: each["n"])
            assert found == [document_of(number) for number in range(len(found))]
            assert len(found) >= last
            assert things.search("common", limit=1).total == things.count() == len(found)
            changed = {change.key for change in things.changes()}
            assert len(changed) == len(found)
            partitions = things.partitions
            owned = sorted(map(str, partitions.numbers))
            assert sorted(path.name for path in partitions.shards.directory.iterdir()) == owned
            assert not (data / "things" / "moving.json").exists()
            assert partitions.definition.partition_map.epoch >= epoch
            epoch = partitions.definition.partition_map.epoch
    assert epoch > 1
