"""When a partition is split, when neighbours are merged, and when nothing is done."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import AutoSplit, InvalidRequest
from docstore.growing.deciding import (
    LOAD_DOCUMENTS_MIN,
    PAUSE_SECONDS,
    REFUSED_SECONDS,
    REST_SECONDS,
    Action,
    Memory,
    Merge,
    Seen,
    Split,
    decide,
    failed,
    made,
    refused,
)

LIMITS = AutoSplit(documents=1_000, bytes=1_000_000, window_seconds=60)
LOADED = AutoSplit(writes_per_second=100, window_seconds=60)
LOOK = 10.0


def seen(documents: int, writes: int = 0, held: int = 0, *, is_ours: bool = True) -> Seen:
    return Seen(documents, held, writes, is_ours)


def once(limits: AutoSplit, *parts: Seen, made_with: int = 1) -> Action | None:
    """What is due at the first look at some partitions."""
    return decide(limits, Memory(), range(len(parts)), dict(enumerate(parts)), made_with, 0.0)[1]


def watched(
    limits: AutoSplit, memory: Memory, parts: dict[int, Seen], begin: float, seconds: float
) -> tuple[Memory, float, Action | None]:
    """Look again and again at what does not change, until something is due or the time is over."""
    now = begin
    while now <= begin + seconds:
        memory, action = decide(limits, memory, tuple(parts), parts, 1, now)
        if action is not None:
            return memory, now, action
        now += LOOK
    return memory, now, None


def test_what_is_below_every_limit_is_left_alone() -> None:
    assert once(LIMITS, seen(1_000, held=1_000_000)) is None


@pytest.mark.parametrize("too_large", [seen(1_001), seen(1, held=1_000_001)])
def test_a_partition_above_a_size_is_split_at_once(too_large: Seen) -> None:
    action = once(LIMITS, seen(5), too_large)
    assert isinstance(action, Split)
    assert (action.number, action.by_load) == (1, False)
    assert "more than 1,000" in action.why


def test_the_worst_is_split_first_and_before_anything_is_merged() -> None:
    small_for_long = Memory(small_since={(2, 3): -REST_SECONDS})
    parts = dict(enumerate([seen(1_100), seen(1_900), seen(1), seen(1)]))
    memory, action = decide(LIMITS, small_for_long, tuple(parts), parts, 1, 0.0)
    assert isinstance(action, Split)
    assert action.number == 1
    quiet = {**parts, 0: seen(900), 1: seen(900)}
    _, action = decide(LIMITS, memory, tuple(quiet), quiet, 1, 1.0)
    assert isinstance(action, Merge)
    assert (action.left, action.right) == (2, 3)


def test_what_this_process_has_not_opened_is_left_alone() -> None:
    memory = Memory(small_since={(0, 1): -REST_SECONDS})
    assert decide(LIMITS, memory, (0, 1), {0: seen(1)}, 1, 0.0)[1] is None


@pytest.mark.parametrize(
    ("rates", "due"), [([150] * 6, True), ([900, 900, 900, 0, 900, 900], False)]
)
def test_a_load_counts_when_it_stood_at_every_look_of_the_window(
    rates: list[int], due: bool
) -> None:
    memory, writes = Memory(), 0
    found: list[Action | None] = []
    for turn, rate in enumerate([0, *rates]):
        writes += int(rate * LOOK)
        part = {0: seen(LOAD_DOCUMENTS_MIN, writes)}
        memory, action = decide(LOADED, memory, (0,), part, 1, turn * LOOK)
        found.append(action)
    assert found[:-1] == [None] * len(rates)
    assert (found[-1] is not None) == due
    if due:
        assert isinstance(found[-1], Split)
        assert found[-1].by_load


def test_a_few_documents_that_are_written_often_are_not_split() -> None:
    memory, action = Memory(), None
    for turn in range(20):
        part = {0: seen(LOAD_DOCUMENTS_MIN - 1, turn * 10_000)}
        memory, action = decide(LOADED, memory, (0,), part, 1, turn * LOOK)
        assert action is None


def test_a_shard_that_was_opened_anew_counts_its_writes_anew() -> None:
    memory = Memory()
    for turn, writes in enumerate([0, 5_000, 10_000, 0, 5_000, 10_000, 15_000]):
        part = {0: seen(LOAD_DOCUMENTS_MIN, writes)}
        memory, action = decide(LOADED, memory, (0,), part, 1, turn * LOOK)
        assert action is None


def test_neighbours_are_merged_once_they_were_small_for_long() -> None:
    _, at, action = watched(LIMITS, Memory(), {4: seen(100), 7: seen(100)}, 0.0, 2 * REST_SECONDS)
    assert isinstance(action, Merge)
    assert (action.left, action.right) == (4, 7)
    assert at == REST_SECONDS


@pytest.mark.parametrize(
    "parts",
    [
        [seen(100), seen(150)],
        [seen(1, held=250_000), seen(1)],
        [seen(1), seen(1, is_ours=False)],
    ],
)
def test_neighbours_that_are_large_or_that_somebody_cut_stay_apart(parts: list[Seen]) -> None:
    assert watched(LIMITS, Memory(), dict(enumerate(parts)), 0.0, 5 * REST_SECONDS)[2] is None


def test_no_more_is_merged_than_was_split() -> None:
    memory = Memory(small_since={(0, 1): -REST_SECONDS})
    parts = {0: seen(1), 1: seen(1)}
    assert decide(LIMITS, memory, (0, 1), parts, 2, 0.0)[1] is None
    assert decide(LIMITS, memory, (0, 1), parts, 1, 0.0)[1] is not None


def test_what_was_merged_is_not_split_at_once() -> None:
    memory = made(Memory(), Merge(0, 1, ""), (2,), 0.0)
    _, at, action = watched(LIMITS, memory, {2: seen(5_000)}, 1.0, 2 * REST_SECONDS)
    assert isinstance(action, Split)
    assert at >= REST_SECONDS


def test_what_cannot_be_split_is_tried_again_at_once_when_it_is_another_size() -> None:
    memory = refused(Memory(), Split(0, ""), "one key only", 1_500, 0.0)
    for documents, due in ((1_500, False), (2_999, False), (3_000, True)):
        memory, action = decide(LIMITS, memory, (0,), {0: seen(documents)}, 1, 1.0)
        assert (action is not None) == due


@pytest.mark.parametrize("by_load", [False, True])
def test_what_cannot_be_split_is_tried_again_after_a_while_as_other_keys_may_have_come(
    by_load: bool,
) -> None:
    now, tried = 0.0, []
    memory = Memory()
    limits = LOADED if by_load else LIMITS
    while now < 3 * REFUSED_SECONDS:
        now += 5.0
        memory, action = decide(limits, memory, (0,), {0: seen(1_500, int(now * 500))}, 1, now)
        if isinstance(action, Split):
            tried.append(now)
            memory = refused(memory, action, "one key", 1_500, now)
            assert memory.refusals
    assert len(tried) == 3
    assert min(later - earlier for earlier, later in pairwise(tried)) >= REFUSED_SECONDS


def test_a_load_that_cannot_be_halved_does_not_keep_a_large_partition_whole() -> None:
    memory = refused(Memory(), Split(0, "", by_load=True), "one key", 1_500, 0.0)
    _, action = decide(LIMITS, memory, (0,), {0: seen(1_500)}, 1, 1.0)
    assert isinstance(action, Split)
    assert not action.by_load


def test_after_failures_pauses_grow_and_a_success_ends_them() -> None:
    memory, now = Memory(), 0.0
    waited = []
    for _ in range(8):
        memory = failed(memory, "the disk is full", now)
        waited.append(memory.paused_until - now)
        memory, at, action = watched(LIMITS, memory, {0: seen(2_000)}, now, 2 * waited[-1])
        assert action is not None
        assert at - now >= waited[-1]
        now = at
    assert waited[:3] == [PAUSE_SECONDS, 2 * PAUSE_SECONDS, 4 * PAUSE_SECONDS]
    assert waited[-1] == waited[-2] == 3600
    memory = made(memory, Split(0, ""), (1, 2), now)
    assert memory.failure is None
    assert decide(LIMITS, memory, (1,), {1: seen(2_000)}, 1, now)[1] is not None


@dataclass
class World:
    """A collection whose partitions grow, shrink and are changed as decided."""

    order: list[int] = field(default_factory=lambda: [0])
    documents: dict[int, int] = field(default_factory=lambda: {0: 0})
    writes: dict[int, int] = field(default_factory=lambda: {0: 0})
    made_by: dict[int, tuple[str, float]] = field(default_factory=dict)

    def seen(self) -> dict[int, Seen]:
        return {
            number: Seen(
                self.documents[number], 0, self.writes[number], is_ours=number in self.made_by
            )
            for number in self.order
        }

    def carry_out(self, action: Action, now: float) -> list[int]:
        new = max(self.documents) + 1
        if isinstance(action, Split):
            place, held = self.order.index(action.number), self.documents[action.number]
            shares, self.order[place : place + 1] = [held // 2, held - held // 2], [new, new + 1]
        else:
            place = self.order.index(action.left)
            assert self.order[place + 1] == action.right
            shares = [self.documents[action.left] + self.documents[action.right]]
            self.order[place : place + 2] = [new]
        targets = self.order[place : place + len(shares)]
        for number, share in zip(targets, shares, strict=True):
            self.documents[number], self.writes[number] = share, 0
            self.made_by[number] = (type(action).__name__, now)
        return targets


EVENTS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(-2_500, 2_500), st.integers(0, 40_000)), max_size=60
)


@given(EVENTS, st.sampled_from([LIMITS, AutoSplit(documents=1_000, writes_per_second=100)]))
def test_whatever_happens_nothing_swings_and_what_grows_is_split(
    events: list[tuple[int, int, int]], limits: AutoSplit
) -> None:
    world, memory, now = World(), Memory(), 0.0
    quiet = [(0, 0, 0)] * 400
    for place, more, writes in [*events, *quiet]:
        now += 30.0
        number = world.order[place % len(world.order)]
        world.documents[number] = max(0, world.documents[number] + more)
        world.writes[number] += writes
        memory, action = decide(limits, memory, world.order, world.seen(), 1, now)
        if action is None:
            continue
        before = dict(world.made_by)
        gone = [action.number] if isinstance(action, Split) else [action.left, action.right]
        for each in gone:
            by, at = before.get(each, (type(action).__name__, now))
            assert by == type(action).__name__ or now - at >= REST_SECONDS
        memory = made(memory, action, world.carry_out(action, now), now)
    assert max(world.documents[number] for number in world.order) <= 1_000
    final = [world.documents[number] for number in world.order]
    assert [pair for pair in pairwise(final) if sum(pair) < 250] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"documents": 1},
        {"documents": True},
        {"bytes": -5},
        {"bytes": "4 GiB"},
        {"writes_per_second": 0},
        {"writes_per_second": float("nan")},
        {"merge_below": 0.6},
        {"merge_below": -0.1},
        {"window_seconds": 0},
        {"documents": None, "bytes": None},
    ],
)
def test_limits_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as refused_limits:
        AutoSplit(**wrong)  # type: ignore[arg-type]  # what a caller should not give
    assert refused_limits.value.hint


@pytest.mark.parametrize("given_limits", ["yes", 5, {"docs": 5}])
def test_what_are_no_limits_is_refused(given_limits: object) -> None:
    with pytest.raises(InvalidRequest):
        AutoSplit.of(given_limits)
