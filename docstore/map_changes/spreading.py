"""Salting a partition key while reads and writes go on: its documents move, as in a split.

The steps and what a crash leaves after each are those of `resharding`: the shards that hold the key
before or after are replaced by new ones in one change of the map, salts and all. So a document has
one place at every moment, and a read by key one shard to ask.
"""

from docstore import keys
from docstore.keys import KeySpec
from docstore.live_map import LiveMap
from docstore.map_changes.resalting import check_can_salt, salt_to
from docstore.map_changes.reshaping import Cut
from docstore.map_changes.resharding import change
from docstore.partitions import Partitions
from docstore.showing import shown
from docstore.types import Key, PartitionChange
from indexing.errors import InvalidDocument, InvalidRequest, NotFound


class _AsItIs(Exception):
    """The key has that fan already."""


def salt(live: LiveMap, key: Key, fan: int) -> PartitionChange:
    """Spread the documents of a partition key over `fan` places; 1 brings them together again.

    The key is the value of its first part, or a tuple or list of that one part, as keys are given.
    Nothing is done when it is so already. Raises InvalidRequest for a fan that is none, or where
    nothing can be spread, and NotFound for a key without documents.
    """

    def planned(partitions: Partitions) -> Cut:
        definition = partitions.definition
        check_can_salt(definition.partition_map, definition.key)
        first, end = _keys_of(partitions, key)
        cut = salt_to(definition.partition_map, definition.key, first, fan)
        if cut is None:
            raise _AsItIs
        owners = definition.partition_map.owners_of(first)
        if fan > 1 and not partitions.has_keys(owners, first, end):
            raise NotFound(
                f"there is no document under {shown(key)}, so there is nothing to spread",
                hint="the hot keys of the store tell which are",
                key=key,
            )
        return cut

    try:
        return change(live, "salt", planned)
    except _AsItIs:
        return PartitionChange("salt", live.epoch, (), (), 0, 0.0, 0.0)


def _keys_of(partitions: Partitions, key: Key) -> tuple[bytes, bytes | None]:
    """The range of all encoded keys that begin with a partition key; its lower bound is the key."""
    parts = partitions.key_parts.key(key)
    if not isinstance(parts, tuple) or len(parts) != 1:
        raise InvalidRequest(
            f"{shown(key)} is not a partition key",
            hint=f"give a value of {partitions.definition.key.fields[0]!r} alone",
            key=key,
        )
    try:
        return keys.prefix_range(partitions.definition.key, parts)
    except InvalidDocument as error:
        raise InvalidRequest(
            f"{shown(key)} cannot be a partition key: {error.message}", hint=error.hint, key=key
        ) from error


def salted(partitions: Partitions) -> dict[Key, int]:
    """The partition keys that are spread, each with its fan."""
    definition = partitions.definition
    return {
        keys.decode(KeySpec(definition.key.fields[:1], typed=True), each.key): each.fan
        for each in definition.partition_map.salts
    }
