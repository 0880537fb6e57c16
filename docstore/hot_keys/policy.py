"""When a proposal is carried out without being asked: a fold over what is seen, pure.

A fan grows once it was proposed at several looks in a row, and shrinks only after many: a burst is
not yet a hot key, and moving documents for nothing costs more than a salt that is no longer needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


class Proposal(Protocol):
    """What a policy needs to know of a hot key, or of a hot term."""

    @property
    def collection(self) -> str:
        """Where it is."""

    @property
    def key(self) -> Any:
        """What it is told apart by within its collection."""

    @property
    def fan(self) -> int:
        """Over how many places it is spread."""

    @property
    def proposed_fan(self) -> int | None:
        """Over how many it should be, None when it is to stay."""


P = TypeVar("P", bound=Proposal)
Memory = Mapping[tuple[str, Any], "Streak"]
"""What was proposed lately, by collection and key."""


@dataclass(frozen=True, slots=True)
class Streak:
    """Looks in a row at which a larger fan was proposed, or a smaller one."""

    grows: bool
    looks: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How many looks in a row a proposal must stand."""

    looks_to_grow: int = 3
    looks_to_shrink: int = 60


def decide(memory: Memory, told: Sequence[P], patience: Patience) -> tuple[Memory, list[P]]:
    """What to remember after a look, and the keys whose proposals are to be carried out now."""
    remembered: dict[tuple[str, Any], Streak] = {}
    due: list[P] = []
    for each in told:
        if each.proposed_fan is None:
            continue
        grows = each.proposed_fan > each.fan
        before = memory.get((each.collection, each.key))
        looks = 1 + (before.looks if before is not None and before.grows == grows else 0)
        if looks >= (patience.looks_to_grow if grows else patience.looks_to_shrink):
            due.append(each)
        else:
            remembered[each.collection, each.key] = Streak(grows, looks)
    return remembered, due
