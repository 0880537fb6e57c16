"""The last writes of a shard in memory, beside what its log holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.shards.apply import Write
from docstore.shards.recent_writes import COMMIT_MAX, ENTRY_BYTES, RecentWrites, Written
from docstore.shards.records import Entry, Operation, Record
from docstore.shards.shard import Shard

BODY = b"x" * 100


def written(*seqs: int) -> list[Written]:
    """Entries with these seqs."""
    return [(seq, int(Operation.PUT), 1, 0, b"%d" % seq, b"", BODY) for seq in seqs]


def seqs(found: list[tuple[Entry, Record | None]]) -> list[int]:
    return [entry.seq for entry, _ in found]


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    (tmp_path / "0").mkdir()
    shard = Shard(tmp_path / "0", 0, create=True)
    yield shard
    shard.close()


def test_the_oldest_are_let_go_when_there_are_too_many() -> None:
    recent = RecentWrites(bytes_max=4 * (ENTRY_BYTES + len(BODY)))
    recent.add(written(1, 2, 3))
    recent.add(written(4, 5))
    assert recent.after(0, 9) == []
    assert seqs(recent.after(2, 9)) == [3, 4, 5]
    recent.add(written(*range(6, 16)))
    assert seqs(recent.after(13, 9)) == [14, 15]
    assert recent.after(2, 9) == []


def test_one_that_is_larger_than_all_that_may_be_held_is_not() -> None:
    recent = RecentWrites(bytes_max=10)
    recent.add(written(1))
    assert recent.after(0, 9) == []


@given(st.data())
def test_what_is_held_is_dense_and_ends_at_the_last(data: st.DataObject) -> None:
    recent = RecentWrites(bytes_max=20 * ENTRY_BYTES)
    last = 0
    for _ in range(data.draw(st.integers(1, 12))):
        if data.draw(st.booleans()):
            last += data.draw(st.sampled_from([0, 0, 0, 3]))  # what a stopped thread committed
            count = data.draw(st.integers(1, 12))
            recent.add(written(*range(last + 1, last + count + 1)))
            last += count
        else:
            recent.clear()
        after, most = data.draw(st.integers(0, last)), data.draw(st.integers(1, 30))
        found = seqs(recent.after(after, most))
        assert found in ([], list(range(after + 1, min(last, after + most) + 1)))


operations = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([b"a", b"b", b"c"]),
            st.sampled_from([None, b"{}", b'{"n":1}']),
            st.booleans(),
            st.sampled_from([b"", b"once", b"twice"]),
        ),
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=8,
)


@given(batches=operations)
def test_followers_get_from_memory_what_the_log_holds(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[bytes, bytes | None, bool, bytes]]],
) -> None:
    directory = tmp_path_factory.mktemp("shard")
    shard = Shard(directory, 0, create=True)
    try:
        for batch in batches:
            shard.write(
                [
                    Write(key, body, 7, if_absent=if_absent, op_id=op_id)
                    for key, body, if_absent, op_id in batch
                ]
            )
        for after in range(shard.head):
            assert shard.next_written(after, shard.head) == shard.tail(after, shard.head)
        assert shard.next_written(shard.head, 9) == []
    finally:
        shard.close()


def test_a_document_that_is_written_again_later_is_as_it_was_then(shard: Shard) -> None:
    for body in (b"1", b"2", b"3"):
        shard.write([Write(b"a", body, 0)])
    first, second = shard.next_written(0, 2)
    assert first[1] == second[1] == Record(2, 2, b"2")


def test_what_a_bulk_writer_commits_is_read_from_the_log(shard: Shard) -> None:
    shard.write([Write(b"a", b"1", 0)])
    shard.write([Write(b"%d" % number, b"1", 0) for number in range(COMMIT_MAX)])
    shard.write([Write(b"a", b"2", 0)])
    assert shard.next_written(0, 1)[0][1] == Record(1, 1, b"1")
    shard.write([Write(b"%d" % number, b"2", 0) for number in range(COMMIT_MAX + 1)])
    assert shard.next_written(0, 1)[0][1] == Record(2, COMMIT_MAX + 2, b"2")  # as it is now


def test_nothing_is_held_once_the_log_is_changed_otherwise(shard: Shard) -> None:
    shard.write([Write(b"a", b"1", 0)])
    shard.carry(lambda _: None)
    shard.write([Write(b"a", b"2", 0)])
    assert shard.next_written(0, 1)[0][1] == Record(2, 2, b"2")  # as it is now
