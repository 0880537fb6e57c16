"""Counting what matches a query, by value and by bucket, exactly over the views of some shards.

Works in rounds: each round asks every view once, for everything that is still open, because finding
the matches costs more than counting them. The first round finds the most frequent values and the
extremes; later ones find more values where the first are not proven yet, and fill the buckets.
How the views are asked, one after another or at once, is up to the caller.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tantivy import Query

from indexing.counts import Histogram, ValueCount
from indexing.edges import BUCKETS_MAX, Edges
from indexing.errors import InvalidQuery
from indexing.facets import (
    FIRST_TERMS,
    TERMS_GROWTH,
    TERMS_MAX,
    Facet,
    Source,
    best,
    source_of,
    terms_asked,
    value_columns,
)
from indexing.fields import Fields
from indexing.histograms import (
    HistogramAsked,
    buckets_asked,
    chosen_edges,
    drawn,
    drawn_columns,
    extremes_asked,
    filled,
)
from indexing.layout import SEQ, Column, Discovered, Layout
from indexing.local_index import View
from indexing.mixed import having_both, in_both_buckets, with_both_values

_TOTAL = "total"


class Ask(NamedTuple):
    """Some aggregations over what a query matches in one view."""

    view: View
    query: Query
    aggregations: dict[str, Any]


Asking = Callable[[list[Ask]], list[dict[str, Any]]]
"""Answers each in its place."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One view with the query to count the matches of, and the columns of the field at hand."""

    view: View
    query: Query
    columns: list[Column]


@dataclass(slots=True)
class Counts:
    """What was counted. `total` is how many documents match, where it was asked for."""

    facets: dict[str, list[ValueCount]] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    total: int | None = None
    notes: tuple[str, ...] = ()


def counted(
    views: Mapping[int, View],
    queries: Mapping[int, Query],
    facets: Iterable[Facet],
    histograms: Iterable[HistogramAsked],
    asking: Asking,
    *,
    with_total: bool = False,
) -> Counts:
    """Count fields of one query's matches; the query is given as each view needs it.

    Raises InvalidQuery on a field that cannot be counted, or has too many different values.
    """
    notes: list[set[str]] = []
    places = [(views[number], queries[number]) for number in views]
    by_value = {
        each.path: _Values(each, _columns(value_columns, each.path, places, notes))
        for each in facets
    }
    by_bucket = {
        each.path: _Buckets(each, _columns(drawn_columns, each.path, places, notes))
        for each in histograms
    }
    tasks: list[_Values | _Buckets] = [*by_value.values(), *by_bucket.values()]
    total = _rounds(places, tasks, asking, with_total=with_total)
    return Counts(
        {path: task.found or [] for path, task in by_value.items()},
        {path: task.found or Histogram(None, ()) for path, task in by_bucket.items()},
        total,
        tuple(dict.fromkeys(note for each in notes for note in sorted(each))),
    )


def _columns(
    columns_of: Callable[[Layout, Fields, str], list[Column]],
    path: str,
    places: list[tuple[View, Query]],
    notes: list[set[str]],
) -> list[Counted]:
    """The columns of a field in every view; what all of them remark is added to the notes."""
    known: dict[tuple[Discovered, ...], list[Column]] = {}
    remarks: list[set[str]] = []
    for view, _ in places:
        if view.layout.discovered not in known:
            fields = Fields(view.layout)
            known[view.layout.discovered] = columns_of(view.layout, fields, path)
            remarks.append(set(fields.notes))
    if remarks:
        notes.append(set.intersection(*remarks))
    return [Counted(view, query, known[view.layout.discovered]) for view, query in places]


def _rounds(
    places: list[tuple[View, Query]],
    tasks: "list[_Values | _Buckets]",
    asking: Asking,
    *,
    with_total: bool,
) -> int | None:
    """Ask until every task has found what it is for; returns the number of matches if wanted."""
    total: int | None = None
    for_total = {_TOTAL: {"value_count": {"field": SEQ}}} if with_total else {}
    while for_total or any(task.found is None for task in tasks):
        still_open = [(name, task) for name, task in enumerate(tasks) if task.found is None]
        asks: list[tuple[int, Ask]] = []
        for place, (view, query) in enumerate(places):
            asked = [(dict(for_total), 1)] if for_total else []
            for name, task in still_open:
                parts = {f"{name}.{part}": each for part, each in task.asked(place).items()}
                asked.append((parts, task.size * len(parts)))
            asks.extend((place, Ask(view, query, together)) for together in _together(asked))
        answers: list[dict[str, Any]] = [{} for _ in places]
        for (place, _), answer in zip(asks, asking([ask for _, ask in asks]), strict=True):
            answers[place].update(answer)
        if for_total:
            total = sum(int(answer[_TOTAL]["value"]) for answer in answers)
            for_total = {}
        for name, task in still_open:
            task.take([_part_of(answer, f"{name}.") for answer in answers])
    return total


