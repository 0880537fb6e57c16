"""A collection's definition on disk: schema, key, partition map, replaced as a whole.

The format number and the names in it never change meaning.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from docstore.files import check_format, read_json, write_json
from docstore.keys import KeySpec
from docstore.map_format import is_plain, map_from_json, map_to_json
from docstore.partitioning import PartitionMap
from indexing.errors import Corruption, DocstoreError, InvalidSchema
from indexing.schema import Schema

DEFINITION_FILE = "collection.json"
SHARDS_DIRECTORY = "shards"
_FORMAT = 2
"""1: the map of a collection as it was made. 2: a map with history or salts. Both are read."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Definition:
    """What a collection is: everything but its documents and its derived indexes."""

    name: str
    schema: Schema
    key: KeySpec
    partition_map: PartitionMap
    identity: str = ""
    """Told at creation, never again: a collection of the same name made anew has another."""

    def save(self, directory: Path) -> None:
        """Replace the definition in a collection's directory."""
        form = {
            "format": 1 if is_plain(self.partition_map) else _FORMAT,
            "name": self.name,
            "key": self.key.to_json(),
            "partition_map": map_to_json(self.partition_map),
            "schema": self.schema.to_json(),
        }
        if self.identity:
            form["identity"] = self.identity
        write_json(directory / DEFINITION_FILE, form)

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
                map_from_json(form["partition_map"]),
                str(form.get("identity", "")),
            )
        except (KeyError, DocstoreError) as error:
            raise Corruption(
                f"the definition of {directory.name} cannot be read: {error}",
                hint="restore collection.json from a copy",
            ) from error


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
