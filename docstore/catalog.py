"""A collection's definition on disk: schema, key, partition map, replaced as a whole.

The format number and the names in it never change meaning.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docstore.files import check_format, read_json, write_json
from docstore.key_ranges import RangeMap
from docstore.keys import KeySpec
from docstore.partitioning import PartitionMap
from indexing.errors import Corruption, DocstoreError, InvalidSchema
from indexing.schema import Schema

DEFINITION_FILE = "collection.json"
SHARDS_DIRECTORY = "shards"
_FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Definition:
    """What a collection is: everything but its documents and its derived indexes."""

    name: str
    schema: Schema
    key: KeySpec
    partition_map: PartitionMap | RangeMap

    def save(self, directory: Path) -> None:
        """Replace the definition in a collection's directory."""
        write_json(
            directory / DEFINITION_FILE,
            {
                "format": _FORMAT,
                "name": self.name,
                "key": self.key.to_json(),
                "partition_map": self.partition_map.to_json(),
                "schema": self.schema.to_json(),
            },
        )

    @classmethod
    def load(cls, directory: Path) -> "Definition":
        """Read the definition of a collection's directory."""
        path = directory / DEFINITION_FILE
        form = read_json(path)
        check_format(path, form, _FORMAT)
        try:
            return cls(
                form["name"],
                Schema.from_json(form["schema"]),
                KeySpec.from_json(form["key"]),
                _partition_map(form["partition_map"]),
            )
        except (KeyError, DocstoreError) as error:
            raise Corruption(
                f"the definition of {directory.name} cannot be read: {error}",
                hint="restore collection.json from a copy",
            ) from error


def _partition_map(form: Any) -> PartitionMap | RangeMap:
    is_range = isinstance(form, dict) and form.get("partitioning") == "range"
    return RangeMap.from_json(form) if is_range else PartitionMap.from_json(form)


def file_identity(directory: Path) -> tuple[int, int] | None:
    """What tells a collection's definition file from the one that replaces it; None without one."""
    try:
        found = (directory / DEFINITION_FILE).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def check_name(name: object) -> str:
    """A collection's name, which is also its directory's."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidSchema(
            f"{name!r} is not a collection's name",
            hint="use 1 to 100 letters, digits, _ and -, not beginning with -",
        )
    return name
