"""Which global index may answer a search, and what was decided about it.

A decision is good for the search that follows at once: what it goes by (lag, frequencies) moves
slowly, and whatever it says, the answer is the same. Absent: how it is made.
"""

import time
from dataclasses import dataclass

from docstore.global_index.offers import Offer
from docstore.partitioning import PartitionMap
from docstore.partitions import Partitions
from docstore.queries.global_need import Need
from docstore.queries.index_ways import Way
from docstore.types import Plan
from indexing.errors import InvalidQuery

AUTO = "auto"
FORESEEN_SECONDS = 0.05
"""How long a decision waits for its search: tails, which searches digest, grow meanwhile."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Which index may answer ("auto", a name, or None for none), and how many places may be asked.

    Raises InvalidQuery for what is neither.
    """

    index: str | None = AUTO
    max_fanout: int | None = None

    def __post_init__(self) -> None:
        if self.index is not None and not isinstance(self.index, str):
            raise InvalidQuery(
                f"index is {self.index!r}", hint='use "auto", a name, or None', path="index"
            )
        fanout = self.max_fanout
        if fanout is not None and (type(fanout) is not int or fanout < 1):
            raise InvalidQuery(
                f"max_fanout is {fanout!r}", hint="use a whole number from 1", path="max_fanout"
            )

    def leaves_no_choice(self, partitions: Partitions) -> bool:
        """Whether the local indexes answer, however much it costs."""
        if self.max_fanout is not None:
            return False
        return self.index is None or (self.index == AUTO and not len(partitions.indexes))


_ANY = Asking()


def asking_of(index: str | None, max_fanout: int | None) -> Asking:
    """What a caller passes; the usual is made once. Raises InvalidQuery."""
    return _ANY if index == AUTO and max_fanout is None else Asking(index, max_fanout)


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers: a way over global indexes, or with None the shards of the plan."""

    plan: Plan
    way: Way | None
    need: Need
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A choice made when a search was priced, for hits up to `window`."""

    choice: Choice
    partition_map: PartitionMap
    window: int
    asking: Asking
    until: float

    @classmethod
    def now(
        cls, choice: Choice, partition_map: PartitionMap, window: int, asking: Asking
    ) -> "Foreseen":
        """A choice that was just made."""
        return cls(choice, partition_map, window, asking, time.monotonic() + FORESEEN_SECONDS)

    def fits(self, partition_map: PartitionMap, window: int, asking: Asking) -> bool:
        """Whether it is the choice for a search that begins now."""
        return (
            self.partition_map is partition_map
            and self.window == window
            and self.asking == asking
            and time.monotonic() < self.until
        )
