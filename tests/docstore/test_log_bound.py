"""A shard's log is kept to its bound however many writes a commit of the index covers."""

from pathlib import Path

import pytest

from docstore.shards.apply import Write
from docstore.shards.records import IndexCheckpoint
from docstore.shards.shard import Shard

KEPT = 100
BATCH = 20


@pytest.fixture
def shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shard:
    monkeypatch.setattr("docstore.shards.shard.LOG_ENTRIES_KEPT", KEPT)
    monkeypatch.setattr("docstore.shards.shard.TRIM_BATCH", BATCH)
    (tmp_path / "0").mkdir()
    return Shard(tmp_path / "0", 0, create=True)


def put(shard: Shard, count: int) -> None:
    shard.write([Write(b"%d" % number, b"{}", 0) for number in range(count)])


def cover(shard: Shard) -> None:
    shard.save_index_checkpoint(IndexCheckpoint(1, shard.head, shard.head))


def entries(shard: Shard) -> int:
    first, last = shard.log_range()
    return last - first + 1


@pytest.mark.parametrize("covered", [1, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH, 12 * BATCH + 7])
def test_a_commit_that_covers_much_forgets_as_much(shard: Shard, covered: int) -> None:
    put(shard, KEPT)
    cover(shard)
    for _ in range(4):
        put(shard, covered)
        cover(shard)
        assert entries(shard) == KEPT
    shard.close()


def test_what_a_slow_follower_needed_goes_with_the_next_commits(shard: Shard) -> None:
    floor = 0
    shard.log_floor = lambda: floor
    for _ in range(5):
        put(shard, KEPT)
        cover(shard)
    assert entries(shard) == 5 * KEPT
    floor = 100 * KEPT
    put(shard, 1)
    cover(shard)
    assert entries(shard) == 5 * KEPT + 1 - BATCH  # no search waits for all of it
    for _ in range(2):
        put(shard, KEPT)
        cover(shard)
    assert entries(shard) < 4 * KEPT
    for _ in range(2):
        put(shard, KEPT)
        cover(shard)
    assert entries(shard) == KEPT
    shard.close()


def test_nothing_is_forgotten_that_somebody_comes_to_need_meanwhile(shard: Shard) -> None:
    floors = [10 * KEPT, 2 * BATCH, 2 * BATCH]
    shard.log_floor = lambda: floors.pop(0)
    put(shard, 10 * KEPT)
    cover(shard)
    assert shard.log_range()[0] == 2 * BATCH + 1
    shard.close()
