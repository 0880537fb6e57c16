"""A query made ready for some views: which passes find its matches in order, with which weights.

A search runs as one or more passes over a view. A field that holds values of several kinds has a
column for each, so it takes a pass per column, and one for documents without the field. What is
ready stays right for as long as the views are the same; it does not hold them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tantivy import Occur, Query

from indexing.errors import InvalidQuery
from indexing.essential import Parted, essential, parted
from indexing.fields import Fields
from indexing.layout import Column, ColumnKind, Discovered, Layout
from indexing.local_index import View
from indexing.passes import LOOK_AHEAD, Pass, Sort
from indexing.query import Query as Asked
from indexing.resolve import Resolver
from indexing.resolved import (
    Frequencies,
    Resolved,
    Scored,
    ScoredTerm,
    Weights,
    built,
    constant_score,
    main_correction,
    relative_lengths,
    scored,
)

_SORTABLE = (
    ColumnKind.BOOL,
    ColumnKind.INT,
    ColumnKind.FLOAT,
    ColumnKind.DATETIME,
    ColumnKind.KEYWORD,
    ColumnKind.IP_ORDER,
)
_KEYWORDS = f"{ColumnKind.KEYWORD}:"
LOOK_FAR_AHEAD = 128
"""Entries found beyond those wanted where looking again is dear: handing one over takes 0.2 µs."""
DEAR_POSTINGS = 15_000
"""Postings from which searching again costs more than handing over more entries at once."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The passes of each view, about how many postings they read, and what resolving remarked.

    `plain` has the query of each view without an order, where a document may be in several passes.
    """

    passes: dict[int, list[Pass]]
    postings: int
    notes: tuple[str, ...]
    plain: dict[int, Query]


class Searches:
    """One query resolved for each layout among some views."""

    def __init__(
        self, query: Asked, views: dict[int, View], key_text: Callable[[Any], str]
    ) -> None:
        self._views = views
        self._postings = 0
        self._queries: dict[tuple[Discovered, ...], Query] = {}
        self._resolved: dict[tuple[Discovered, ...], Resolved] = {}
        notes: list[list[str]] = []
        for view in views.values():
            # Layouts of one schema differ only in what was discovered.
            if view.layout.discovered not in self._resolved:
                resolver = Resolver(view.layout, key_text)
                self._resolved[view.layout.discovered] = resolver.resolve(query)
                notes.append(resolver.notes)
        # A field that some shard's documents have is no surprise.
        common = set.intersection(*map(set, notes)) if notes else set()
        seen = dict.fromkeys(note for each in notes for note in each)
        self.notes = tuple(note for note in seen if note in common)

    def _of(self, view: View) -> Resolved:
        return self._resolved[view.layout.discovered]

    def unscored(self) -> dict[int, Query]:
        """The query of each view, for counting what matches."""
        return {number: self._plain(view) for number, view in self._views.items()}

    def counted(self) -> int:
        """How many documents match."""
        return sum(view.count(self._plain(view)) for view in self._views.values())

    def ready(self, sort: Sort | None) -> Ready:
        """The passes that find the matches in the order of a field, or the best score first."""
        passes = self._by_score() if sort is None else self._by_field(sort)
        is_simple = all(len(of_view) == 1 for of_view in passes.values())
        return Ready(passes, self._postings, self.notes, {} if is_simple else self.unscored())

    def _by_score(self) -> dict[int, list[Pass]]:
        """A pass per view, by score, or by key where all scores are equal."""
        constants = {constant_score(resolved) for resolved in self._resolved.values()}
        if len(constants) == 1 and None not in constants:
            (score,) = constants
            return {
                number: [
                    Pass(self._plain(view), None, descending=False, constant=True, value=score)
                ]
                for number, view in self._views.items()
            }
        leaves = {key: tuple(scored(resolved)) for key, resolved in self._resolved.items()}
        terms = {
            key: {(leaf.column, term) for leaf in held for term in leaf.logical}
            for key, held in leaves.items()
        }
        own = {
            number: view.frequencies(terms[view.layout.discovered])
            for number, view in self._views.items()
        }
        everywhere = _summed(own.values())
        cuts = {
            key: parted(resolved, everywhere, len(own)) for key, resolved in self._resolved.items()
        }
        self._postings = max(
            sum(everywhere.of.values()) if cut is None else cut.postings for cut in cuts.values()
        )
        weights = self._weights(terms, own, everywhere)
        return {
            number: [
                self._scored_pass(
                    view, own[number], weights.get(number), cuts[view.layout.discovered]
                )
            ]
            for number, view in self._views.items()
        }

    def _scored_pass(
        self, view: View, own: Frequencies, weights: Weights | None, cut: Parted | None
    ) -> Pass:
        """One view's matches, the best score first, in scores that compare with other views'."""
        resolved, factor, schema = self._of(view), 1.0, view.layout.tantivy_schema
        if weights is not None:
            factor = main_correction(tuple(scored(resolved)), weights)
        narrow = None if cut is None else essential(cut, view, own, weights, factor)
        if cut is not None and narrow is not None:
            query = built(cut.whole, schema, weights, factor)
            return Pass(query, None, True, factor=factor, essential=narrow)
        if weights is None or isinstance(resolved, Scored):
            query = self._plain(view)  # a lone leaf is corrected after the search
        else:
            query = built(resolved, schema, weights, factor)
        matches = None
        if isinstance(resolved, Scored) and len(resolved.terms) == 1:
            matches = view.matches_of(resolved.column, resolved.terms[0][1])
        # Where Tantivy can skip what is not among the first, looking again is cheap.
        is_dear = matches is None and self._postings >= DEAR_POSTINGS
        ahead = LOOK_FAR_AHEAD if is_dear else LOOK_AHEAD
        return Pass(query, None, True, factor=factor, ahead=ahead, matches=matches)

    def _plain(self, view: View) -> Query:
        """The query without weights, which serves every shard of a layout."""
        query = self._queries.get(view.layout.discovered)
        if query is None:
            query = built(self._of(view), view.layout.tantivy_schema)
            self._queries[view.layout.discovered] = query
        return query

    def _weights(
        self,
        terms: dict[tuple[Discovered, ...], set[tuple[str, ScoredTerm]]],
        own: dict[int, Frequencies],
        everywhere: Frequencies,
    ) -> dict[int, Weights]:
        """What corrects the scores of each view; nothing where there is only one."""
        if len(own) == 1:
            return {}
        lengths = relative_lengths(
            {
                number: (
                    own[number].documents,
                    _lengths(view, terms[view.layout.discovered], own[number]),
                )
                for number, view in self._views.items()
            }
        )
        return {number: Weights(own[number], everywhere, lengths[number]) for number in own}

    def _by_field(self, sort: Sort) -> dict[int, list[Pass]]:
        columns: dict[tuple[Discovered, ...], list[Column]] = {}
        for view in self._views.values():
            if view.layout.discovered not in columns:
                columns[view.layout.discovered] = _sort_columns(view.layout, sort)
        if columns and not any(columns.values()):
            self.notes = (*self.notes, f"no document has a field {sort.path!r}")
        return {
            number: self._field_passes(view, columns[view.layout.discovered], sort.descending)
            for number, view in self._views.items()
        }

    def _field_passes(self, view: View, columns: list[Column], descending: bool) -> list[Pass]:
        query = self._plain(view)
        if len(columns) == 1:
            return [Pass(query, columns[0], descending)]
        present = [(Occur.Must, Query.exists_query(column.name)) for column in columns]
        passes = [
            Pass(Query.boolean_query([(Occur.Must, query), has]), column, descending)
            for column, has in zip(columns, present, strict=True)
        ]
        absent = [(Occur.MustNot, Query.exists_query(column.name)) for column in columns]
        missing = Query.boolean_query([(Occur.Must, query), *absent])
        return [*passes, Pass(missing, None, descending, constant=True)]


def _lengths(view: View, terms: set[tuple[str, ScoredTerm]], own: Frequencies) -> dict[str, float]:
    """The average lengths of the text columns in which some term occurs, by source."""
    lengths: dict[str, float] = {}
    for column, logical in terms:
        source, term = logical
        if source not in lengths and own.of[logical] and not source.startswith(_KEYWORDS):
            length = view.average_length(column, term)
            if length is not None:
                lengths[source] = length
    return lengths


def _summed(each: Iterable[Frequencies]) -> Frequencies:
    documents = 0
    of: dict[tuple[str, str], int] = {}
    for frequencies in each:
        documents += frequencies.documents
        for term, held in frequencies.of.items():
            of[term] = of.get(term, 0) + held
    return Frequencies(documents, of)


def _sort_columns(layout: Layout, sort: Sort) -> list[Column]:
    columns = Fields(layout).columns(sort.path)
    sortable = [column for column in columns if column.kind in _SORTABLE]
    if columns and not sortable:
        raise InvalidQuery(
            f"field {sort.path!r} holds only text, which has no order to sort by",
            hint="declare it as a plain string or Keyword to sort by it",
            path=sort.path,
        )
    return sortable
