"""The tail of a log as an index takes it, while documents of it are written again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docstore.shards.apply import Write
from docstore.shards.environment import Transaction
from docstore.shards.records import HEAD, Operation, pack_entry, pack_seq
from docstore.shards.shard import Shard
from docstore.shards.tail_changes import TailChanges
from indexing.flatten import Flattener
from indexing.layout import Layout
from indexing.schema import Schema

SCHEMA = Schema.from_json({"fields": {"n": "int"}})


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    (tmp_path / "0").mkdir()
    shard = Shard(tmp_path / "0", 0, create=True)
    yield shard
    shard.close()


def put(shard: Shard, key: str, n: int) -> None:
    shard.write([Write(key.encode(), b'{"n": %d}' % n, 0)])


def changes_of(shard: Shard, head: int) -> TailChanges:
    return TailChanges(shard, 0, head, 0, bytes.decode, Flattener(Layout(SCHEMA)))


def forget(shard: Shard) -> None:
    """Have the shard hold no write in memory: who follows reads the log."""
    shard.carry(lambda _: None)


def states(changes: TailChanges) -> dict[str, bool]:
    """Whether each key has a document once all is taken, in the order of the last changes."""
    found: dict[str, bool] = {}
    for change in changes:
        found.pop(change.key_text, None)
        found[change.key_text] = change.line is not None
    return found


def test_a_tail_ends_where_it_was_to_end(shard: Shard) -> None:
    put(shard, "a", 1)
    put(shard, "b", 1)
    changes = changes_of(shard, 2)
    put(shard, "c", 1)
    assert states(changes) == {"a": True, "b": True}
    assert changes.covered == 2


def test_a_document_that_was_written_again_is_taken_as_it_is(shard: Shard) -> None:
    put(shard, "a", 1)
    changes = changes_of(shard, 1)
    put(shard, "b", 1)
    put(shard, "a", 2)
    put(shard, "c", 1)
    forget(shard)
    assert states(changes) == {"b": True, "a": True}
    assert changes.covered == 3


def test_a_document_that_was_written_again_is_taken_as_it_was_from_memory(shard: Shard) -> None:
    put(shard, "a", 1)
    put(shard, "a", 2)
    changes = changes_of(shard, 2)
    put(shard, "b", 1)
    put(shard, "a", 3)
    (change,) = changes
    assert change.line is not None
    assert '"i0":2' in change.line
    assert changes.covered == 2


def test_a_document_that_was_deleted_since_is_taken_away(shard: Shard) -> None:
    put(shard, "a", 1)
    changes = changes_of(shard, 1)
    shard.write([Write(b"a", None, 0)])
    forget(shard)
    assert states(changes) == {"a": False}
    assert changes.covered == 2


def test_a_document_that_was_moved_here_and_written_again_is_not_missing(shard: Shard) -> None:
    put(shard, "a", 1)

    def move(transaction: Transaction) -> None:
        tables = shard.environment.tables
        entry = pack_entry(Operation.MOVED, 1, 0, b"a")
        transaction.put(pack_seq(2), entry, db=tables["log"])
        transaction.put(HEAD, pack_seq(2), db=tables["meta"])

    shard.carry(move)
    changes = changes_of(shard, 2)
    put(shard, "a", 2)
    assert states(changes) == {"a": True}
    assert changes.covered == 3
