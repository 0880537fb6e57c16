"""The documents of a shard for the partitions of an index that have not read all of it.

Filling begins at the log's end: what is written meanwhile follows in the log, and a document that
is met newer than that is only met early. How far it came is part of the checkpoint.
"""

from collections.abc import Callable, Mapping, Sequence

from docstore.global_index.extracting import Rows
from docstore.global_index.partition_changes import Checkpoint
from docstore.shards.records import Record
from docstore.shards.shard import SCAN_BATCH, Shard


def take_documents(
    applied: Sequence[Mapping[int, Checkpoint]],
    shard: Shard,
    rows_of: Callable[[bytes, int, Record], Rows],
    documents: list[dict[bytes, Mapping[bytes, bytes]]],
    moved: list[dict[int, Checkpoint]],
) -> int | None:
    """Add the next documents' postings and the checkpoints after them, partition by partition.

    Returns how many documents; None when every partition has read the shard.
    """
    number = shard.number
    begun: dict[int, Checkpoint] = {}
    for place, of_place in enumerate(applied):
        known = moved[place].get(number, of_place.get(number, Checkpoint(shard.head, b"")))
        if known.filled is not None:
            begun[place] = known
    if not begun:
        return None
    batch = shard.scan_batch(min(each.filled or b"" for each in begun.values()))
    for key, record in batch:
        rows = rows_of(key, number, record)
        for place in begun:
            documents[place][key] = rows[place]
    for place, (seq, filled, _) in begun.items():
        last = max(filled or b"", batch[-1][0]) if len(batch) == SCAN_BATCH else None
        # Read whole: nothing that comes now was met early.
        newest = shard.visible_head if last is None else None
        moved[place][number] = Checkpoint(seq, last, newest)
    return len(batch)
