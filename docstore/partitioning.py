"""Partitions: which slice of an ordered space each one owns, and who owns a given place in it.

Invariants:
1. A map's partitions cover their space exactly, in order: every point has exactly one owner. The
   points are tokens (`hash`), whole numbers of [0, TOKENS), or encoded keys (`range`), bytes
   without an end.
2. A partition's number is never used again and names its directory; its place in the order says
   nothing about its number, so a split need not renumber the others.
3. Maps are values: a change makes another map of the next epoch.
4. The hash never changes: a token decides where a document lies on disk.

Deliberately absent: which bytes of a key are hashed (the key encoding's business), how maps change
(`reshaping`), their form on disk (`map_format`), and any hash modulo a number of partitions.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import mmh3

from docstore.keys import KEY_BYTES_MAX, KeySpec, partition_bytes
from docstore.map_changes.salting import is_fan, place_of, places_of, salt_of
from indexing.errors import InvalidSchema

TOKENS = 1 << 32
"""The size of the token space: murmur3 has 32 bits. On disk in every map; must not change."""

PARTITIONS_MAX = 4096
"""The most partitions a map may have: each is a directory with files of its own."""

_SEED = 0  # of the hash; must not change

Scheme = Literal["hash", "range"]
Point = Any
"""A place in the space: a token (int) or an encoded key (bytes); the same kind in all of a map."""


def token_of(data: bytes) -> int:
    """The token of a partition key's bytes: MurmurHash3 x86 32-bit, seed 0, in [0, TOKENS)."""
    return mmh3.hash(data, _SEED, signed=False)


@dataclass(frozen=True, slots=True)
class Hash:
    """Partitioning by the hash of the partition key: even load, no order between partitions."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One slice of the space, half-open: [lower, upper); an upper None is no bound.

    `epoch` is that of the map in which it came to be.
    """

    number: int
    lower: Point
    upper: Point
    epoch: int = 1

    def holds(self, point: Point) -> bool:
        """Whether the slice has a point of the space."""
        return bool(self.lower <= point and (self.upper is None or point < self.upper))


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A partition that is no more: its epoch, and the seq of the last entry of its log."""

    number: int
    epoch: int
    last: int


@dataclass(frozen=True, slots=True)
class Reshape:
    """One change of the map: what went and what came, in which epoch; `at` is microseconds.

    `why` says in words why it was made unasked; it is empty where somebody asked.
    """

    epoch: int
    at: int
    sources: tuple[Ancestor, ...]
    targets: tuple[int, ...]
    why: str = ""

    @property
    def kind(self) -> Literal["split", "merge", "salt"]:
        """What was done; a changed fan leaves as many partitions as there were."""
        if len(self.targets) == len(self.sources):
            return "salt"
        return "split" if len(self.targets) > len(self.sources) else "merge"


@dataclass(frozen=True, slots=True)
class Salt:
    """A partition key whose documents are spread over `fan` places, a power of two above 1."""

    key: bytes
    fan: int


@dataclass(frozen=True, slots=True)
class PartitionMap:
    """A collection's partitions, sorted by `lower`; `epoch` starts at 1 and grows with each change.

    `next_number` is above all numbers ever used; `history` holds the last changes, oldest first;
    `salts` are sorted by key. Raises InvalidSchema unless the partitions cover the space exactly
    and their numbers are unique.
    """

    scheme: Scheme
    epoch: int
    partitions: tuple[Partition, ...]
    next_number: int = -1
    history: tuple[Reshape, ...] = ()
    salts: tuple[Salt, ...] = ()
    _lowers: tuple[Point, ...] = field(init=False, repr=False, compare=False)
    _by_number: dict[int, Partition] = field(init=False, repr=False, compare=False)
    _by_key: dict[bytes, Salt] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.next_number == -1 and self.partitions:
            numbers = (each.number for each in self.partitions if _is_whole(each.number))
            object.__setattr__(self, "next_number", max(numbers, default=-1) + 1)
        fault = next(_faults_of(self), None)
        if fault:
            raise InvalidSchema(
                f"not a partition map: {fault}",
                hint="give slices that cover the space in order, each with its own number",
            )
        object.__setattr__(self, "_lowers", tuple(each.lower for each in self.partitions))
        object.__setattr__(self, "_by_number", {each.number: each for each in self.partitions})
        object.__setattr__(self, "_by_key", {each.key: each for each in self.salts})

    @classmethod
    def even(cls, count: int) -> "PartitionMap":
        """A first map of tokens: `count` slices whose sizes differ by at most one token.

        Raises InvalidSchema unless count is 1 to PARTITIONS_MAX.
        """
        if not _is_whole(count) or not 1 <= count <= PARTITIONS_MAX:
            raise InvalidSchema(
                "the number of partitions is out of range",
                hint=f"choose a whole number from 1 to {PARTITIONS_MAX}",
                partitions_max=PARTITIONS_MAX,
            )
        bounds = [number * TOKENS // count for number in range(count + 1)]
        return cls("hash", 1, tuple(map(Partition, range(count), bounds, bounds[1:])))

    @property
    def is_range(self) -> bool:
        """Whether partitions own ranges of keys; else ranges of tokens."""
        return self.scheme == "range"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The partitions' numbers, in the order of their slices."""
        return tuple(partition.number for partition in self.partitions)

    def partition(self, number: int) -> Partition | None:
        """The partition of a number; None when there is none, or none any more."""
        return self._by_number.get(number)

    def salt_of(self, partition_key: bytes) -> Salt | None:
        """How a partition key is spread; None for all that are not."""
        return self._by_key.get(partition_key)

    def point_of(self, spec: KeySpec, key: bytes) -> Point:
        """Where an encoded key stands in the space."""
        if self.scheme == "range":
            return key
        partition_key = partition_bytes(spec, key)
        token = token_of(partition_key)
        salt = self._by_key.get(partition_key) if self._by_key else None
        return token if salt is None else place_of(token, salt_of(key, salt.fan))

    def fan_of(self, partition_key: bytes) -> int:
        """Over how many places a partition key is spread; 1 for all that are not."""
        salt = self._by_key.get(partition_key)
        return 1 if salt is None else salt.fan

    def owners_of(self, partition_key: bytes) -> tuple[int, ...]:
        """The partitions of tokens that own a partition key's places, sorted."""
        places = places_of(token_of(partition_key), self.fan_of(partition_key))
        return tuple(sorted({self.partition_of(place).number for place in places}))

    def partition_of(self, point: Point) -> Partition:
        """The owner of a point of the space."""
        return self.partitions[bisect_right(self._lowers, point) - 1]

    def owner_of(self, spec: KeySpec, key: bytes) -> int:
        """The partition that owns an encoded key."""
        return self.partition_of(self.point_of(spec, key)).number

    def overlapping(self, lower: Point, upper: Point) -> tuple[int, ...]:
        """The partitions that own points of [lower, upper), in order; none of no points."""
        if upper is not None and upper <= lower:
            return ()
        first = bisect_right(self._lowers, lower) - 1
        end = len(self._lowers) if upper is None else bisect_left(self._lowers, upper)
        return tuple(each.number for each in self.partitions[first:end])


