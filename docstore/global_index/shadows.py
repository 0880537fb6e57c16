"""Indexes that are made beside those that answer, to take their place: cut where they should be.

An index by ranges of terms that was made with few documents, or whose values have shifted, has a
partition with most of its postings. Another is filled with better bounds and compared like any, and
only then asked in its place; until then nothing changes for who asks. Whatever becomes of it before
is lost without harm. Absent: the exchange itself, which is a change of what is declared.
"""

from collections.abc import Callable
from itertools import accumulate

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.live_index import LiveIndex

POSTINGS_MIN = 2000
"""Below which one partition serves as well as several."""
BETTER = 0.6
"""Of the fullest partition's postings, what the fullest is to have then: less is not worth it."""


def evened(index: LiveIndex) -> GlobalIndex | None:
    """The definition whose bounds give all partitions alike many postings; None if not worth it."""
    now = max(each.sizes()[1] for each in index.files.partitions)
    counted = [each for part in index.files.partitions for each in part.counted()]
    ends = list(accumulate(count for _, count in counted))
    parts, total = index.definition.partitions, ends[-1] if ends else 0
    bounds: list[bytes] = []
    begun = fullest = 0
    for at, (term, _) in enumerate(counted):
        before = ends[at - 1] if at else 0
        # A cut before this term, if that is nearer to the next even share than one after it.
        if at and len(bounds) < parts - 1:
            share = total * (len(bounds) + 1) / parts
            if share - before <= ends[at] - share:
                bounds.append(term)
                fullest, begun = max(fullest, before - begun), before
    fullest = max(fullest, total - begun)
    return index.definition.changed(bounds=bounds) if fullest <= BETTER * now else None


class Shadows:
    """At most one for each index. Not safe by itself: who changes what is declared holds a lock."""

    def __init__(self, opened: Callable[[GlobalIndex], LiveIndex]) -> None:
        self._opened = opened
        self._looked: dict[str, int] = {}
        self.by_name: dict[str, LiveIndex] = {}

    def is_due(self, index: LiveIndex) -> bool:
        """Whether to look closer at an index: it has twice the postings of the last time."""
        definition = index.definition
        return (
            definition.by == "range"
            and definition.partitions > 1
            and not definition.salts
            and definition.name not in self.by_name
            and index.files.sizes[1] >= max(POSTINGS_MIN, 2 * self._looked.get(definition.name, 0))
        )

    def begin(self, index: LiveIndex) -> None:
        """Make an index anew if it is cut badly."""
        name = index.definition.name
        self._looked[name] = index.files.sizes[1]
        better = evened(index)
        if better is not None:
            self.by_name[name] = self._opened(better)

    def drop(self, name: str) -> None:
        """Forget the one that is made for an index, if there is one."""
        self._looked.pop(name, None)
        made = self.by_name.pop(name, None)
        if made is not None:
            made.remove()
