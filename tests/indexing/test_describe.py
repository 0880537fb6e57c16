"""A query reads as a person would say it."""

import typing

from indexing import query as q
from indexing.describe import _WRITERS, describe
from indexing.filters import parse_filter
from indexing.freetext import parse_text


def test_every_kind_of_query_can_be_described() -> None:
    assert set(_WRITERS) == set(typing.get_args(q.Query))


def test_free_text_reads_as_it_was_typed() -> None:
    query, _ = parse_text('red ford ford +"crew cab" -rust price:>5', fields={"price"})
    assert describe(query) == "+(\"crew cab\") +(price > '5') red ford^2 -rust"


def test_a_filter_reads_as_conditions() -> None:
    query = parse_filter({"make": ["ford", "kia"], "price": {"gte": 5, "lt": 9}})
    assert describe(query) == "#(make in ('ford', 'kia')) #(price >= 5 < 9)"


def test_boosts_and_long_lists_are_shown_short() -> None:
    assert describe(q.Term("a", 1, boost=2.0)) == "(a = 1)^2"
    assert describe(q.Terms("a", tuple(range(9)))) == "a in (0, 1, 2, 3, 4, … 4 more)"
    assert describe(q.Bool()) == "everything"
