"""Which keys are hot, and what to do about each: pure decisions over measured loads.

A partition key is hot when it makes the shard that holds it do half as much again as an even share
of the collection's work, and does it often enough to matter. Deliberately absent: doing it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from docstore.hot_keys.traffic import Load, Loads
from docstore.map_changes.salting import FAN_MAX

HOT_OVERLOAD = 1.5
"""Times an even share that the shard of a hot key has to do."""
READS_PER_SECOND = 1_000.0
WRITES_PER_SECOND = 100.0
"""Below these a core is not busy with one key: 0.5% of it for reads, 3% for writes."""


@dataclass(frozen=True, slots=True)
class HotKey:
    """A partition key with its requests per second of late, and its share of the collection's.

    `key` is the first part of a compound key, else the whole key; `fan` how many shards may hold
    it. `proposed_fan` is None when another fan would not help; `action` says in words what to do.
    """

    collection: str
    key: Any
    reads_per_second: float
    read_share: float
    writes_per_second: float
    write_share: float
    fan: int
    is_hot: bool
    proposed_fan: int | None
    action: str

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict; a key of several kinds stays as it is."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a collection is cut: what can be done about a hot key depends on it."""

    partitions: int
    is_range: bool
    is_compound: bool


NO_LOAD = Load(0.0, 0.0)


def loads_together(reads: Loads, writes: Loads, most: int) -> list[tuple[bytes, Load, Load]]:
    """The heaviest keys by the larger of their shares, each with its reads and its writes."""
    keys = {**reads.by_key, **writes.by_key}
    found = [(key, reads.by_key.get(key, NO_LOAD), writes.by_key.get(key, NO_LOAD)) for key in keys]
    found.sort(key=lambda each: (-max(each[1].share, each[2].share), each[0]))
    return found[:most]


def judged(collection: str, key: Any, reads: Load, writes: Load, fan: int, cut: Cut) -> HotKey:
    """Whether a key is hot, and what to do about it."""
    share = _share_that_matters(reads, writes)
    is_hot = overload(share, fan, cut.partitions) >= HOT_OVERLOAD
    wanted = fan_for(share, cut.partitions)
    can_salt = cut.is_compound and not cut.is_range
    proposed = None
    if can_salt and ((is_hot and wanted > fan) or wanted * 4 <= fan):
        # Shrinking waits until the fan is four times what is needed, so that it does not swing.
        proposed = wanted
    return HotKey(
        collection,
        key,
        reads.per_second,
        reads.share,
        writes.per_second,
        writes.share,
        fan,
        is_hot,
        proposed,
        _action(fan, proposed, cut, reads, writes, is_hot=is_hot),
    )


def fan_for(share: float, partitions: int) -> int:
    """The smallest power of two, up to FAN_MAX, over which a share of the load is no longer hot.

    No larger than helps: more places than partitions meet again on the same ones.
    """
    fan = 1
    while fan < FAN_MAX and fan < partitions and overload(share, fan, partitions) >= HOT_OVERLOAD:
        fan *= 2
    return fan


def _share_that_matters(reads: Load, writes: Load) -> float:
    counted = [
        load.share
        for load, least in ((reads, READS_PER_SECOND), (writes, WRITES_PER_SECOND))
        if load.per_second >= least
    ]
    return max(counted, default=0.0)


def overload(share: float, fan: int, partitions: int) -> float:
    """Times an even share that a shard does which has one place of a key, beside all other keys."""
    return (share / min(fan, partitions) + (1 - share) / partitions) * partitions


def _action(
    fan: int, proposed: int | None, cut: Cut, reads: Load, writes: Load, *, is_hot: bool
) -> str:
    if proposed is not None:
        if proposed > fan:
            return f"salt it over {proposed} shards; scans of it then ask all of them"
        return "unsalt it" if proposed == 1 else f"shrink its fan from {fan} to {proposed}"
    if not is_hot:
        return "nothing to do"
    if cut.partitions == 1:
        return "the only shard holds it: use more partitions"
    if cut.is_range:
        return "split its partition beside it" if not cut.is_compound else "split its partition"
    if not cut.is_compound:
        kind = "read" if reads.share >= writes.share else "written"
        return f"it is one document, {kind} often: cache it, or divide it into several"
    return "it is spread as far as it goes: use more partitions"
