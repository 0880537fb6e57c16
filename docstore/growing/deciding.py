"""Which partition is split, and which neighbours are merged: a fold over what is seen. Pure.

Invariants:
1. At most one change is due at a look, a split before a merge, the worst first.
2. What a merge made is not split, and what a split made not merged, for REST_SECONDS; and a merge
   is due only while there are more partitions than the collection was made with.
3. A load counts when it stood at every look of the window; so does what is too small.
4. A partition that cannot be split is tried again after REFUSED_SECONDS, or once it holds twice
   what it did, or half.
5. What failed is tried again after a pause, each time twice as long.

Deliberately absent: looking and doing (`growth`), and where to cut (`resharding`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from docstore.growing.limits import AutoSplit
from docstore.partitioning import PARTITIONS_MAX

REST_SECONDS = 600.0
"""A change copies every document of its partitions: undoing it soon would be worse than waiting."""
REFUSED_SECONDS = 600.0
"""Other keys may come, or be written, without any sign of it in the numbers; to find out costs a
look at every key, a second per million."""
LOAD_DOCUMENTS_MIN = 1_000
"""Fewer documents that are written often are hot keys: cutting between them helps nobody."""
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A partition at one look. `writes` counts from whenever; `is_ours`: the policy made it."""

    documents: int
    bytes: int
    writes: int
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """Cut a partition; `by_load` where its writes are halved, else its documents."""

    number: int
    why: str
    by_load: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """Put two neighbours together."""

    left: int
    right: int
    why: str


Action = Split | Merge


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a partition could not be split, how many documents it held then, and when that was."""

    why: str
    documents: int
    at: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered between looks, by partition; times are seconds of one clock."""

    looks: Mapping[int, tuple[tuple[float, int], ...]] = field(default_factory=dict)
    small_since: Mapping[tuple[int, int], float] = field(default_factory=dict)
    merged_at: Mapping[int, float] = field(default_factory=dict)
    refusals: Mapping[tuple[int, bool], Refusal] = field(default_factory=dict)
    """By partition, and whether it was its load that could not be split."""
    failure: str | None = None
    pause: float = 0.0
    paused_until: float = 0.0


def decide(
    limits: AutoSplit,
    memory: Memory,
    order: Sequence[int],
    seen: Mapping[int, Seen],
    made_with: int,
    now: float,
) -> tuple[Memory, Action | None]:
    """What to remember after a look at the partitions in their `order`, and what is due now.

    Partitions that are not `seen` are left alone.
    """
    memory = _remembered(limits, memory, order, seen, now)
    if now < memory.paused_until:
        return memory, None
    return memory, _split_due(limits, memory, order, seen, now) or _merge_due(
        limits, memory, order, made_with, now
    )


def rates_of(memory: Memory, number: int) -> list[float]:
    """Writes per second between the looks that are remembered of a partition."""
    return [
        (writes - before) / (at - earlier)
        for (earlier, before), (at, writes) in pairwise(memory.looks.get(number, ()))
    ]


def refused(memory: Memory, action: Split, why: str, documents: int, now: float) -> Memory:
    """After a partition proved to have nothing to split."""
    place = (action.number, action.by_load)
    return replace(memory, refusals={**memory.refusals, place: Refusal(why, documents, now)})


def failed(memory: Memory, why: str, now: float) -> Memory:
    """After a change that could not be made now."""
    pause = min(max(2 * memory.pause, PAUSE_SECONDS), PAUSE_SECONDS_MAX)
    return replace(memory, failure=why, pause=pause, paused_until=now + pause)


def made(memory: Memory, action: Action, targets: Sequence[int], now: float) -> Memory:
    """After a change that was made."""
    merged = dict.fromkeys(targets, now) if isinstance(action, Merge) else {}
    return replace(
        memory, merged_at={**memory.merged_at, **merged}, failure=None, pause=0.0, paused_until=0.0
    )


