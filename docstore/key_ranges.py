"""Key ranges: which slice of the ordered keys each partition owns, and which slices a scan meets.

Invariants:
1. A map's partitions cover all encoded keys exactly, in order: the first begins at the empty
   bytes, each ends where the next begins, the last has no end. Every key has exactly one owner.
2. Partitions stand in key order, so their scans follow each other and need no merging.
3. A bound is no longer than a key may be, and is compared with whole encoded keys.

A compound key is ranged by all its parts, so one seller's documents may lie in neighbouring
partitions. Deliberately absent: what a key's bytes are (the key encoding's business).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from docstore.keys import KEY_BYTES_MAX, Key, KeySpec, prefix_range
from docstore.partitioning import PARTITIONS_MAX
from indexing.errors import Corruption, InvalidDocument, InvalidSchema


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


@dataclass(frozen=True, slots=True)
class KeySlice:
    """One slice of the keys, half-open: [lower, upper); upper None is no bound."""

    number: int
    lower: bytes
    upper: bytes | None


@dataclass(frozen=True, slots=True)
class RangeMap:
    """A collection's partitions in key order; `epoch` starts at 1 and grows with each change.

    Raises InvalidSchema unless they cover all keys exactly and their numbers are unique.
    """

    epoch: int
    partitions: tuple[KeySlice, ...]
    _lowers: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fault = _fault_of(self.epoch, self.partitions)
        if fault:
            raise InvalidSchema(
                f"not a partition map: {fault}",
                hint="give slices that cover all keys in order, each with its own number",
            )
        object.__setattr__(self, "_lowers", tuple(each.lower for each in self.partitions))

    @classmethod
    def pre_split(cls, spec: KeySpec, part_of: Callable[[Key], Any], scheme: Range) -> "RangeMap":
        """The first map of a collection, cut at the given keys.

        `part_of` gives a key's parts as they are stored. Raises InvalidSchema, naming the bound,
        when one is no key, is too long, or is not above the one before it.
        """
        if len(scheme.pre_split) >= PARTITIONS_MAX:
            raise InvalidSchema(
                f"{len(scheme.pre_split):,} bounds make too many partitions",
                hint=f"give at most {PARTITIONS_MAX - 1:,}",
                partitions_max=PARTITIONS_MAX,
            )
        lowers = [b""]
        for index, bound in enumerate(scheme.pre_split):
            encoded = _bound(spec, part_of, bound, index)
            if encoded <= lowers[-1]:
                raise InvalidSchema(
                    f"bound {index} of pre_split, {bound!r}, is not above the one before it",
                    hint="sort the bounds, each once and none of them empty",
                    index=index,
                )
            lowers.append(encoded)
        uppers: list[bytes | None] = [*lowers[1:], None]
        return cls(1, tuple(map(KeySlice, range(len(lowers)), lowers, uppers)))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The partitions' numbers, in the order of their slices."""
        return tuple(each.number for each in self.partitions)

    def owner_of(self, spec: KeySpec, key: bytes) -> int:
        """The partition that owns an encoded key; the specification is not needed."""
        del spec
        return self.partitions[bisect_right(self._lowers, key) - 1].number

    def overlapping(self, lower: bytes, upper: bytes | None) -> tuple[int, ...]:
        """The partitions that can hold keys of [lower, upper), in key order; none of no keys."""
        if upper is not None and upper <= lower:
            return ()
        first = bisect_right(self._lowers, lower) - 1
        end = len(self._lowers) if upper is None else bisect_left(self._lowers, upper)
        return tuple(each.number for each in self.partitions[first:end])

    def to_json(self) -> dict[str, Any]:
        """The map as JSON, bounds in hexadecimal; these names never change meaning."""
        return {
            "partitioning": "range",
            "epoch": self.epoch,
            "partitions": [
                {
                    "number": each.number,
                    "lower": each.lower.hex(),
                    "upper": None if each.upper is None else each.upper.hex(),
                }
                for each in self.partitions
            ],
        }

    @classmethod
    def from_json(cls, data: Any) -> "RangeMap":
        """Read `to_json` back; raises Corruption on anything that is not a valid map."""
        match data:
            case {"partitioning": "range", "epoch": epoch, "partitions": [*entries]}:
                try:
                    return cls(epoch, tuple(map(_slice_from_json, entries)))
                except InvalidSchema as error:
                    raise _broken(error.message) from error
        raise _broken("not a range partition map of this format")


def _bound(spec: KeySpec, part_of: Callable[[Key], Any], bound: Any, index: int) -> bytes:
    try:
        return prefix_range(spec, part_of(bound))[0]
    except InvalidDocument as error:
        raise InvalidSchema(
            f"bound {index} of pre_split cannot be part of a key: {error.message}",
            hint=error.hint,
            index=index,
        ) from error


def _slice_from_json(entry: Any) -> KeySlice:
    match entry:
        case {"number": number, "lower": str(lower), "upper": str() | None as upper}:
            try:
                return KeySlice(
                    number, bytes.fromhex(lower), None if upper is None else bytes.fromhex(upper)
                )
            except ValueError as error:
                raise _broken("a bound is not hexadecimal") from error
    raise _broken("a partition is not {number, lower, upper}")


def _fault_of(epoch: int, slices: tuple[KeySlice, ...]) -> str | None:
    """What is wrong with a map, in words; None when nothing is."""
    if type(epoch) is not int or epoch < 1:
        return "its epoch is not a whole number from 1"
    if not slices or slices[0].lower != b"" or slices[-1].upper is not None:
        return "its first partition has a lower bound, or its last an upper one"
    if any(type(each.number) is not int or each.number < 0 for each in slices):
        return "a partition's number is not a whole number from 0"
    if len({each.number for each in slices}) != len(slices):
        return "a partition's number is used twice"
    for one, following in pairwise(slices):
        if one.upper != following.lower or following.lower <= one.lower:
            return f"partition {following.number} does not begin where {one.number} ends"
        if len(following.lower) > KEY_BYTES_MAX:
            return f"the bound of partition {following.number} is longer than a key"
    return None


def _broken(why: str) -> Corruption:
    return Corruption(
        f"a stored partition map cannot be read: {why}",
        hint="restore collection.json from a copy, or open the store with a newer version",
    )
