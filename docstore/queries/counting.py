"""What a search counts beside its hits: facets and histograms, each over the right documents.

The counts of a field leave out the conditions that the short filter has on that very field, so that
its other values stay in sight. Fields without such conditions share one pass over the matches; each
of the others takes one of its own, over the shards that its wider question can touch. A field is
counted over all of them or not at all, also where time runs out.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from docstore.queries.execute import Deadline
from indexing.counting import Ask, Counts, counted
from indexing.counts import Histogram, ValueCount
from indexing.errors import DeadlineExceeded
from indexing.facets import Facet, parse_facets
from indexing.histograms import HistogramAsked, parse_histograms
from indexing.local_index import View
from indexing.narrowing import Narrowed, fields_of
from indexing.query import Query
from indexing.search import Searches

C = TypeVar("C")

PARALLEL_DOCUMENTS = 25_000
"""Documents in the views from which a second thread is worth its 60 µs."""


@dataclass(frozen=True, slots=True)
class Counting:
    """Which fields to count beside a search; raises InvalidQuery where it is made."""

    facets: tuple[Facet, ...] = ()
    histograms: tuple[HistogramAsked, ...] = ()

    @classmethod
    def parse(cls, facets: Any, histograms: Any) -> "Counting | None":
        """What a caller passes as facets and histograms; None when nothing is to be counted."""
        if facets is None and histograms is None:
            return None
        counting = cls(
            () if facets is None else parse_facets(facets),
            () if histograms is None else parse_histograms(histograms),
        )
        return counting if counting.facets or counting.histograms else None

    def by_own(self, narrowing: Query | None) -> "dict[str | None, Counting]":
        """The fields with conditions of their own in the filter by path, all others under None."""
        fields = set() if narrowing is None else fields_of(narrowing)
        groups: dict[str | None, Counting] = {}
        paths = [*(each.path for each in self.facets), *(each.path for each in self.histograms)]
        for path in dict.fromkeys(paths):
            own = path if path in fields else None
            group = groups.get(own, Counting())
            groups[own] = Counting(
                (*group.facets, *(each for each in self.facets if each.path == path)),
                (*group.histograms, *(each for each in self.histograms if each.path == path)),
            )
        return groups

    def left_out(
        self, facets: Mapping[str, list[ValueCount]], histograms: Mapping[str, Histogram]
    ) -> tuple[str, ...]:
        """The fields that were not counted, in the order of the request."""
        paths = [
            *(each.path for each in self.facets if each.path not in facets),
            *(each.path for each in self.histograms if each.path not in histograms),
        ]
        return tuple(dict.fromkeys(paths))


def count(
    counting: Counting,
    narrowed: Narrowed,
    views: Mapping[int, View],
    views_for: Callable[[Query], dict[int, View]],
    key_text: Callable[[Any], str],
    pool: Executor,
    *,
    with_total: bool,
    deadline: Deadline | None = None,
) -> Counts:
    """Count over `views`, which serve the query as it is; wider questions ask `views_for` theirs.

    The total counts the query's own matches. Raises InvalidQuery, and DeadlineExceeded unless what
    is counted by then will do: then the other fields are left out.
    """
    groups = counting.by_own(narrowed.narrowing)
    if with_total:
        groups.setdefault(None, Counting())
    whole = Counts()
    for own, group in groups.items():
        try:
            if deadline is not None:
                deadline.check()
            query = narrowed.query if own is None else narrowed.without(own)
            over = dict(views) if own is None else {**views_for(query), **views}
            searches = Searches(query, over, key_text)
            counts = counted(
                over,
                searches.unscored(),
                group.facets,
                group.histograms,
                _asking(pool, sum(view.documents for view in over.values()), deadline),
                with_total=with_total and own is None,
            )
        except DeadlineExceeded:
            if deadline is None or not deadline.is_partial:
                raise
            break
        if own is None:
            whole.notes += searches.notes
        whole.facets.update(counts.facets)
        whole.histograms.update(counts.histograms)
        whole.total = counts.total if own is None else whole.total
        whole.notes += counts.notes
    # In the order of the request, whatever shared a pass.
    whole.facets = in_order(counting.facets, whole.facets)
    whole.histograms = in_order(counting.histograms, whole.histograms)
    return whole


def in_order(asked: Iterable[Facet | HistogramAsked], counts: Mapping[str, C]) -> dict[str, C]:
    """What was counted, in the order it was asked for."""
    return {each.path: counts[each.path] for each in asked if each.path in counts}


def _asking(
    pool: Executor, documents: int, deadline: Deadline | None
) -> Callable[[list[Ask]], list[dict[str, Any]]]:
    def one(ask: Ask) -> dict[str, Any]:
        if deadline is not None:
            deadline.check()
        view, query, aggregations = ask
        return view.aggregate(query, aggregations)

    def one_by_one(asks: list[Ask]) -> list[dict[str, Any]]:
        return [one(ask) for ask in asks]

    def by_halves(asks: list[Ask]) -> list[dict[str, Any]]:
        other_half = pool.submit(one_by_one, asks[1::2])
        answers: list[dict[str, Any]] = [{}] * len(asks)
        answers[::2] = one_by_one(asks[::2])
        answers[1::2] = other_half.result()
        return answers

    return by_halves if documents >= PARALLEL_DOCUMENTS else one_by_one
