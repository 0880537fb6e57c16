"""How a partition map spreads a key over another number of places. Pure.

A change of fan replaces the partitions that hold some of the key before or after it by new ones of
the same slices, in the next epoch, as a split does: so documents move in one step for everyone, and
nobody ever has to look for one in two places. Deliberately absent: moving them (`moving`).
"""

from docstore.keys import KeySpec
from docstore.map_changes.reshaping import Cut
from docstore.map_changes.salting import FAN_MAX, is_fan
from docstore.partitioning import Partition, PartitionMap, Salt
from indexing.errors import InvalidRequest


def salt_to(of: PartitionMap, spec: KeySpec, partition_key: bytes, fan: object) -> Cut | None:
    """The change that spreads a partition key over `fan` places; None when it is so already.

    A fan of 1 is no salting. A change without sources moves nothing: one partition has all places.
    Raises InvalidRequest for a fan that is no power of two up to FAN_MAX, and for a collection
    whose documents of one partition key cannot be spread.
    """
    check_can_salt(of, spec)
    if not is_fan(fan) or not isinstance(fan, int):
        raise InvalidRequest(
            f"a fan of {fan!r} is none",
            hint=f"use a power of two from 2 to {FAN_MAX}, or 1 to take the salt away",
            fan_max=FAN_MAX,
        )
    if fan == of.fan_of(partition_key):
        return None
    salts = with_fan(of.salts, partition_key, fan)
    after = PartitionMap(of.scheme, of.epoch, of.partitions, salts=salts)
    held, holding = of.owners_of(partition_key), after.owners_of(partition_key)
    moves = {*held, *holding} if held != holding or len(held) > 1 else set()
    sources = tuple(each for each in of.partitions if each.number in moves)
    targets = tuple(
        Partition(number, each.lower, each.upper, of.epoch + 1)
        for number, each in enumerate(sources, of.next_number)
    )
    return Cut(sources, targets, salts)


def check_can_salt(of: PartitionMap, spec: KeySpec) -> None:
    """Raises InvalidRequest for keys of one part, and for ranges, which are split instead."""
    if of.is_range:
        raise InvalidRequest(
            "this collection is partitioned by ranges, whose keys are not salted",
            hint="split the partition that holds the key: a range can be cut inside of it",
        )
    if len(spec.fields) == 1:
        raise InvalidRequest(
            f"a key of one part, {spec.fields[0]!r}, is one document, which cannot be spread",
            hint='salting is for compound keys, like key=Key("seller_id", "id")',
            fields=list(spec.fields),
        )


def with_fan(salts: tuple[Salt, ...], partition_key: bytes, fan: int) -> tuple[Salt, ...]:
    """The salts with another fan of one key, sorted by key."""
    others = [each for each in salts if each.key != partition_key]
    changed = [Salt(partition_key, fan)] if fan > 1 else []
    return tuple(sorted((*others, *changed), key=lambda each: each.key))
