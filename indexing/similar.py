"""Documents like another: the query made of what tells that document from most others.

Its words are weighed by tf-idf (Salton and Buckley 1988) and the heaviest become the query, as in
Lucene's MoreLikeThis: a word counts the more, the more often it stands in the document and the
fewer documents have it. The whole values of keyword fields stand beside them and weigh double. A
match scores the sum of the weights that it shares, so scores are the same over any shards. Words
that no other document has are left out, for they find nothing. Frequencies are those of all shards
together, as BM25 counts them: documents deleted but not merged away are among them.
"""

import heapq
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import KEYWORD_BYTES_MAX, ColumnKind, Layout
from indexing.local_index import View
from indexing.parameters import field_of
from indexing.place import Budget, Place
from indexing.query import Bool, ConstantScore, Ids, Match, MatchNone, Query, Term
from indexing.texts import texts_of

WORDS_MAX = 25
"""As in Lucene: more words find little else and cost time."""
VALUES_MAX = 25
"""Whole values that are used, the most telling ones."""
VALUE_FACTOR = 2.0
_STEPS = 64
TEXT_CHARACTERS_MAX = 100_000
"""How much of a value is read: what is telling shows early."""
DOCUMENTS_MIN = 2
"""A word must be in another document too."""
COMMON_SHARE, COMMON_MIN = 5, 20
"""What more than a fifth of the documents have tells nothing, and takes most of the time; among a
few documents nothing is common."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A word or a whole value of the document: where it is, and the term it is indexed as."""

    path: str
    kind: ColumnKind
    term: str


def like(
    document: Mapping[str, Any],
    key: Any,
    fields: tuple[str, ...] | None,
    left_out: Collection[str],
    views: Iterable[View],
    layout: Layout,
) -> Query:
    """The query for documents like this one, without itself.

    Looks at all fields with text but those left out, or at some; raises InvalidQuery for a field
    that is not there or holds no text.
    """
    for path in fields or ():
        columns = Fields(layout).columns(path)
        if columns and not any(each.kind in _USED for each in columns):
            raise InvalidQuery(
                f"field {path!r} holds no text to compare",
                hint="compare fields with text",
                path="fields",
            )
    counts: dict[_Candidate, int] = {}
    written: dict[_Candidate, str] = {}
    for path, text in texts_of(document):
        if path not in left_out if fields is None else path in fields:
            _read(layout, path, text, counts, written)
    frequencies, total = _frequencies(counts, list(views))
    most = max(total // COMMON_SHARE, COMMON_MIN)
    weights = {
        each: count * math.log(1 + (total - held + 0.5) / (held + 0.5))
        for each, count in counts.items()
        if DOCUMENTS_MIN <= (held := frequencies[each]) <= most
    }
    words = _heaviest(weights, ColumnKind.TEXT, WORDS_MAX)
    values = _heaviest(weights, ColumnKind.KEYWORD, VALUES_MAX)
    clauses = [
        *(_weighing(Match(each.path, written[each]), weights[each]) for each in words),
        *(_weighing(Term(each.path, each.term), weights[each] * VALUE_FACTOR) for each in values),
    ]
    if not clauses:
        return MatchNone()
    return Bool(should=tuple(clauses), must_not=(Ids((key,)),))


def _weighing(query: Query, weight: float) -> Query:
    """The query with a constant score, in steps of which 32-bit sums are exact in any order."""
    return ConstantScore(query, max(1, round(weight * _STEPS)) / _STEPS)


_USED = (ColumnKind.TEXT, ColumnKind.KEYWORD)


def _read(
    layout: Layout,
    path: str,
    text: str,
    counts: dict[_Candidate, int],
    written: dict[_Candidate, str],
) -> None:
    columns = {column.kind: column for column in layout.by_path.get(path, ())}
    # What the schema does not name is indexed as plain strings are.
    is_open = not columns and layout.is_open(path)
    if (is_open or ColumnKind.KEYWORD in columns) and len(text.encode()) <= KEYWORD_BYTES_MAX:
        value = _Candidate(path, ColumnKind.KEYWORD, text)
        counts[value] = counts.get(value, 0) + 1
    words = columns.get(ColumnKind.TEXT)
    if not is_open and words is None:
        return
    analyzer = layout.analyzers[words.analyzer if words else "standard"]
    if not analyzer.ordered:
        return  # pieces of words tell nothing
    cut = text[:TEXT_CHARACTERS_MAX]
    for token in analyzer.index.pre_tokenize(cut).tokens:
        word = _Candidate(path, ColumnKind.TEXT, token.text)
        counts[word] = counts.get(word, 0) + 1
        written.setdefault(word, cut[token.char_offset_from : token.char_offset_to])


def _frequencies(
    candidates: Iterable[_Candidate], views: list[View]
) -> tuple[dict[_Candidate, int], int]:
    """How many documents have each candidate, and how many documents there are."""
    held = dict.fromkeys(candidates, 0)
    total = 0
    for view in views:
        terms = {
            each: (column.name, (each.path, each.term))
            for each in held
            if (column := view.layout.column(each.path, each.kind)) is not None
        }
        # A path may have two columns with equal terms, so each kind is asked for by itself.
        for kind in _USED:
            asked = {each: term for each, term in terms.items() if each.kind is kind}
            found = view.frequencies(asked.values())
            for each, (_, logical) in asked.items():
                held[each] += found.of[logical]
        total += found.documents
    return held, total


def _heaviest(weights: Mapping[_Candidate, float], kind: ColumnKind, most: int) -> list[_Candidate]:
    """The candidates of one kind with most weight; equal ones in a fixed order."""
    return heapq.nsmallest(
        most,
        (each for each in weights if each.kind is kind),
        key=lambda each: (-round(weights[each], 6), each.path, each.term),
    )


def parse_compared(raw: Any) -> tuple[str, ...] | None:
    """The fields to compare, None for all; raises InvalidQuery."""
    place = Place(Budget(), "fields")
    if raw is None:
        return None
    if isinstance(raw, str):
        raw = (raw,)
    if not isinstance(raw, list | tuple | set | frozenset) or not raw:
        raise place.wrong_type("a field or a list of fields", raw)
    return tuple(field_of(each, place) for each in raw)
