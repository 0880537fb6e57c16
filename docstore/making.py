"""A collection's directory, made whole or not at all."""

from collections.abc import Sequence
from pathlib import Path

from docstore import files
from docstore.catalog import SHARDS_DIRECTORY, Definition
from docstore.global_index.declaring import declare
from docstore.global_index.definition import GlobalIndex
from docstore.growing import limits
from docstore.growing.limits import AutoSplit
from docstore.shards.new_shards import make_shards
from indexing.errors import AlreadyExists


def made(
    directory: Path,
    definition: Definition,
    auto_split: AutoSplit | None,
    indexes: Sequence[GlobalIndex],
) -> bool:
    """Make a collection, durably; False when one of its name was there, or came meanwhile.

    Raises InvalidSchema for indexes that do not fit, Unavailable.
    """
    if directory.exists():
        return False
    schema = definition.schema
    taken = AlreadyExists(f"collection {definition.name!r} exists", hint="open it")
    try:
        with files.new_directory(directory, taken) as unfinished:
            numbers = definition.partition_map.numbers
            make_shards(unfinished / SHARDS_DIRECTORY, numbers, schema)
            definition.save(unfinished)
            if auto_split != AutoSplit():
                limits.save(unfinished, auto_split)
            declare(unfinished, schema, indexes)
    except AlreadyExists as error:
        if error is taken:
            return False
        raise
    return True
