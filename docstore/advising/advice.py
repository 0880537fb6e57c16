"""The advice: every way to partition with its figures, the best of them, and why, in words. Pure.

The better way is the one whose busiest shard has a part in fewer operations: what that shard can do
is what the collection can do, wherever the others are. What is within a fifth of the way in use is
no reason to move every document, nor are a few operations, which another hour would have otherwise.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from docstore.advising.replay import Figures
from docstore.advising.scopes import IndexFigures
from docstore.hot_keys.proposing import fan_for

BETTER = 0.8
"""Times the work of the busiest shard now, from which a change is worth loading everything anew."""
OPERATIONS_MIN = 100
"""From which shares of them are told within ten points; of fewer nothing follows for a new key."""
MISSING_MAX = 0.001
"""Of the documents may lack a field of the key: one in a thousand is a mistake to correct."""
UNEVEN = 1.5
"""Times a mean partition from which sizes or work are worth a remark."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What was looked at, the figures of every way and every index, and what to do.

    `best` is the place of the recommended way in `ways`, the first of which is in use now.
    """

    collection: str
    documents: int
    sampled: int
    operations: int
    ways: tuple[Figures, ...]
    best: int
    indexes: tuple[IndexFigures, ...]
    recommendation: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The advice as a dict."""
        return asdict(self)


def best_of(ways: Sequence[Figures], operations: int) -> int:
    """The place of the way to take: the first one, in use now, unless another is clearly better."""
    if operations < OPERATIONS_MIN:
        return 0
    now = ways[0]
    better = (
        place
        for place, each in enumerate(ways)
        if each.missing <= MISSING_MAX and _is_worth_loading(now, each)
    )
    return min((0, *better), key=lambda place: (*_work(ways[place]), place))


def _is_worth_loading(now: Figures, then: Figures) -> bool:
    """Whether a way is better by so much; less work for all is not enough for another key."""
    if then.busiest <= BETTER * now.busiest:
        return True
    fewer = then.shards_per_operation <= BETTER * now.shards_per_operation
    return fewer and then.busiest <= now.busiest and then.key == now.key


def _work(of: Figures) -> tuple[float, float]:
    # What differs by less than a percent is told apart by the work of all shards together.
    return round(of.busiest, 2), of.shards_per_operation


def in_words(
    ways: Sequence[Figures], best: int, indexes: Sequence[IndexFigures], operations: int
) -> list[str]:
    """What to do and why, a sentence each."""
    now, then = ways[0], ways[best]
    said: list[str] = []
    if best:
        said.append(
            f"Partition by {then.way}: its busiest shard has a part in {then.busiest:.0%} of all "
            f"operations instead of {now.busiest:.0%}, and an operation asks "
            f"{then.shards_per_operation:.1f} shards instead of {now.shards_per_operation:.1f}."
        )
        said.append(
            "That is another key: make a new collection and load the documents into it; "
            "whoever reads by key then names its new parts."
            if then.key != now.key
            else "The key stays: make a new collection with this partitioning and load it."
        )
    elif operations < OPERATIONS_MIN:
        said.append(
            f"Stay with {now.way}: {operations} operations are too few to load every document "
            f"anew for; record {OPERATIONS_MIN} or more."
        )
    else:
        said.append(
            f"Stay with {now.way}: its busiest shard has a part in {now.busiest:.0%} of all "
            "operations, and no other way is better by a fifth."
        )
    said += _remarks(then)
    worth = [each for each in indexes if each.is_worth_it]
    if best and worth:
        said.append("Look at global indexes again once the partitioning is chosen.")
    for each in worth:
        said.append(
            f"{each.field} deserves a global index: {each.reason}, "
            f"for one more write in {each.writes:.0%} of all operations."
        )
    if not worth:
        said.append("No field deserves a global index.")
    return said


def _remarks(of: Figures) -> list[str]:
    said: list[str] = []
    fan = fan_for(of.hottest_share, of.partitions)
    if fan > 1 and of.scheme == "hash" and len(of.key) > 1:
        said.append(
            f"One partition key, {of.hottest_key!r}, gets {of.hottest_share:.0%} of all "
            f"operations: salt it over {fan} places."
        )
    elif fan > 1 and len(of.key) == 1:
        said.append(
            f"One key, {of.hottest_key!r}, gets {of.hottest_share:.0%} of all operations, "
            "which no partitioning spreads: it is one document."
        )
    elif of.skew >= UNEVEN:
        said.append(
            f"{_when(of)} partition {of.busiest_partition} does {of.skew:.1f} times the work of a "
            "mean one: split it."
        )
    if of.uneven >= UNEVEN:
        said.append(
            f"{_when(of)} the fullest partition holds {of.uneven:.1f} times as much as a mean one: "
            "more partitions, or splitting it, would even that out."
        )
    return said


def _when(of: Figures) -> str:
    """Of which layout a sentence is: what is there now, or what would be."""
    return "Now" if of.is_current else f"By {of.way}"
