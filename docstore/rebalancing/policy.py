"""When to act by itself: a policy with hysteresis, as a pure fold over what is seen of the nodes.

Invariants:
1. A node that answers, however late, is never taken for dead, and any answer starts its time anew.
2. What starts an action and what ends it are two thresholds: levelling starts above `uneven_over`
   when it lasts, and is forgotten only below `uneven_under`; after a plan there is a pause.
3. When many nodes are silent together the network or an overload is at fault, and moving data would
   feed it: the policy holds and asks for a person.

Why: moving data loads the nodes that are left. A policy that takes slow for dead answers an
overload with more load, and the next node is slow.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from indexing.errors import InvalidCluster

Health = Literal["answers", "late", "silent"]
"""What a node was seen to do: answer in time, answer too late, not answer at all."""
Kind = Literal["hold", "replace", "level"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Times in seconds. `is_automatic` False proposes and leaves the commit to a person.

    `transfer_share_max` is how much of a node's work transfers may take. `takes_late_for_dead` is
    the mistake that the simulator shows; nothing else needs it.
    """

    dead_after: float = 300.0
    silent_share_max: float = 0.2
    uneven_over: float = 0.2
    uneven_under: float = 0.05
    uneven_for: float = 600.0
    pause: float = 1_800.0
    transfer_share_max: float = 0.1
    is_automatic: bool = True
    takes_late_for_dead: bool = False

    def __post_init__(self) -> None:
        for name in ("dead_after", "uneven_for", "pause"):
            _check(name, getattr(self, name), 0.0, 1e9)
        for name in ("silent_share_max", "transfer_share_max"):
            _check(name, getattr(self, name), 0.0, 1.0)
        _check("uneven_over", self.uneven_over, 0.0, 1e9)
        _check("uneven_under", self.uneven_under, 0.0, self.uneven_over)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a policy remembers: since when a node is silent or the load uneven; its last plan."""

    silent_since: Mapping[str, float] = field(default_factory=dict)
    uneven_since: float | None = None
    acted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do and why; a `replace` names the nodes that are dead."""

    kind: Kind
    reason: str
    nodes: tuple[str, ...] = ()
    needs_person: bool = False


def decide(
    policy: Policy,
    memory: Memory,
    now: float,
    seen: Mapping[str, Health],
    imbalance: float = 0.0,
    *,
    is_moving: bool = False,
) -> tuple[Memory, Decision]:
    """One look at the nodes at second `now`: what to remember and what to do.

    `seen` has every node of the cluster; nodes that are not in it are forgotten.
    """
    memory = replace(
        memory,
        silent_since=_silences(policy, memory, now, seen),
        uneven_since=_uneven_since(policy, memory, now, imbalance),
    )
    decision = _decision(policy, memory, now, len(seen), is_moving=is_moving)
    if decision.kind == "hold":
        return memory, decision
    if not policy.is_automatic:
        return memory, replace(decision, needs_person=True)
    return replace(memory, acted_at=now, uneven_since=None), decision


def _silences(
    policy: Policy, memory: Memory, now: float, seen: Mapping[str, Health]
) -> dict[str, float]:
    counted = {"silent", "late"} if policy.takes_late_for_dead else {"silent"}
    return {
        name: memory.silent_since.get(name, now)
        for name, health in seen.items()
        if health in counted
    }


def _uneven_since(policy: Policy, memory: Memory, now: float, imbalance: float) -> float | None:
    if imbalance > policy.uneven_over:
        return now if memory.uneven_since is None else memory.uneven_since
    return memory.uneven_since if imbalance >= policy.uneven_under else None


def _decision(
    policy: Policy, memory: Memory, now: float, count: int, *, is_moving: bool
) -> Decision:
    silent = memory.silent_since
    dead = tuple(sorted(name for name, at in silent.items() if now - at >= policy.dead_after))
    if dead and len(silent) > max(1, policy.silent_share_max * count):
        reason = f"{len(silent)} of {count} nodes are silent at once: that is no single failure"
        return Decision("hold", reason, needs_person=True)
    if dead:
        reason = f"{', '.join(dead)} silent for {policy.dead_after:g} s"
        return Decision("replace", reason, dead)
    if silent:
        return Decision("hold", f"{len(silent)} silent, not for long enough to be dead")
    if memory.uneven_since is None:
        return Decision("hold", "every node answers and the load is even")
    if is_moving:
        return Decision("hold", "one plan at a time")
    if memory.acted_at is not None and now - memory.acted_at < policy.pause:
        return Decision("hold", f"the last plan is less than {policy.pause:g} s old")
    if now - memory.uneven_since < policy.uneven_for:
        return Decision("hold", f"uneven, but not for {policy.uneven_for:g} s")
    return Decision("level", f"uneven for {policy.uneven_for:g} s")


def _check(name: str, value: object, least: float, most: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not least <= value <= most:  # type: ignore[arg-type, operator]  # a number
        raise InvalidCluster(
            f"{name} of a policy is {value!r}",
            hint=f"choose a number from {least:g} to {most:g}",
            field=name,
        )


PATIENT = Policy()
"""Waits for silence to last and transfers gently."""

EAGER = Policy(
    dead_after=10.0,
    silent_share_max=1.0,
    pause=0.0,
    transfer_share_max=0.4,
    takes_late_for_dead=True,
)
"""A timeout taken for a death, answered at once and at full speed: how cascades begin."""