def _faults_of(of: PartitionMap) -> Iterator[str]:
    """What is wrong with a map, in words."""
    if of.scheme not in ("hash", "range"):
        yield f"it is neither hash nor range but {of.scheme!r}"
        return
    if not _is_whole(of.epoch) or of.epoch < 1:
        yield "its epoch is not a whole number from 1"
    numbers = [each.number for each in of.partitions]
    if not all(_is_whole(number) and number >= 0 for number in numbers):
        yield "a partition's number is not a whole number from 0"
    elif len(set(numbers)) != len(numbers):
        yield "a partition's number is used twice"
    elif not _is_whole(of.next_number) or of.next_number <= max(numbers, default=-1):
        yield "its next number is not above those in use"
    yield from _gaps_in(of)
    for each in of.partitions:
        if not _is_whole(each.epoch) or not 1 <= each.epoch <= max(of.epoch, 1):
            yield f"partition {each.number} came to be in epoch {each.epoch}"
    yield from _wrong_salts(of)


def _gaps_in(of: PartitionMap) -> Iterator[str]:
    partitions = of.partitions
    first, end = (b"", None) if of.is_range else (0, TOKENS)
    for each in partitions:
        bounds = [each.lower] if each.upper is None and of.is_range else [each.lower, each.upper]
        if not all(isinstance(b, bytes) if of.is_range else _is_whole(b) for b in bounds):
            yield f"a bound of partition {each.number} is of another space"
            return
        if each.upper is not None and each.upper <= each.lower:
            yield f"partition {each.number} owns nothing"
        if of.is_range and len(each.lower) > KEY_BYTES_MAX:
            yield f"the bound of partition {each.number} is longer than a key"
    if not partitions or partitions[0].lower != first or partitions[-1].upper != end:
        yield "its first partition has a lower bound, or its last an upper one"
    for one, following in pairwise(partitions):
        if one.upper != following.lower:
            yield f"partition {following.number} does not begin where {one.number} ends"


def _wrong_salts(of: PartitionMap) -> Iterator[str]:
    for each in of.salts:
        if not is_fan(each.fan) or each.fan == 1:
            yield f"a fan of {each.fan!r} is no power of two"
    if of.salts and of.is_range:
        yield "keys are salted that are not hashed"
    if any(one.key >= following.key for one, following in pairwise(of.salts)):
        yield "its salts are not sorted, or one key has two"


def _is_whole(value: object) -> bool:
    # What comes from a caller or from JSON may be anything; True is no number.
    return isinstance(value, int) and not isinstance(value, bool)
