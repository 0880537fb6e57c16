"""The definitions of a collection's global indexes on disk.

Invariant: `indexes.json` names the indexes that exist, replaced as a whole; directories beside it
that it does not name are left from a crash and removed on opening.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from docstore import files
from docstore.global_index.definition import GlobalIndex
from docstore.working_apart import nobody_working
from indexing.errors import AlreadyExists, InvalidSchema
from indexing.schema import Schema

INDEXES_FILE = "indexes.json"
INDEXES_DIRECTORY = "indexes"
_PLAIN, _FORMAT = 1, 2
"""The second has salted terms, which whoever knows the first alone would not find."""


def declare(directory: Path, schema: Schema, indexes: Sequence[GlobalIndex]) -> None:
    """Write down the indexes of a new collection; raises InvalidSchema, AlreadyExists."""
    for index in indexes:
        if not isinstance(index, GlobalIndex):
            raise InvalidSchema(
                f"{index!r} is not an index", hint='use GlobalIndex("color", include=["make"])'
            )
        index.check_fits(schema)
    if len({index.name for index in indexes}) < len(indexes):
        raise AlreadyExists("two indexes have one name", hint="give name= to one of them")
    if indexes:
        write_definitions(directory, indexes)


def write_definitions(directory: Path, indexes: Sequence[GlobalIndex]) -> None:
    """Replace what is written."""
    form = {
        "format": _FORMAT if any(index.salts for index in indexes) else _PLAIN,
        "indexes": [index.to_json() for index in indexes],
    }
    files.write_json(directory / INDEXES_FILE, form)


def read_definitions(directory: Path) -> list[GlobalIndex]:
    """What is written; raises Corruption."""
    path = directory / INDEXES_FILE
    if not path.exists():
        return []
    form = files.read_json(path)
    files.check_format(path, form, _FORMAT)
    return [GlobalIndex.from_json(each) for each in form["indexes"]]


def stamp_of(directory: Path) -> tuple[int, int] | None:
    """What tells one written state from another; None while nothing is written."""
    try:
        found = (directory / INDEXES_FILE).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def directory_of(directory: Path, index: GlobalIndex) -> Path:
    """Where an index is kept: what one set of bounds divided is never read by another."""
    cut = hashlib.sha256(b"".join(len(each).to_bytes(2) + each for each in index.bounds))
    return (
        directory
        / INDEXES_DIRECTORY
        / (f"{index.name}~{cut.hexdigest()[:8]}" if index.bounds else index.name)
    )


def remove_strays(directory: Path, named: Sequence[GlobalIndex]) -> None:
    """Remove the directories of indexes that are not written down, once nobody writes there."""
    names = {directory_of(directory, each).name for each in named}
    parent = directory / INDEXES_DIRECTORY
    if not parent.exists():
        return
    with nobody_working(parent, "docstore.global_index.applying_apart"):
        for path in parent.iterdir():
            if path.name not in names:
                files.remove_directory(path)
        files.remove_leftovers(parent)
