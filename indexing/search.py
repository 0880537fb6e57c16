"""One shard's part of an ordered search, able to complete the tie at the end of a page.

A search runs as one or more passes over a view. A field that holds values of several kinds has a
column for each, so it takes a pass per column, and one for documents without the field. Each pass
returns entries in the order of their values; equal values come in no particular order until
`completed` has looked at the whole tie.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tantivy import Occur, Query

from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import KEY, RANK, Column, ColumnKind, Discovered, Layout
from indexing.local_index import Entry, View
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
from indexing.typed import equal_query

_SORTABLE = (
    ColumnKind.BOOL,
    ColumnKind.INT,
    ColumnKind.FLOAT,
    ColumnKind.DATETIME,
    ColumnKind.KEYWORD,
    ColumnKind.IP_ORDER,
)
_KEYWORDS = f"{ColumnKind.KEYWORD}:"
LOOK_AHEAD = 16
"""Entries found beyond those wanted, in which a tie at the end of the page may end."""
LOOK_FAR_AHEAD = 128
"""The same where looking again is dear: handing an entry over takes 0.2 µs."""
DEAR_POSTINGS = 15_000
"""Postings from which searching again costs more than handing over more entries at once."""
TIE_GROWTH = 8
"""How much further each look into a tie goes."""
SCORE_DIGITS = 6
"""Beyond these, 32-bit scores that were corrected for idf differ by noise."""


@dataclass(frozen=True, slots=True)
class Sort:
    """Order by a field's value; documents without it come last in both directions."""

    path: str
    descending: bool = False


@dataclass(slots=True)
class Pass:
    """One ordered search of one view.

    `constant` is set when every match has the same value: they are then ordered by key, and the
    entries' own values are their key texts. `factor` corrects the scores of a view as a whole.
    `ahead` is how many entries more than wanted are found at first, `matches` how many there are,
    when that is known: then Tantivy can skip what cannot be among the first.
    """

    view: View
    query: Query
    column: Column | None
    descending: bool
    constant: bool = False
    value: Any = None
    factor: float = 1.0
    ahead: int = LOOK_AHEAD
    matches: int | None = None
    entries: list[Entry] = field(default_factory=list)
    total: int = 0

    def run(self, wanted: int) -> None:
        """Find at least the first `wanted` entries, and count all."""
        if self.constant:
            self.entries, self.total = first_by_key(self.view, self.query, wanted)
            return
        name = self.column.name if self.column else None
        page = self.view.top(
            self.query,
            wanted + self.ahead,
            name,
            descending=self.column is None or self.descending,
            count=self.matches is None,
        )
        self.entries = page.entries
        self.total = page.total if self.matches is None else self.matches

    def values(self, start: int, end: int) -> list[Any]:
        """What the entries from `start` up to `end` are ordered by; scores are rounded."""
        entries = self.entries[start:end]
        if self.constant:
            return [self.value] * len(entries)
        if self.column is None:
            factor = self.factor
            return [float(f"{score * factor:.{SCORE_DIGITS}g}") for score, _ in entries]
        return [value for value, _ in entries]

    @property
    def goes_on(self) -> bool:
        """Whether matches equal to the last entry may follow that are not among the entries."""
        return not self.constant and len(self.entries) < self.total

    def look_further(self, value: Any, needed: int) -> None:
        """Find more of the entries equal to `value`, which the entries end with.

        Looks ever further, or, into the tie of a single-valued field, finds just the first `needed`
        of it in key order.
        """
        if not self._is_single:
            self.matches = self.total
            self.run(len(self.entries) * TIE_GROWTH)
            return
        better = [entry for entry in self.entries if entry[0] != value]
        tie, _ = first_by_key(self.view, self._having(value), needed)
        self.entries = better + [(value, address) for _, address in tie]
        self.total = len(self.entries)

    @property
    def _is_single(self) -> bool:
        return self.column is not None and _is_single(self.view.layout, self.column)

    def _having(self, value: Any) -> Query:
        assert self.column is not None  # noqa: S101  narrows the type: the caller checked it
        if value is None:
            clause = (Occur.MustNot, Query.exists_query(self.column.name))
        else:
            clause = (Occur.Must, equal_query(self.view.layout.tantivy_schema, self.column, value))
        return Query.boolean_query([(Occur.Must, self.query), clause])

    def keys(self, entries: list[Entry]) -> list[str]:
        """The key texts of entries."""
        if self.constant:
            return [key for key, _ in entries]
        return self.view.keys(address for _, address in entries)

    def ranks(self, entries: list[Entry]) -> list[int]:
        """The ranks of entries, which cost a tenth of their keys."""
        return self.view.ranks([address for _, address in entries])


def first_by_key(view: View, query: Query, wanted: int) -> tuple[list[Entry], int]:
    """The first `wanted` matches in key order as (key text, address), and how many match.

    Ranks order almost all keys. Ordering by the text of all matches costs 0.3 ms and more, so that
    is asked for only when a long way after the last one wanted all matches have its rank.
    """
    for ahead in (LOOK_AHEAD, LOOK_AHEAD * TIE_GROWTH**2):
        page = view.top(query, wanted + ahead, RANK, descending=False)
        entries = page.entries
        if len(entries) <= wanted or not wanted or entries[wanted - 1][0] != entries[-1][0]:
            break
    else:
        if page.total > len(entries):
            page = view.top(query, wanted, KEY, descending=False)
            return page.entries, page.total
    if len(entries) > wanted:
        last = entries[wanted - 1][0] if wanted else -1
        entries = [entry for entry in entries if entry[0] <= last]
    addresses = [address for _, address in entries]
    found: list[Entry] = sorted(
        zip(view.keys(addresses), addresses, strict=True), key=lambda entry: entry[0]
    )
    return found[:wanted], page.total


