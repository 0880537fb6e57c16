"""Splitting and merging partitions while reads and writes go on: the effects, in their order.

The steps, and what a process that dies after each leaves: (1) the new shards' numbers are written
down; (2) the new shards are made and filled, and their indexes; (3) writers of the old shards wait,
the last entries are copied; (4) collection.json is replaced. Up to (4) the old map and shards that
opening removes; from then on the new map, and old shards that opening removes. (5) the old shards
go when nobody asks them any more. A change that was made says so: nothing after (4) raises.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from typing import Literal

from docstore import keys
from docstore.giving_way import giving_way
from docstore.growing.balance import halving
from docstore.live_map import LiveMap
from docstore.map_changes import moving_apart
from docstore.map_changes.median import median_of
from docstore.map_changes.moving import Moving, Progress
from docstore.map_changes.reshaping import Cut, known, merge_of, reshaped, split_at
from docstore.partitioning import TOKENS, Partition, PartitionMap, Point
from docstore.partitions import Partitions
from docstore.shards.shard import Shard, now_microseconds
from docstore.showing import shown
from docstore.types import Key, PartitionChange
from indexing.errors import DocstoreError, InvalidDocument, InvalidRequest

MEDIAN_OF = 16_384
"""Keys, evenly drawn: their median is off by less than a hundredth. One of all keys would make
writers wait for a second in a large partition."""
RECENT_WRITES = 4_096
"""Of a partition's log, to see where its writes go."""
Kind = Literal["split", "merge", "salt"]


def split(live: LiveMap, number: int, at: Key | None = None, why: str = "") -> PartitionChange:
    """Cut a partition in two at a bound, or at the median of its keys or tokens.

    `why` is told of a change that nobody asked for.
    """

    def cut(partitions: Partitions) -> Cut:
        of = partitions.definition.partition_map
        source = known(of, number)
        bound = _median(partitions, source) if at is None else _bound(partitions, at)
        return replace(split_at(of, number, bound), why=why)

    return change(live, "split", cut)


def split_load(live: LiveMap, number: int, why: str = "") -> PartitionChange:
    """Cut a partition in two where its recent writes are halved; raises InvalidRequest.

    There is no such place when they go to one key, or always above all others.
    """

    def cut(partitions: Partitions) -> Cut:
        of, spec = partitions.definition.partition_map, partitions.definition.key
        source = known(of, number)
        recent = partitions.shard(number).recent_keys(RECENT_WRITES)
        bound = halving([of.point_of(spec, key) for key in recent])
        if bound is None or bound <= source.lower:
            raise InvalidRequest(
                f"the writes of partition {number} go to one key, or always to the newest ones",
                hint="the hot keys tell which; a key that begins with something even would spread",
                partition=number,
            )
        return replace(split_at(of, number, bound), why=why)

    return change(live, "split", cut)


def merge(live: LiveMap, left: int, right: int, why: str = "") -> PartitionChange:
    """Make one partition of two neighbours."""
    return change(
        live,
        "merge",
        lambda of: replace(merge_of(of.definition.partition_map, left, right), why=why),
    )


def change(live: LiveMap, kind: Kind, plan: Callable[[Partitions], Cut]) -> PartitionChange:
    """Carry out the change that is planned of the map as it is now; raises what planning does."""
    began = time.perf_counter()
    with live.changing() as partitions:
        return _change(live, partitions, kind, plan(partitions), began)


def _median(partitions: Partitions, source: Partition) -> Point:
    shard = partitions.shard(source.number)
    step = shard.count() // MEDIAN_OF + 1
    # Only where the sample is all one key do the others matter.
    bounds = (_median_of_each(step, partitions, shard) for step in dict.fromkeys((step, 1)))
    bound = next((bound for bound in bounds if bound is not None), None)
    if bound is None:
        what = "no documents" if not shard.count() else "documents of one partition key only"
        raise InvalidRequest(
            f"partition {source.number} has {what}: there is nothing to split",
            hint="split another partition, or give the bound at which to cut with at=",
            partition=source.number,
        )
    return bound


def _median_of_each(step: int, partitions: Partitions, shard: Shard) -> Point | None:
    of, spec = partitions.definition.partition_map, partitions.definition.key
    found = giving_way(islice(shard.all_keys(), None, None, step))
    return median_of(of.point_of(spec, key) for key in found)