def _together(asked: list[tuple[dict[str, Any], int]]) -> list[dict[str, Any]]:
    """Aggregations joined as long as what they may return is within Tantivy's bound."""
    joined: list[dict[str, Any]] = []
    room = 0
    for aggregations, size in asked:
        if not aggregations:
            continue
        if size > room:
            joined.append({})
            room = TERMS_MAX
        joined[-1].update(aggregations)
        room -= size
    return joined


def _part_of(answer: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): each for name, each in answer.items() if name.startswith(prefix)
    }


class _Values:
    """The most frequent values of a field; `found` once they are proven."""

    def __init__(self, facet: Facet, places: list[Counted]) -> None:
        self._facet = facet
        self._places = places
        self.size = max(FIRST_TERMS, 2 * facet.size)
        self._doubled: list[Source] | None = None
        self.found: list[ValueCount] | None = None

    def asked(self, place: int) -> dict[str, Any]:
        return {
            column.name: terms_asked(column, self.size, self._facet.include)
            for column in self._places[place].columns
        }

    def take(self, answers: list[dict[str, Any]]) -> None:
        sources = [
            source_of(column, answer[column.name])
            for place, answer in zip(self._places, answers, strict=True)
            for column in place.columns
        ]
        if self._doubled is None:
            self._doubled = [source for each in self._places for source in _doubled_values(each)]
        self.found = best([*sources, *self._doubled], self._facet.size)
        if self.found is not None:
            return
        if self.size >= TERMS_MAX:
            raise InvalidQuery(
                f"field {self._facet.path!r} has more than {TERMS_MAX:,} different values that are "
                "about equally frequent",
                hint="narrow the search, or ask for fewer values",
                path=self._facet.path,
            )
        self.size = min(self.size * TERMS_GROWTH, TERMS_MAX)


def _doubled_values(place: Counted) -> Iterable[Source]:
    """What to take off: documents that hold one number as an integer and as a float."""
    for both in having_both(place.columns):
        view, query = place.view, place.query
        doubled = with_both_values(view, query, both)
        if doubled:
            yield Source(both[0].kind, {value: -each for value, each in doubled.items()})


class _Buckets:
    """The histogram of a field; `found` once its buckets are filled."""

    def __init__(self, asked: HistogramAsked, places: list[Counted]) -> None:
        self._asked = asked
        self._places = places
        self._edges: Edges | None = None
        self.size = BUCKETS_MAX + 2
        self.found: Histogram | None = None
        if asked.low is not None and asked.high is not None:
            self._choose([])

    def _choose(self, extremes: list[dict[str, Any]]) -> None:
        columns = [column for place in self._places for column in place.columns]
        self._edges = chosen_edges(self._asked, columns, extremes)
        if self._edges is None:
            self.found = Histogram(None, ())

    def asked(self, place: int) -> dict[str, Any]:
        columns = self._places[place].columns
        if self._edges is None:
            return {column.name: extremes_asked(column) for column in columns}
        asked = {column.name: buckets_asked(column, self._edges) for column in columns}
        return {name: each for name, each in asked.items() if each is not None}

    def take(self, answers: list[dict[str, Any]]) -> None:
        if self._edges is None:
            self._choose([each for answer in answers for each in answer.values()])
            return
        documents: dict[int, int] = {}
        for place, answer in zip(self._places, answers, strict=True):
            for each in answer.values():
                for bucket, held in filled(each).items():
                    documents[bucket] = documents.get(bucket, 0) + held
            for both in having_both(place.columns):
                doubled = in_both_buckets(place.view, place.query, both, self._edges)
                for bucket, held in doubled.items():
                    documents[bucket] -= held
        self.found = drawn(self._edges, documents)