def _is_single(layout: Layout, column: Column) -> bool:
    """Whether the schema promises at most one value, so that equality is the sort value's."""
    for path, leaf in layout.schema.leaves():
        if path == column.path:
            return not leaf.many and not _inside_list(layout, path)
    return False


def _inside_list(layout: Layout, path: str) -> bool:
    fields = dict(layout.schema.fields)
    names = path.split(".")
    for name in names[:-1]:
        each = fields.get(name)
        if each is None or each.many:
            return True
        fields = dict(each.fields)
    return False


class Searches:
    """One query resolved for each layout among some views, and how often its terms occur.

    `postings` says how much a search by score will read, once `by_score` was asked for.
    """

    def __init__(
        self, query: Asked, views: dict[int, View], key_text: Callable[[Any], str]
    ) -> None:
        self._views = views
        self.postings = 0
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

    def counted(self, numbers: Iterable[int] | None = None) -> int:
        """How many documents match, in all views or in some."""
        views = [self._views[number] for number in (self._views if numbers is None else numbers)]
        return sum(view.count(self._plain(view)) for view in views)

    def by_score(self) -> dict[int, list[Pass]]:
        """A pass per view, by score, or by key where all scores are equal."""
        constants = {constant_score(resolved) for resolved in self._resolved.values()}
        if len(constants) == 1 and None not in constants:
            (score,) = constants
            return {
                number: [
                    Pass(
                        view, self._plain(view), None, descending=False, constant=True, value=score
                    )
                ]
                for number, view in self._views.items()
            }
        leaves = {key: tuple(scored(resolved)) for key, resolved in self._resolved.items()}
        weights = self._weights(leaves)
        ahead = LOOK_AHEAD if self.postings < DEAR_POSTINGS else LOOK_FAR_AHEAD
        passes: dict[int, list[Pass]] = {}
        for number, view in self._views.items():
            resolved, inner, factor = self._of(view), weights.get(number), 1.0
            if inner is not None:
                factor = main_correction(leaves[view.layout.discovered], inner)
            if inner is None or isinstance(resolved, Scored):
                query = self._plain(view)  # a lone leaf is corrected after the search
            else:
                query = built(resolved, view.layout.tantivy_schema, inner, factor)
            only = Pass(view, query, None, descending=True, factor=factor, ahead=ahead)
            if isinstance(resolved, Scored) and len(resolved.terms) == 1:
                only.matches = view.matches_of(resolved.column, resolved.terms[0][1])
            passes[number] = [only]
        return passes

    def _plain(self, view: View) -> Query:
        """The query without weights, which serves every shard of a layout."""
        query = self._queries.get(view.layout.discovered)
        if query is None:
            query = built(self._of(view), view.layout.tantivy_schema)
            self._queries[view.layout.discovered] = query
        return query

    def _weights(
        self, leaves: dict[tuple[Discovered, ...], tuple[Scored, ...]]
    ) -> dict[int, Weights]:
        of_layout = {
            key: {(leaf.column, term) for leaf in held for term in leaf.logical}
            for key, held in leaves.items()
        }
        terms = {number: of_layout[view.layout.discovered] for number, view in self._views.items()}
        own = {number: view.frequencies(terms[number]) for number, view in self._views.items()}
        everywhere = _summed(own.values())
        self.postings = sum(everywhere.of.values())
        if len(own) == 1:
            return {}
        lengths = relative_lengths(
            {
                number: (own[number].documents, _lengths(view, terms[number], own[number]))
                for number, view in self._views.items()
            }
        )
        return {number: Weights(own[number], everywhere, lengths[number]) for number in own}

    def by_field(self, sort: Sort) -> dict[int, list[Pass]]:
        """The passes of each view in the order of a field."""
        columns: dict[tuple[Discovered, ...], list[Column]] = {}
        for view in self._views.values():
            if view.layout.discovered not in columns:
                columns[view.layout.discovered] = _sort_columns(view.layout, sort)
        return {
            number: self._field_passes(view, columns[view.layout.discovered], sort.descending)
            for number, view in self._views.items()
        }

    def _field_passes(self, view: View, columns: list[Column], descending: bool) -> list[Pass]:
        query = self._plain(view)
        if len(columns) == 1:
            return [Pass(view, query, columns[0], descending)]
        present = [(Occur.Must, Query.exists_query(column.name)) for column in columns]
        passes = [
            Pass(view, Query.boolean_query([(Occur.Must, query), has]), column, descending)
            for column, has in zip(columns, present, strict=True)
        ]
        absent = [(Occur.MustNot, Query.exists_query(column.name)) for column in columns]
        missing = Query.boolean_query([(Occur.Must, query), *absent])
        return [*passes, Pass(view, missing, None, descending, constant=True)]


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