def _remembered(
    limits: AutoSplit, memory: Memory, order: Sequence[int], seen: Mapping[int, Seen], now: float
) -> Memory:
    looks = {number: _looks(limits, memory, number, each, now) for number, each in seen.items()}
    after = replace(
        memory,
        looks=looks,
        merged_at={number: at for number, at in memory.merged_at.items() if number in order},
        refusals={
            place: each
            for place, each in memory.refusals.items()
            if place[0] in order and _is_still(each, seen.get(place[0]), now)
        },
    )
    small = {
        pair: memory.small_since.get(pair, now)
        for pair in pairwise(order)
        if _is_small(limits, after, pair, seen)
    }
    return replace(after, small_since=small)


def _looks(
    limits: AutoSplit, memory: Memory, number: int, seen: Seen, now: float
) -> tuple[tuple[float, int], ...]:
    """The looks of the window and the last one before it; anew when writes are counted anew."""
    known = memory.looks.get(number, ())
    if known and (known[-1][1] > seen.writes or known[-1][0] >= now):
        known = ()
    begins = now - limits.window_seconds
    older = [look for look in known if look[0] <= begins][-1:]
    return (*older, *(look for look in known if look[0] > begins), (now, seen.writes))


def _is_still(refusal: Refusal, seen: Seen | None, now: float) -> bool:
    if seen is None:
        return True
    is_alike = refusal.documents < 2 * seen.documents < 4 * refusal.documents
    return is_alike and now - refusal.at < REFUSED_SECONDS


def _is_small(
    limits: AutoSplit, memory: Memory, pair: tuple[int, int], seen: Mapping[int, Seen]
) -> bool:
    both = [seen[number] for number in pair if number in seen and seen[number].is_ours]
    if len(both) < 2 or not limits.merge_below:
        return False
    writes = sum(max(rates_of(memory, number), default=0.0) for number in pair)
    held = (
        (sum(each.documents for each in both), limits.documents),
        (sum(each.bytes for each in both), limits.bytes),
        (writes, limits.writes_per_second),
    )
    return all(value < limits.merge_below * limit for value, limit in held if limit is not None)


def _split_due(
    limits: AutoSplit, memory: Memory, order: Sequence[int], seen: Mapping[int, Seen], now: float
) -> Split | None:
    if len(order) >= PARTITIONS_MAX:
        return None
    due: list[tuple[float, Split]] = []
    for number in order:
        rests = number in memory.merged_at and now - memory.merged_at[number] < REST_SECONDS
        if number not in seen or rests or (number, False) in memory.refusals:
            continue
        writes = _sustained(limits, memory, number, now)
        found = _excesses(limits, number, seen[number], writes)
        due += [each for each in found if (number, each[1].by_load) not in memory.refusals]
    return max(due, key=lambda each: each[0])[1] if due else None


def _excesses(
    limits: AutoSplit, number: int, seen: Seen, writes: float
) -> list[tuple[float, Split]]:
    """By how much a partition is above each limit that it is above, and the split of it."""
    found: list[tuple[float, Split]] = []
    if limits.documents is not None and seen.documents > limits.documents:
        why = f"{seen.documents:,} documents, more than {limits.documents:,}"
        found.append((seen.documents / limits.documents, Split(number, why)))
    if limits.bytes is not None and seen.bytes > limits.bytes:
        why = f"{seen.bytes:,} bytes, more than {limits.bytes:,}"
        found.append((seen.bytes / limits.bytes, Split(number, why)))
    most = limits.writes_per_second
    if most is not None and writes > most and seen.documents >= LOAD_DOCUMENTS_MIN:
        why = f"{writes:,.0f} writes/s for {limits.window_seconds:g} s, more than {most:,g}"
        found.append((writes / most, Split(number, why, by_load=True)))
    return found


def _sustained(limits: AutoSplit, memory: Memory, number: int, now: float) -> float:
    """The writes per second at every look of the window; 0 while it is not yet over."""
    looks = memory.looks[number]
    if now - looks[0][0] < limits.window_seconds:
        return 0.0
    return min(rates_of(memory, number), default=0.0)


def _merge_due(
    limits: AutoSplit, memory: Memory, order: Sequence[int], made_with: int, now: float
) -> Merge | None:
    if len(order) <= made_with:
        return None
    for pair in pairwise(order):
        since = memory.small_since.get(pair, now)
        if now - since >= REST_SECONDS:
            why = f"together below {limits.merge_below:.0%} of every limit for {now - since:,.0f} s"
            return Merge(*pair, why)
    return None
