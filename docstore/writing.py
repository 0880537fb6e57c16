"""Writes on their way to the shards that own their keys, and what was answered on the way back.

A write is acknowledged only when its shard has it durably; of a batch, what one shard acknowledged
is reported whatever becomes of the others. A write that finds its shard gone asks the new map.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from docstore import keys
from docstore.batches import Placed, WriteBatch
from docstore.live_map import LiveMap
from docstore.partitions import Partitions
from docstore.shards.apply import Write
from docstore.shards.shard import Moved
from docstore.types import BatchResult, Key, Position, WriteResult
from indexing.errors import DocstoreError, VersionConflict

G = TypeVar("G")


def one(partitions: Partitions, write: Write) -> WriteResult:
    """Make one write; raises VersionConflict, Unavailable, and Moved for whoever asked."""
    number = partitions.number_of(write.key)
    partitions.traffic.writes.note(write.key)
    _record(partitions, (write,))
    (outcome,) = partitions.shard(number).write([write])
    if isinstance(outcome, VersionConflict):
        outcome.data["key"] = keys.decode(partitions.definition.key, write.key)
        raise outcome
    partitions.written({number: 1})
    return WriteResult(
        keys.decode(partitions.definition.key, outcome.key),
        outcome.version,
        partitions.position(number, outcome.seq)
        if outcome.origin is None
        else Position(*outcome.origin, outcome.seq),
        created=outcome.created,
        deleted=outcome.deleted,
    )


def many(
    live: LiveMap,
    given: Iterable[G],
    write_of: Callable[[G], Write],
    key_of: Callable[[G], Key | None] = lambda _: None,
) -> BatchResult:
    """Make many writes: one durable transaction per shard; what is refused keeps its place.

    `key_of` tells the key of what cannot be made a write, if it is known.
    """
    batch = WriteBatch()
    for each in given:
        try:
            batch.add(write_of(each))
        except DocstoreError as error:
            batch.refuse(key_of(each), error)
    live.ask(lambda partitions: _written(partitions, batch))
    current = live.current
    spec = current.definition.key
    return batch.result(lambda encoded: keys.decode(spec, encoded), current.position)


def _written(partitions: Partitions, batch: WriteBatch) -> None:
    """Write what is pending; raises Moved when some of it must be asked for again."""
    counts: dict[int, int] = {}
    moved: list[Placed] = []
    for number, placed in batch.by_shard(partitions.number_of).items():
        partitions.traffic.writes.note_all([write.key for _, write in placed])
        _record(partitions, [write for _, write in placed])
        try:
            outcomes = partitions.shard(number).write([write for _, write in placed])
        except Moved:
            moved += placed
            continue
        except DocstoreError as error:
            # What other shards acknowledged must still be reported.
            batch.failed(placed, error)
            continue
        # The global indexes begin while other shards still write, so that they are not late.
        partitions.indexes.wake(is_write=True)
        batch.answered(number, placed, outcomes)
        counts[number] = len(placed)
    batch.pending = sorted(moved, key=lambda placed: placed[0])
    partitions.written(counts)
    if moved:
        raise Moved


def _record(partitions: Partitions, writes: Sequence[Write]) -> None:
    recording = partitions.recorder.into
    if recording is not None:
        for write in writes:
            op = "delete" if write.body is None else "put"
            recording.by_key(partitions.definition, op, write.key)
