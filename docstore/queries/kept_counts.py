"""What was counted beside a search, for its other pages: they match the same documents.

Invariant: counts are given again for the very views they were made over, all shards of the map, so
that one write makes them anew. Bounded per search: so many kinds of counts, so many values in each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from docstore.queries.counting import Counting
from indexing.counting import Counts
from indexing.local_index import View

KINDS_MAX = 4
"""Different facets and histograms of one search; a program asks for one or two."""
VALUES_MAX = 500
"""In each: of longer lists little is asked for again. With all searches that are remembered (see
`questions`) that is at most some 30 MB."""

State = tuple[tuple[int, int], ...]
"""The shards and their views, by serial."""


@dataclass(frozen=True, slots=True)
class KeptCounts:
    """The counts of one search over views in one state; never changed, replaced whole."""

    state: State = ()
    counts: Mapping[tuple[str, bool], Counts] = field(default_factory=dict)
    """By what was asked, as text: 1 and 1.0 are equal and give other buckets."""

    def of(self, state: State, counting: Counting, *, with_total: bool) -> Counts | None:
        """What was counted in a state; the caller's own to change."""
        found = self.counts.get((repr(counting), with_total)) if state == self.state else None
        return None if found is None else _copied(found)

    def having(
        self, state: State, counting: Counting, counts: Counts, *, with_total: bool
    ) -> "KeptCounts":
        """These and some more, without what is of another state."""
        values = sum(map(len, counts.facets.values()))
        values += sum(len(each.buckets) for each in counts.histograms.values())
        if values > VALUES_MAX:
            return self
        known = dict(self.counts) if state == self.state else {}
        while len(known) >= KINDS_MAX:
            known.pop(next(iter(known)))
        known[repr(counting), with_total] = _copied(counts)
        return KeptCounts(state, known)


def state_of(views: Mapping[int, View]) -> State:
    """The state that some views are of."""
    return tuple((number, view.serial) for number, view in sorted(views.items()))


def _copied(counts: Counts) -> Counts:
    facets = {path: list(values) for path, values in counts.facets.items()}
    return replace(counts, facets=facets, histograms=dict(counts.histograms))
