"""A search as global indexes see it: conditions on fields, a test of documents, an order.

Pure, and made once per question. What makes it impossible to answer from an index, whichever there
is, is said in `refusal`. Absent: which index there is, what is in it and what it costs.
"""

from dataclasses import dataclass
from typing import Any

from docstore.filtering import (
    FieldReader,
    Readers,
    Test,
    Untestable,
    bounds_of,
    constant_score_of,
    leaves_of,
    prefix_of,
    values_of,
)
from docstore.global_index.wanted import Asked, Beginning, Between, Condition, Values
from indexing.passes import Sort
from indexing.query import Prefix, Query, Range, Term, Terms
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
    `score`, None when their scores differ. With a `refusal` there is nothing else.
    """

    clauses: tuple[Clause, ...] = ()
    rest: bool = False
    test: Test | None = None
    score: float | None = None
    order: tuple[FieldReader, bool] | None = None
    refusal: str | None = None


def need_of(query: Query, sort: Sort | None, readers: Readers) -> Need:
    """What a query and its order need of an index."""
    clauses: list[Clause] = []
    rest = False
    try:
        test = readers.test_of(query)
        order = None if sort is None else (readers.of(sort.path), sort.descending)
        for leaf, negated in leaves_of(query):
            if isinstance(leaf, Term | Terms | Range | Prefix):
                clauses.append(_clause(readers.of(leaf.field), leaf, negated=negated))
            else:
                rest = True
    except Untestable as refused:
        return Need(refusal=str(refused))
    score = constant_score_of(query)
    if not any(not clause.negated for clause in clauses):
        return Need(refusal="it asks for no value, range or prefix of a field that must hold")
    return Need(tuple(clauses), rest, test, score, order)


def _clause(reader: FieldReader, leaf: Term | Terms | Range | Prefix, *, negated: bool) -> Clause:
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
