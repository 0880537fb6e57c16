"""Partitions: which slice of the token space each one owns, and who owns a given token.

Invariants:
1. A map's partitions cover [0, TOKENS) exactly, in order: every token has exactly one owner.
2. A partition's number is unique in its map and names its directory; its place in the order says
   nothing about its number, so a split need not renumber the others.
3. The hash never changes: a token decides where a document lies on disk.

A map is a sorted list of bounds over an ordered space, looked up by bisection; nothing but the
bounds of the whole space is particular to tokens. Deliberately absent: which bytes of a key are
hashed (the key encoding's business), and any hash modulo a number of partitions.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import mmh3

from docstore.keys import KeySpec, partition_bytes
from indexing.errors import Corruption, InvalidSchema

TOKENS = 1 << 32
"""The size of the token space: murmur3 has 32 bits. On disk in every map; must not change."""

PARTITIONS_MAX = 4096
"""The most partitions a new map may have: each is a directory with files of its own."""

_SEED = 0  # of the hash; must not change


def token_of(data: bytes) -> int:
    """The token of a partition key's bytes: MurmurHash3 x86 32-bit, seed 0, in [0, TOKENS)."""
    return mmh3.hash(data, _SEED, signed=False)


@dataclass(frozen=True, slots=True)
class Hash:
    """Partitioning by the hash of the partition key: even load, no order between partitions."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One slice of the token space, half-open: [lower, upper)."""

    number: int
    lower: int
    upper: int


@dataclass(frozen=True, slots=True)
class PartitionMap:
    """A collection's partitions, sorted by `lower`; `epoch` starts at 1 and grows with each change.

    Raises InvalidSchema unless they cover the token space exactly and their numbers are unique.
    """

    epoch: int
    partitions: tuple[Partition, ...]
    _lowers: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fault = _fault_of(self.epoch, self.partitions)
        if fault:
            raise InvalidSchema(
                f"not a partition map: {fault}",
                hint=f"give slices that cover 0 to {TOKENS} in order, each with its own number",
            )
        object.__setattr__(self, "_lowers", tuple(p.lower for p in self.partitions))

    @classmethod
    def even(cls, count: int) -> "PartitionMap":
        """The first map of a collection: `count` slices whose sizes differ by at most one token.

        Raises InvalidSchema unless count is 1 to PARTITIONS_MAX.
        """
        if not _is_whole(count) or not 1 <= count <= PARTITIONS_MAX:
            raise InvalidSchema(
                "the number of partitions is out of range",
                hint=f"choose a whole number from 1 to {PARTITIONS_MAX}",
                partitions_max=PARTITIONS_MAX,
            )
        bounds = [number * TOKENS // count for number in range(count + 1)]
        return cls(1, tuple(map(Partition, range(count), bounds, bounds[1:])))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The partitions' numbers, in the order of their slices."""
        return tuple(partition.number for partition in self.partitions)

    def partition_of(self, token: int) -> Partition:
        """The owner of a token of [0, TOKENS)."""
        return self.partitions[bisect_right(self._lowers, token) - 1]

    def owner_of(self, spec: KeySpec, key: bytes) -> int:
        """The partition that owns an encoded key, or any key that begins with this first part."""
        return self.partition_of(token_of(partition_bytes(spec, key))).number

    def to_json(self) -> dict[str, Any]:
        """The map as JSON; these names and the word `hash` never change meaning."""
        return {
            "partitioning": "hash",
            "epoch": self.epoch,
            "partitions": [
                {"number": p.number, "lower": p.lower, "upper": p.upper} for p in self.partitions
            ],
        }

    @classmethod
    def from_json(cls, data: Any) -> "PartitionMap":
        """Read `to_json` back; raises Corruption on anything that is not a valid map."""
        match data:
            case {"partitioning": "hash", "epoch": epoch, "partitions": [*entries]}:
                try:
                    return cls(epoch, tuple(map(_partition_from_json, entries)))
                except InvalidSchema as error:
                    raise _broken(error.message) from error
        raise _broken("not a hash partition map of this format")


def _partition_from_json(entry: Any) -> Partition:
    match entry:
        case {"number": number, "lower": lower, "upper": upper}:
            return Partition(number, lower, upper)
    raise _broken("a partition is not {number, lower, upper}")


def _fault_of(epoch: int, partitions: tuple[Partition, ...]) -> str | None:
    """What is wrong with a map, in words; None when nothing is."""
    if not _is_whole(epoch) or epoch < 1:
        return "its epoch is not a whole number from 1"
    numbers = set()
    covered = 0  # everything below it has an owner
    for partition in partitions:
        if not all(map(_is_whole, (partition.number, partition.lower, partition.upper))):
            return "a partition's number or bound is not a whole number"
        if partition.number < 0 or partition.number in numbers:
            return f"partition number {partition.number} is negative or used twice"
        if partition.lower != covered or partition.upper <= covered:
            return (
                f"partition {partition.number} owns {partition.lower} to {partition.upper}"
                f" where {covered} comes next"
            )
        numbers.add(partition.number)
        covered = partition.upper
    return None if covered == TOKENS else f"tokens are owned up to {covered}, not {TOKENS}"


def _is_whole(value: object) -> bool:
    # What comes from a caller or from JSON may be anything; True is no number.
    return isinstance(value, int) and not isinstance(value, bool)


def _broken(why: str) -> Corruption:
    return Corruption(
        f"a stored partition map cannot be read: {why}",
        hint="restore collection.json from a copy, or open the store with a newer version",
    )
