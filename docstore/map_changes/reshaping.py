"""How partition maps change: split, merge, and which partitions became of which. Pure.

Invariants: a change replaces some slices by others that cover the same points, with numbers never
used before, in the next epoch; nothing else of the map changes but its salts. What a map forgets of
its history is only where positions of long ago led.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from docstore.partitioning import (
    PARTITIONS_MAX,
    Ancestor,
    Partition,
    PartitionMap,
    Point,
    Reshape,
    Salt,
)
from indexing.errors import InvalidRequest, NotFound

HISTORY_MAX = 4096
"""Changes a map remembers: positions of partitions that went before these are no longer known."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A change of a map that is planned: partitions that go, in order, and what takes their place.

    The epoch of the targets is one more than the map's that it was planned for. `salts` are those
    of the map afterwards; None when they stay as they are. `why` is that of the `Reshape`.
    """

    sources: tuple[Partition, ...]
    targets: tuple[Partition, ...]
    salts: tuple[Salt, ...] | None = None
    why: str = ""


def split_at(of: PartitionMap, number: int, bound: Point) -> Cut:
    """Cut a partition in two at a bound; raises NotFound, InvalidRequest."""
    source = known(of, number)
    if not source.lower < bound or not (source.upper is None or bound < source.upper):
        raise InvalidRequest(
            f"partition {number} cannot be cut there: the bound is not inside it",
            hint="give a bound above its lower and below its upper one, or none for the median",
            partition=number,
        )
    if len(of.partitions) >= PARTITIONS_MAX:
        raise InvalidRequest(
            f"there are {PARTITIONS_MAX:,} partitions already",
            hint="merge some neighbours first",
            partitions_max=PARTITIONS_MAX,
        )
    new = of.next_number
    left = Partition(new, source.lower, bound, of.epoch + 1)
    right = Partition(new + 1, bound, source.upper, of.epoch + 1)
    return Cut((source,), (left, right))


def merge_of(of: PartitionMap, left: int, right: int) -> Cut:
    """Make one partition of two neighbours, given in any order; raises NotFound, InvalidRequest."""
    one, other = sorted((known(of, left), known(of, right)), key=lambda each: each.lower)
    if (one.number, other.number) not in pairwise(of.numbers):
        raise InvalidRequest(
            f"partitions {left} and {right} are not neighbours",
            hint=f"in order, the partitions are {_listed(of)}",
            partitions=[left, right],
        )
    return Cut((one, other), (Partition(of.next_number, one.lower, other.upper, of.epoch + 1),))


def known(of: PartitionMap, number: object) -> Partition:
    """The partition of a number that a caller gave; raises NotFound."""
    found = of.partition(number) if type(number) is int else None
    if found is None:
        raise NotFound(
            f"there is no partition {number}",
            hint=f"partitions: {_listed(of)}",
            partition=number,
        )
    return found


def _listed(of: PartitionMap) -> str:
    numbers = ", ".join(map(str, of.numbers[:20]))
    return f"{numbers}, …" if len(of.numbers) > 20 else numbers


def reshaped(of: PartitionMap, cut: Cut, lasts: Mapping[int, int], at: int) -> PartitionMap:
    """The map after a change, whose sources' logs ended at `lasts`; `at` is microseconds."""
    epoch = of.epoch + 1
    kept = [each for each in of.partitions if each not in cut.sources]
    come = [replace(each, epoch=epoch) for each in cut.targets]
    change = Reshape(
        epoch,
        at,
        tuple(Ancestor(each.number, each.epoch, lasts[each.number]) for each in cut.sources),
        tuple(each.number for each in cut.targets),
        cut.why,
    )
    return replace(
        of,
        epoch=epoch,
        partitions=tuple(sorted((*kept, *come), key=lambda each: each.lower)),
        next_number=max((of.next_number, *(each.number + 1 for each in cut.targets))),
        history=(*of.history, change)[-HISTORY_MAX:],
        salts=of.salts if cut.salts is None else cut.salts,
    )


class Lineage:
    """Which partitions went into which, for positions of partitions that are no more.

    `ancestors` are all partitions that the map remembers and that are no more, by number, in the
    order in which they came to be: none stands before one that it came from.
    """

    def __init__(self, of: PartitionMap) -> None:
        gone = [ancestor for change in of.history for ancestor in change.sources]
        gone.sort(key=lambda each: (each.epoch, each.number))
        self.ancestors = {each.number: each for each in gone}
        self._heirs: dict[int, frozenset[int]] = {}
        for change in reversed(of.history):
            heirs = frozenset(
                heir for target in change.targets for heir in (target, *self._heirs.get(target, ()))
            )
            self._heirs.update((ancestor.number, heirs) for ancestor in change.sources)

    def heirs(self, number: int) -> frozenset[int]:
        """All partitions, gone or not, that hold some of what a gone one held."""
        return self._heirs.get(number, frozenset())
