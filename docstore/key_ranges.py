"""Key ranges: partitions that own neighbouring keys, cut where a caller says.

Invariant: bounds are encoded keys, or leading parts of them, ascending, compared with whole encoded
keys. Partitions stand in key order, so their scans follow each other and need no merging. A
compound key is ranged by all its parts, so one seller's documents may lie in neighbouring
partitions. Deliberately absent: what a key's bytes are (the key encoding's business).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from docstore.key_parts import KeyParts
from docstore.keys import KeySpec, prefix_range
from docstore.partitioning import PARTITIONS_MAX, Partition, PartitionMap
from indexing.errors import InvalidDocument, InvalidSchema


@dataclass(frozen=True, slots=True, init=False)
class Range:
    """Partitioning by ranges of keys: a scan of neighbouring keys reads few partitions.

    `pre_split` holds the keys, or leading parts of them, at which partitions begin, ascending;
    the first partition begins below all keys. Without any there is one partition.
    """

    pre_split: tuple[Any, ...]

    def __init__(self, pre_split: Iterable[Any] = ()) -> None:
        if isinstance(pre_split, str | bytes) or not hasattr(pre_split, "__iter__"):
            raise InvalidSchema(
                f"pre_split is {pre_split!r}",
                hint='give a list of keys, like Range(pre_split=["g", "n"])',
            )
        object.__setattr__(self, "pre_split", tuple(pre_split))


def pre_split(spec: KeySpec, key_parts: KeyParts, scheme: Range) -> PartitionMap:
    """The first map of a collection, cut at the given keys.

    Raises InvalidSchema, naming the bound, when one is no key of the schema's documents, is too
    long, or is not above the one before it.
    """
    if len(scheme.pre_split) >= PARTITIONS_MAX:
        raise InvalidSchema(
            f"{len(scheme.pre_split):,} bounds make too many partitions",
            hint=f"give at most {PARTITIONS_MAX - 1:,}",
            partitions_max=PARTITIONS_MAX,
        )
    lowers = [b""]
    for index, bound in enumerate(scheme.pre_split):
        encoded = _bound(spec, key_parts, bound, index)
        if encoded <= lowers[-1]:
            raise InvalidSchema(
                f"bound {index} of pre_split, {bound!r}, is not above the one before it",
                hint="sort the bounds, each once and none of them empty",
                index=index,
            )
        lowers.append(encoded)
    uppers: list[bytes | None] = [*lowers[1:], None]
    return PartitionMap("range", 1, tuple(map(Partition, range(len(lowers)), lowers, uppers)))


def _bound(spec: KeySpec, key_parts: KeyParts, bound: Any, index: int) -> bytes:
    stored = key_parts.key(bound)
    parts = stored if isinstance(stored, tuple) else (stored,)
    for field, part in zip(spec.fields, parts, strict=False):
        if spec.typed and not key_parts.can_hold(field, part):
            raise InvalidSchema(
                f"bound {index} of pre_split, {bound!r}, is no key: {field!r} is declared as "
                f"{key_parts.kind_of(field)}",
                hint="give values that documents can have",
                index=index,
            )
    try:
        return prefix_range(spec, stored)[0]
    except InvalidDocument as error:
        raise InvalidSchema(
            f"bound {index} of pre_split cannot be part of a key: {error.message}",
            hint=error.hint,
            index=index,
        ) from error