def _bound(partitions: Partitions, at: Key) -> Point:
    if partitions.definition.partition_map.is_range:
        try:
            return keys.prefix_range(partitions.definition.key, partitions.key_parts.key(at))[0]
        except InvalidDocument as error:
            raise InvalidRequest(
                f"{shown(at)} cannot be part of a key: {error.message}", hint=error.hint, at=at
            ) from error
    if type(at) is not int:
        raise InvalidRequest(
            f"{shown(at)} is not a token",
            hint=f"hashed keys are cut at a number from 0 to {TOKENS - 1}",
            at=at,
        )
    return at


def _change(
    live: LiveMap, partitions: Partitions, kind: Kind, cut: Cut, began: float
) -> PartitionChange:
    sources = tuple(each.number for each in cut.sources)
    targets = tuple(each.number for each in cut.targets)

    def progress(phase: str, done: int, of: int) -> None:
        live.shards.check_open()  # who closes the store waits for this to end
        live.shards.moving = {
            "kind": kind,
            "from": list(sources),
            "into": list(targets),
            "phase": phase,
            "done": done,
            "of": of,
            "seconds": round(time.perf_counter() - began, 3),
        }

    definition = partitions.definition
    if not sources:  # only the map changes
        live.publish(reshaped(definition.partition_map, cut, {}, now_microseconds()))
        return PartitionChange(kind, live.epoch, (), (), 0, time.perf_counter() - began, 0.0)
    progress("beginning", 0, 0)
    before = definition.partition_map
    try:
        live.will_not_own((*targets, *sources))
        with _logs_held(live, sources):
            heads = {number: live.shards.shard(number).head for number in sources}
            after = reshaped(before, cut, heads, 0)
            moving = Moving(before, after, definition.key, live.shards, progress)
            documents = sum(shard.count() for shard in moving.sources.values())
            _copy(live, moving, documents, progress)
            pause = _cut_over(live, moving, before, cut)
    except BaseException:
        if not live.is_doubtful:
            # What cannot be removed now is on the list, and is when the store is opened.
            with suppress(DocstoreError, OSError):
                live.remove(targets)
                live.owns(sources)
        raise
    finally:
        live.shards.moving = None
    with suppress(DocstoreError):  # what is listed still and has an owner stays on opening
        live.owns(targets)
    live.indexes.wake()
    seconds = time.perf_counter() - began
    made = PartitionChange(kind, live.epoch, sources, targets, documents, seconds, pause * 1000)
    live.note(made)
    return made


@contextmanager
def _logs_held(live: LiveMap, sources: tuple[int, ...]) -> Iterator[None]:
    """Forget nothing of the sources' logs until they are copied."""
    try:
        for number in sources:
            first, _ = live.shards.shard(number).log_range()
            live.shards.hold_log(number, max(first - 1, 0))
        yield
    finally:
        for number in sources:
            live.shards.hold_log(number, None)


def _copy(live: LiveMap, moving: Moving, documents: int, progress: Progress) -> None:
    """Everything that can be done beside the traffic."""
    followed = None
    if documents >= moving_apart.DOCUMENTS_MIN:
        followed = moving_apart.make_apart(
            live.shards.directory.parent, moving.after, lambda: not live.shards.is_closed, progress
        )
    if followed is None:
        moving.make(live.shards)
        moving.fill()
    else:
        moving.take(live.shards, followed)
    live.indexes.adopt(dict.fromkeys(moving.targets, moving.log_begins), moving.began)
    moving.catch_up()


def _cut_over(live: LiveMap, moving: Moving, of: PartitionMap, cut: Cut) -> float:
    """Stop the writers of what goes, copy what is left, change the map; returns the seconds."""
    began = time.perf_counter()
    with ExitStack() as stack:
        for number in sorted(moving.sources):
            stack.enter_context(moving.sources[number].alone())
        moving.follow()
        lasts = moving.lasts()
        going = tuple(moving.sources)
        try:
            live.publish(
                reshaped(of, cut, lasts, now_microseconds()), lambda: live.remove_soon(going)
            )
        except BaseException:
            if live.is_doubtful:
                for shard in moving.sources.values():
                    shard.leave()
            raise
        for shard in moving.sources.values():
            shard.leave()
    return time.perf_counter() - began
