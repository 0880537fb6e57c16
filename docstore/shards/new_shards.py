"""The shards of a new collection: one is made empty, the others begin as copies of it.

So every shard of a collection is on disk from the first moment: one that is missing was lost, and a
process that only reads finds all of them. Copying costs half of making.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from docstore.files import sync_content
from docstore.shards.local_follower import INDEX_DIRECTORY
from docstore.shards.records import IndexCheckpoint
from docstore.shards.shard import DOCUMENTS_FILE, Shard
from indexing.layout import Layout
from indexing.local_index import LocalIndex
from indexing.schema import Schema


def make_shards(directory: Path, numbers: Sequence[int], schema: Schema) -> None:
    """Make an empty shard with its empty index for each number, durably."""
    first, *others = [directory / str(number) for number in numbers]
    first.mkdir(parents=True)
    shard = Shard(first, numbers[0], create=True)
    try:
        index = LocalIndex.create(first / INDEX_DIRECTORY / "1", Layout(schema))
        shard.save_index_checkpoint(IndexCheckpoint(1, index.stamp, 0))
    finally:
        shard.close()
    # What a process holds in the lock file is not for another shard.
    (first / f"{DOCUMENTS_FILE}-lock").unlink(missing_ok=True)
    for other in others:
        shutil.copytree(first, other)
    # After the last copy: what is written first is on its way to the disk meanwhile.
    sync_content(directory)
