"""Ways to partition a collection that are compared: a key, a scheme, and the map they would give.

Pure: from the documents of a sample to a map and to the place of each. Range maps are cut so that
each partition has as many documents; hash maps evenly, as a new collection's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docstore import keys
from docstore.key_parts import KeyParts
from docstore.keys import KeySpec
from docstore.partitioning import Partition, PartitionMap, Scheme
from indexing.errors import InvalidDocument
from indexing.schema import Schema

Values = Mapping[str, Any]
"""The values of a document's fields that matter here, by path."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to partition: by hash of the key's first field or by ranges of the whole key."""

    scheme: Scheme
    spec: KeySpec
    is_current: bool = False

    def __str__(self) -> str:
        fields = ", ".join(self.spec.fields)
        if self.scheme == "range":
            return f"range of ({fields})"
        return f"hash of {self.spec.fields[0]}" + (
            f", then ({', '.join(self.spec.fields[1:])})" if len(self.spec.fields) > 1 else ""
        )

    @property
    def field(self) -> str:
        """The field that decides the partition first."""
        return self.spec.fields[0]


@dataclass(frozen=True)
class Laid:
    """A collection as a way would lay it out. `missing` documents of the sample have no such key.

    `documents` counts those of the sample in each partition.
    """

    way: Way
    map: PartitionMap
    parts: KeyParts
    documents: Mapping[int, int]
    missing: int

    def key_of(self, values: Values) -> bytes | None:
        """The encoded key of a document; None when it has none."""
        return encoded(self.way.spec, self.parts, values)

    def owner_of(self, values: Values) -> int | None:
        """The partition of a document."""
        key = self.key_of(values)
        return None if key is None else self.map.owner_of(self.way.spec, key)


def ways_for(spec: KeySpec, current: Scheme, fields: Sequence[str]) -> list[Way]:
    """The ways to compare: the one in use first, the other scheme, then each field before the key.

    A field that begins the key already makes no new way.
    """
    others: tuple[Scheme, ...] = ("range",) if current == "hash" else ("hash",)
    ways = [Way(current, spec, is_current=True), *(Way(other, spec) for other in others)]
    for field in fields:
        if field != spec.fields[0]:
            rest = tuple(each for each in spec.fields if each != field)
            compound = KeySpec((field, *rest), typed=True)
            ways += [Way("hash", compound), Way("range", compound)]
    if len(spec.fields) > 1:
        ways.append(Way("hash", KeySpec(spec.fields[1:], typed=True)))
    return ways


def laid(
    way: Way, schema: Schema, sample: Sequence[Values], partitions: int, of: PartitionMap | None
) -> Laid:
    """The sample laid out; `of` is the map in use, for the way in use."""
    held: set[Any] = set()
    parts = KeyParts(schema, way.spec, held.__contains__)
    found: list[bytes] = []
    for values in sample:
        key = encoded(way.spec, parts, values)
        if key is not None:
            found.append(key)
            held.add(parts.part_of(way.field, values[way.field]))
    if of is None:
        of = PartitionMap.even(partitions) if way.scheme == "hash" else _cut(found, partitions)
    documents = dict.fromkeys(of.numbers, 0)
    for key in found:
        documents[of.owner_of(way.spec, key)] += 1
    return Laid(way, of, parts, documents, len(sample) - len(found))


def encoded(spec: KeySpec, parts: KeyParts, values: Values) -> bytes | None:
    """The key that a document would have; None when a field is missing or cannot be in a key."""
    given = tuple(values.get(field) for field in spec.fields)
    try:
        return keys.encode(spec, parts.key(given if spec.typed else given[0]))
    except InvalidDocument:
        return None


def _cut(found: list[bytes], partitions: int) -> PartitionMap:
    found.sort()
    cuts = (found[index * len(found) // partitions] for index in range(1, partitions) if found)
    lowers = sorted({b"", *cuts})
    uppers = [*lowers[1:], None]
    return PartitionMap("range", 1, tuple(map(Partition, range(len(lowers)), lowers, uppers)))
