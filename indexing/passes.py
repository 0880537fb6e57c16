"""How one view is searched in one order, and how far that was found.

A `Pass` is a decision and never changes; a `Run` is one pass over one view with the entries found
so far. They are in the order of their values; equal values come in no particular order until
whoever merges has looked at the whole tie, which a run can find.
"""

from dataclasses import dataclass
from typing import Any

from tantivy import Occur, Query

from indexing.essential import Essential
from indexing.layout import KEY, RANK, Column, Layout
from indexing.local_index import Entry, View
from indexing.typed import equal_query

LOOK_AHEAD = 16
"""Entries found beyond those wanted, in which a tie at the end of the page may end."""
TIE_GROWTH = 8
"""How much further each look into a tie goes."""
SCORE_DIGITS = 6
"""Beyond these, 32-bit scores that were corrected for idf differ by noise."""


@dataclass(frozen=True, slots=True)
class Sort:
    """Order by a field's value; documents without it come last in both directions."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """One ordered search of one view.

    `constant` is set when every match has the same value: they are then ordered by key, and the
    entries' own values are their key texts. `factor` corrects the scores of a view as a whole.
    `ahead` is how many entries more than wanted are found at first, `matches` how many there are,
    when that is known: then Tantivy can skip what cannot be among the first. With `essential`, only
    those matches are looked at first.
    """

    query: Query
    column: Column | None
    descending: bool
    constant: bool = False
    value: Any = None
    factor: float = 1.0
    ahead: int = LOOK_AHEAD
    matches: int | None = None
    essential: Essential | None = None


class Run:
    """One pass over one view: the entries found so far, and how many match in all.

    While it is `narrow`, all of its matches that score above `bound` are essential ones, and no
    others are among its entries.
    """

    __slots__ = ("_is_all", "_narrow", "by", "entries", "total", "view")

    def __init__(self, view: View, by: Pass) -> None:
        self.view = view
        self.by = by
        self.entries: list[Entry] = []
        self.total = 0 if by.matches is None else by.matches
        self._narrow = by.essential
        self._is_all = False

    @property
    def is_narrow(self) -> bool:
        """Whether only essential matches were looked at."""
        return self._narrow is not None

    @property
    def bound(self) -> float:
        """What all matches score at most that are not among the essential ones."""
        return 0.0 if self._narrow is None else self._narrow.bound

    def widen(self, wanted: int) -> None:
        """Find at least the first `wanted` of all matches, if that was not done."""
        if self._narrow is not None:
            self._narrow = None
            _, self.entries = self._first(wanted + self.by.ahead, count=False)

    def find(self, wanted: int) -> None:
        """Find at least the first `wanted` entries, and count all."""
        by = self.by
        if by.constant:
            self.entries, self.total = first_by_key(self.view, by.query, wanted)
        elif self._narrow is not None:
            self.entries = self._essential(self._narrow, wanted + by.ahead)
            self.total = self._narrow.total(self.view)
        elif by.matches is None:
            self.total, self.entries = self._first(wanted + by.ahead, count=True)
        else:
            _, self.entries = self._first(wanted + by.ahead, count=False)

    def _first(self, limit: int, *, count: bool) -> tuple[int, list[Entry]]:
        by = self.by
        if by.column is None:
            return self.view.top(by.query, limit, count=count)
        return self.view.top(by.query, limit, by.column.name, descending=by.descending, count=count)

    def _essential(self, narrow: Essential, limit: int) -> list[Entry]:
        found = self.view.top(narrow.query, limit, count=False).entries
        bound = narrow.bound / self.by.factor
        entries = [entry for entry in found if entry[0] > bound]
        self._is_all = len(entries) < limit
        return entries

    def values(self, start: int, end: int) -> list[Any]:
        """What the entries from `start` up to `end` are ordered by; scores are rounded."""
        entries, by = self.entries[start:end], self.by
        if by.constant:
            return [by.value] * len(entries)
        if by.column is None:
            return _rounded([score * by.factor for score, _ in entries])
        return [value for value, _ in entries]

    @property
    def goes_on(self) -> bool:
        """Whether matches equal to the last entry may follow that are not among the entries."""
        if self._narrow is not None:
            return not self._is_all
        return not self.by.constant and len(self.entries) < self.total

    def look_further(self, value: Any, needed: int) -> None:
        """Find more of the entries equal to `value`, which the entries end with.

        Looks ever further, or, into the tie of a single-valued field, finds just the first `needed`
        of it in key order.
        """
        column = self.by.column
        if column is None or not _is_single(self.view.layout, column):
            limit = len(self.entries) * TIE_GROWTH + self.by.ahead
            if self._narrow is not None:
                self.entries = self._essential(self._narrow, limit)
                return
            _, self.entries = self._first(limit, count=False)
            return
        better = [entry for entry in self.entries if entry[0] != value]
        tie, _ = first_by_key(self.view, self._having(column, value), needed)
        self.entries = better + [(value, address) for _, address in tie]
        self.total = len(self.entries)

    def _having(self, column: Column, value: Any) -> Query:
        if value is None:
            clause = (Occur.MustNot, Query.exists_query(column.name))
        else:
            clause = (Occur.Must, equal_query(self.view.layout.tantivy_schema, column, value))
        return Query.boolean_query([(Occur.Must, self.by.query), clause])

    def keys(self, entries: list[Entry]) -> list[str]:
        """The key texts of entries."""
        if self.by.constant:
            return [key for key, _ in entries]
        return self.view.keys(address for _, address in entries)

    def ranks(self, entries: list[Entry]) -> list[int]:
        """The ranks of entries, which cost a tenth of their keys."""
        return self.view.ranks([address for _, address in entries])


def _rounded(scores: list[float]) -> list[float]:
    """Scores without their noise; equal ones follow each other and are rounded once."""
    rounded: list[float] = []
    last = value = -1.0
    for score in scores:
        if score != last:
            last, value = score, float(f"{score:.{SCORE_DIGITS}g}")
        rounded.append(value)
    return rounded


def unsure(runs: list[Run], wanted: int) -> list[Run]:
    """The runs that must be widened: those over essential matches alone, when too few are above
    what the others may score.
    """
    narrow = [run for run in runs if run.is_narrow]
    if not narrow:
        return []
    bound = max(run.bound for run in narrow)
    above = sum(score > bound for run in runs for score in run.values(0, wanted))
    return narrow if above < wanted else []


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
