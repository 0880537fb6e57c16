"""How much a scan reads at once: few large documents, and no more than may be needed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docstore import Hash, Range, Store
from docstore.shards.apply import Write
from docstore.shards.shard import SCAN_BATCH, SCAN_BYTES, Shard

COUNT = 12
LARGE = b"x" * (SCAN_BYTES // 3 + 1)
"""Three of them end a batch."""


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    (tmp_path / "0").mkdir()
    shard = Shard(tmp_path / "0", 0, create=True)
    yield shard
    shard.close()


def fill(shard: Shard, body: bytes, count: int = COUNT) -> list[bytes]:
    names = [b"%04d" % number for number in range(count)]
    shard.write([Write(key, body, 0) for key in names])
    return names


def read_ahead(shard: Shard, scan: Iterator[tuple[bytes, object]]) -> int:
    """How many documents a scan has read when it gives the first."""
    next(scan)
    shard.write([Write(key, None, 0) for key in list(shard.all_keys())])
    return 1 + sum(1 for _ in scan)


@pytest.mark.parametrize("reverse", [False, True])
def test_large_documents_are_read_few_at_a_time_and_all(shard: Shard, reverse: bool) -> None:
    names = fill(shard, LARGE)
    found = [key for key, _ in shard.scan(reverse=reverse)]
    assert found == names[:: -1 if reverse else 1]
    assert [key for key, _ in shard.scan(b"0002", b"0009")] == names[2:9]
    assert read_ahead(shard, shard.scan(reverse=reverse)) == 3


def test_one_document_larger_than_a_batch_is_read(shard: Shard) -> None:
    names = fill(shard, b"x" * (SCAN_BYTES + 1), 3)
    assert [key for key, _ in shard.scan()] == names
    assert read_ahead(shard, shard.scan()) == 1


@pytest.mark.parametrize(("first", "ahead"), [(1, 1), (5, 5), (SCAN_BATCH + 9, SCAN_BATCH)])
def test_a_scan_begins_with_as_few_as_are_asked_for(shard: Shard, first: int, ahead: int) -> None:
    names = fill(shard, b"{}", 2 * SCAN_BATCH)
    assert [key for key, _ in shard.scan(first=first)] == names
    assert [key for key, _ in shard.scan(first=first, reverse=True)] == names[::-1]
    assert read_ahead(shard, shard.scan(first=first)) == ahead


@pytest.mark.parametrize("partitioning", [Hash(), Range()])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_limit_cuts_what_a_scan_without_one_gives(
    store: Store, partitioning: Hash | Range, reverse: bool
) -> None:
    cars = store.create_collection("cars", partitioning=partitioning)
    cars.put_many({"id": str(number)} for number in range(700))
    for number in (0, 1):
        cars.split(number)
    everything = [found.key for found in cars.scan(reverse=reverse)]
    assert len(everything) == 700
    for limit in (0, 1, 2, 9, 255, 256, 257, 700, 800):
        found = [found.key for found in cars.scan(limit=limit, reverse=reverse)]
        assert found == everything[:limit]
