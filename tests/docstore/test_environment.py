"""An environment that grows while it is read: nobody sees a map that moves."""

import contextlib
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import lmdb
import pytest

from docstore import Closed, Unavailable
from docstore.shards.environment import MAP_BYTES_FIRST, Environment, Transaction

READER = """
import os, signal, sys
from pathlib import Path
from docstore.shards.environment import Environment

with Environment(Path(sys.argv[1]), read_only=True).read():
    os.kill(os.getpid(), signal.SIGKILL)
"""
LARGE = b"v" * (MAP_BYTES_FIRST // 4)


def test_a_reader_goes_on_while_writers_grow_the_map(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "documents.mdb", draft=True)  # many times faster
    documents = environment.tables["documents"]
    stop = threading.Event()

    def put(key: bytes, value: bytes, transaction: Transaction) -> None:
        transaction.put(key, value, db=documents)

    def read() -> int:
        found = 0
        while not stop.is_set():
            assert environment.get("documents", b"first") == b"1"
            with environment.read() as transaction:
                assert transaction.get(b"first", db=documents) == b"1"
            found += 1
        return found

    def write(writer: int) -> None:
        for number in range(8):
            environment.write(partial(put, b"%d-%d" % (writer, number), LARGE))

    environment.write(partial(put, b"first", b"1"))
    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(read)
        try:
            for writing in [pool.submit(write, writer) for writer in range(2)]:
                writing.result()
        finally:
            stop.set()
        assert reading.result()
    assert environment.bytes_used() > 4 * MAP_BYTES_FIRST
    environment.close()


def test_a_write_that_finds_the_map_full_when_it_is_closed_says_so(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "documents.mdb", draft=True)

    def put(transaction: Transaction) -> None:
        closing.start()  # waits until this transaction has ended
        while not environment._gate._shut:
            assert closing.is_alive()
        transaction.put(b"key", LARGE * 5, db=environment.tables["documents"])

    closing = threading.Thread(target=environment.close)
    with pytest.raises(Closed):
        environment.write(put)
    closing.join()


def test_a_disk_that_fails_is_not_only_called_full(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "documents.mdb")

    def fail(_: Transaction) -> None:
        raise lmdb.DiskError("mdb_txn_commit: Input/output error")

    with pytest.raises(Unavailable, match="full or fails") as caught:
        environment.write(fail)
    assert caught.value.retryable
    assert "look after the disk" in caught.value.hint
    environment.close()


def test_a_reader_that_was_killed_keeps_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "documents.mdb"
    with contextlib.closing(Environment(path)) as environment:

        def put(transaction: Transaction) -> None:
            transaction.put(b"key", LARGE, db=environment.tables["documents"])

        environment.write(put)
        killed = subprocess.run([sys.executable, "-c", READER, str(path)], check=False, timeout=60)
        assert killed.returncode == -signal.SIGKILL
        for _ in range(20):
            environment.write(put)
        assert path.stat().st_size <= MAP_BYTES_FIRST
