"""A search as global indexes see it: conditions on fields, a test of documents, an order.

Pure, and made once per question. What makes it impossible to answer from an index, whichever there
is, is said in `refusal`. Absent: which index there is, what is in it and what it costs.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from docstore.global_index.wanted import Asked, Beginning, Between, Condition, Values
from docstore.queries.field_readers import FieldReader, Readers, Untestable
from docstore.queries.filtering import (
    Test,
    ValueLeaf,
    WordsAsked,
    bounds_of,
    constant_score_of,
    leaf_of,
    leaves_of,
    prefix_of,
    test_of,
    values_of,
)
from indexing.passes import Sort
from indexing.query import Lenient, Match, MatchPhrase, Prefix, Query, Range
from indexing.schema import Kind
from indexing.values import text_of_microseconds


@dataclass(frozen=True, slots=True)
class Clause:
    """What one field must be, or must not be."""

    reader: FieldReader
    asked: Asked
    negated: bool

    @property
    def path(self) -> str:
        """The field."""
        return self.reader.path

    def as_condition(self) -> Condition:
        """The clause as indexes take conditions on covered fields."""
        return Condition(self.path, self.asked, self.negated)


@dataclass(frozen=True, slots=True)
class Need:
    """What a search asks: all `clauses` hold, and `test` holds; `rest` is what only it tells.

    `order` is the field to sort by and whether descending; without it, hits come by key and have
    `score`, None when their scores differ. With a `refusal` there is nothing else. `known` is what
    it comes to for indexes that were asked, by what reads their fields, while that is in use.
    """

    clauses: tuple[Clause, ...] = ()
    rest: bool = False
    test: Test | None = None
    score: float | None = None
    order: tuple[FieldReader, bool] | None = None
    refusal: str | None = None
    known: MutableMapping[Any, Any] = field(
        default_factory=WeakKeyDictionary, compare=False, repr=False
    )


def need_of(query: Query, sort: Sort | None, readers: Readers) -> Need:
    """What a query and its order need of an index."""
    clauses: list[Clause] = []
    rest = False
    try:
        test = test_of(query, readers)
        order = None if sort is None else (readers.of(sort.path), sort.descending)
        for leaf, negated in leaves_of(query):
            found, is_whole = _clauses(leaf, readers, negated=negated)
            clauses += found
            rest = rest or not is_whole
    except Untestable as refused:
        return Need(refusal=str(refused))
    score = constant_score_of(query)
    if not any(not clause.negated for clause in clauses):
        return Need(refusal="it asks for no value, range or prefix of a field that must hold")
    return Need(tuple(clauses), rest, test, score, order)


def _clauses(leaf: Query, readers: Readers, *, negated: bool) -> tuple[list[Clause], bool]:
    """What a leaf says of one field's values or words, and whether it says no more than that."""
    if not isinstance(leaf, ValueLeaf | Lenient | Match | MatchPhrase):
        return [], False
    asked = leaf_of(leaf, readers)
    if not isinstance(asked, WordsAsked):
        return [_clause(readers.of_terms(asked.field), asked, negated=negated)], True
    if asked.reader.kind is not Kind.TEXT:
        return [], False  # an index over such a field holds its whole values
    words = asked.words
    if asked.minimum == 1:
        return [Clause(asked.reader, Values(words), negated)], True
    if negated:
        return [], False
    if asked.minimum == len(words):
        return [Clause(asked.reader, Values((word,)), negated=False) for word in words], True
    return [Clause(asked.reader, Values(words), negated=False)], False


def _clause(reader: FieldReader, leaf: ValueLeaf, *, negated: bool) -> Clause:
    asked: Asked
    if isinstance(leaf, Prefix):
        asked = Beginning(prefix_of(reader, leaf))
    elif isinstance(leaf, Range):
        bounds = bounds_of(reader, leaf)
        asked = Between(**{name: _shown(reader, bound) for name, bound in bounds.items()})
    else:
        asked = Values(tuple(_shown(reader, value) for value in values_of(reader, leaf)))
    return Clause(reader, asked, negated)


def _shown(reader: FieldReader, held: Any) -> Any:
    """A held value as indexes are asked for it: dates as ISO text."""
    return text_of_microseconds(held) if reader.kind is Kind.DATETIME else held
