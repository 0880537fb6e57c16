"""Writes on their way to the shards that own their keys, and what was answered on the way back.

A write is acknowledged only when its shard has it durably; of a batch, what one shard acknowledged
is reported whatever becomes of the others.
"""

from docstore import keys
from docstore.apply import Write
from docstore.batches import WriteBatch
from docstore.partitions import Partitions
from docstore.types import BatchResult, Key, WriteResult
from indexing.errors import DocstoreError, VersionConflict


def one(partitions: Partitions, write: Write) -> WriteResult:
    """Make one write; raises VersionConflict, Unavailable."""
    number = partitions.number_of(write.key)
    partitions.traffic.writes.note(write.key)
    (outcome,) = partitions.shard(number).write([write])
    if isinstance(outcome, VersionConflict):
        outcome.data["key"] = keys.decode(partitions.definition.key, write.key)
        raise outcome
    partitions.written({number: 1})
    return WriteResult(
        keys.decode(partitions.definition.key, outcome.key),
        outcome.version,
        partitions.position(number, outcome.seq),
        created=outcome.created,
        deleted=outcome.deleted,
    )


def many(partitions: Partitions, batch: WriteBatch) -> BatchResult:
    """Make the writes of a batch: one durable transaction per shard."""
    spec = partitions.definition.key

    def key_of(encoded: bytes) -> Key:
        return keys.decode(spec, encoded)

    counts: dict[int, int] = {}
    for number, writes in batch.by_shard.items():
        partitions.traffic.writes.note_all([write.key for write in writes])
        try:
            batch.answered(number, partitions.shard(number).write(writes))
        except DocstoreError as error:
            # What other shards acknowledged must still be reported.
            batch.failed(number, error)
            continue
        counts[number] = len(writes)
    partitions.written(counts)
    return batch.result(key_of, partitions.position)
