"""A shard as its followers see it while others write."""

import threading
from pathlib import Path

from docstore.shards.apply import Write
from docstore.shards.shard import DOCUMENTS_FILE, Shard


def test_no_reader_sees_more_than_the_visible_head(tmp_path: Path) -> None:
    """A document is visible a moment before its write is acknowledged and counted in the head."""
    (tmp_path / "0").mkdir()
    shard = Shard(tmp_path / "0", 0, create=True)
    assert (tmp_path / "0" / DOCUMENTS_FILE).exists()
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            shard.write([Write(b"key", b"%d" % number, 0)])
            number += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(2_000):
            record = shard.get(b"key")
            busy = sum(range(2_000))  # the writer waits for the interpreter meanwhile
            assert busy
            assert record is None or record.seq <= shard.visible_head
    finally:
        stop.set()
        writing.join()
        shard.close()


def test_the_head_counts_what_is_acknowledged(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    shard = Shard(tmp_path / "0", 0, create=True)
    for number in range(1, 4):
        shard.write([Write(b"key", b"{}", 0)])
        assert shard.head == shard.visible_head == number
    shard.close()


def test_whether_there_are_keys_is_what_a_scan_finds(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    shard = Shard(tmp_path / "0", 0, create=True)
    bounds = [b"", b"a", b"b", b"b\0", b"c", b"d", b"e"]
    for key in (None, b"b", b"d"):
        if key is not None:
            shard.write([Write(key, b"{}", 0)])
        for start in bounds:
            for end in (*bounds[1:], None):
                assert shard.has_keys(start, end) == any(shard.scan(start, end)), (start, end)
    shard.close()
