"""Completions: the values and words that begin as a person has typed, whatever case and accents.

An index keeps its terms in order, so those with one beginning stand together. What was typed may
stand for several beginnings (`sko` for `Sko` and `Ško`): the walk follows those that are there, one
character at a time, until so few terms are left that they can be looked at. Counts are of documents
that match the filter and are not deleted, so summing them over shards is exact.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tantivy import Occur, Query

from indexing.analysis import Analyzer
from indexing.counts import Completion
from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.folding import FOLDED_MAX, folded, reaching, variants
from indexing.layout import Column, ColumnKind, Layout
from indexing.local_index import View
from indexing.parameters import field_of
from indexing.place import Budget, Place

LIMIT_MAX = 1_000
PREFIX_CHARACTERS_MAX = 256
"""More than anybody types before choosing; longer text completes to nothing."""
_FEW = 256
"""So few terms are looked at one by one: it takes as long as following a character."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, of which fields (none: words of any field), and how many answers to give."""

    text: str
    fields: tuple[str, ...]
    limit: int

    @classmethod
    def parse(cls, prefix: Any, field: Any, limit: Any) -> "Typed":
        """What a caller passes; raises InvalidQuery. Any text will do."""
        place = Place(Budget(), "prefix")
        if not isinstance(prefix, str):
            raise place.wrong_type("text", prefix)
        text = prefix.encode("utf-16", "surrogatepass").decode("utf-16", "replace").lstrip()
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LIMIT_MAX:
            raise Place(Budget(), "limit").wrong_type(f"1 to {LIMIT_MAX:,}", limit)
        place = Place(Budget(), "field")
        if field is None or isinstance(field, str):
            fields: tuple[str, ...] = () if field is None else (field_of(field, place),)
        elif isinstance(field, list | tuple | set | frozenset) and field:
            fields = tuple(dict.fromkeys(field_of(each, place) for each in field))
        else:
            raise place.wrong_type("a field or a list of fields", field)
        return cls(text, fields, limit)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column to look in: an analyzer where it holds words, none where it holds whole values."""

    name: str
    field: str | None
    analyzer: Analyzer | None


def completions(
    typed: Typed,
    views: Mapping[int, View],
    queries: Mapping[int, Query],
    check: Callable[[], None],
) -> list[Completion]:
    """The best completions over some views, each with the query of the documents that count.

    Those of most documents come first, equal ones by value. Raises InvalidQuery on a field without
    text, and what `check` raises, which is called before each column of a view is looked at.
    """
    values: dict[tuple[str | None, str], int] = {}
    words: dict[tuple[str | None, str], int] = {}
    if typed.text and len(typed.text) <= PREFIX_CHARACTERS_MAX:
        for number, view in views.items():
            for column in _columns(view.layout, typed.fields):
                check()
                counts = values if column.analyzer is None else words
                for term, documents in _found(view, column, typed.text, queries[number]):
                    counts[column.field, term] = counts.get((column.field, term), 0) + documents
    # A value of a single word is told once, as it is written.
    whole = {(field, folded(value)) for field, value in values}
    words = {word: each for word, each in words.items() if (word[0], folded(word[1])) not in whole}
    ordered = sorted(
        (
            Completion(value, field, documents)
            for (field, value), documents in (values | words).items()
        ),
        key=lambda each: (-each.documents, folded(each.value), each.value, each.field or ""),
    )
    return ordered[: typed.limit]


def _columns(layout: Layout, fields: Iterable[str]) -> Iterator[_Column]:
    if not fields:
        for analyzer, name in layout.catch_all.items():
            yield _Column(name, None, layout.analyzers[analyzer])
    for path in fields:
        columns = Fields(layout).columns(path)
        found = [each for each in columns if each.kind in (ColumnKind.TEXT, ColumnKind.KEYWORD)]
        if columns and not found and path in layout.schema.paths:
            raise InvalidQuery(
                f"field {path!r} holds no text to complete",
                hint="complete fields with text",
                path="field",
            )
        yield from (_of_field(layout, column) for column in found)


def _of_field(layout: Layout, column: Column) -> _Column:
    is_text = column.kind is ColumnKind.TEXT
    return _Column(column.name, column.path, layout.analyzers[column.analyzer] if is_text else None)


def _found(view: View, column: _Column, text: str, query: Query) -> Iterator[tuple[str, int]]:
    """The terms that begin so, with their documents; words with what was typed before the last."""
    if column.analyzer is None:
        yield from _beginning(view, column.name, folded(text), query)
        return
    if not column.analyzer.ordered:
        return  # pieces of words
    tokens = column.analyzer.search.pre_tokenize(text).tokens
    if not tokens or tokens[-1].char_offset_to < len(text):
        return
    *before, last = tokens
    head, begun = text[: last.char_offset_from], text[last.char_offset_from :]
    schema = view.layout.tantivy_schema
    having = [
        (Occur.Must, Query.term_query(schema, column.name, each.text, "basic")) for each in before
    ]
    among = Query.boolean_query([(Occur.Must, query), *having]) if having else query
    known = {each.text for each in before}
    for word, documents in _beginning(view, column.name, folded(begun), among):
        if word not in known:
            yield head + word, documents


def _beginning(view: View, column: str, plain: str, among: Query) -> Iterator[tuple[str, int]]:
    """The terms whose folded text begins so, each with how many documents among some hold it."""
    waiting = list(_longer("", plain))
    while waiting:
        beginning, left = waiting.pop()
        some = view.beginning(column, beginning, None, _FEW + 1)
        if left and len(some) > _FEW:
            waiting.extend(_longer(beginning, left))
        elif some:
            for term, documents in view.beginning(column, beginning, among, None):
                if documents and folded(term).startswith(plain):
                    yield term, documents


def _longer(beginning: str, left: str) -> Iterator[tuple[str, str]]:
    """Each way to go on by one character, and what is left of the folded text after it."""
    for length in range(1, min(FOLDED_MAX, len(left)) + 1):
        for character in variants(left[:length]):
            yield beginning + character, left[length:]
    if len(left) < FOLDED_MAX:
        for character in reaching(left):
            yield beginning + character, ""
