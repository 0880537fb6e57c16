"""The hot keys of a collection as its traffic shows them, each with what to do about it."""

from docstore import keys
from docstore.hot_keys.proposing import NO_LOAD, Cut, HotKey, judged, loads_together
from docstore.keys import KeySpec
from docstore.partitions import Partitions
from docstore.types import Key
from indexing.errors import InvalidRequest

LIMIT_MAX = 256
"""As many keys as are counted."""


def hot_keys(partitions: Partitions, limit: int) -> list[HotKey]:
    """The partition keys with most of the reads or of the writes, the heaviest first."""
    check_limit(limit)
    definition, traffic = partitions.definition, partitions.traffic
    spec = definition.key
    cut = Cut(
        len(partitions.numbers),
        definition.partition_map.is_range,
        len(spec.fields) > 1,
    )
    fan_of = definition.partition_map.fan_of
    together = loads_together(traffic.reads.loads(), traffic.writes.loads(), LIMIT_MAX)
    known = {key for key, _, _ in together}
    # A salted key that nobody asks for any more is told too: its salt can go.
    quiet = [
        (each.key, NO_LOAD, NO_LOAD)
        for each in definition.partition_map.salts
        if each.key not in known
    ]
    return [
        judged(definition.name, partition_key_of(spec, key), reads, writes, fan_of(key), cut)
        for key, reads, writes in (*together, *quiet)[:limit]
    ]


def check_limit(limit: int) -> None:
    """Refuse to tell more than is counted; raises InvalidRequest."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= LIMIT_MAX:
        raise InvalidRequest(
            f"limit is {limit!r}", hint=f"use a whole number from 0 to {LIMIT_MAX}", path="limit"
        )


def partition_key_of(spec: KeySpec, encoded: bytes) -> Key:
    """The partition key as a caller writes it: the first part of a compound key, else the key."""
    return keys.decode(KeySpec(spec.fields[:1], spec.typed), encoded)
