"""Queries as JSON, in the names and shapes of the Elasticsearch query DSL, parsed into the AST.

A query is an object with one operator: `{"match": {"description": "red"}}`. Nodes of the AST pass
through wherever a query may stand, and count towards the bounds like any other clause. Absent on
purpose: parameters that change nothing here (analyzer, rewrite, _name, max_expansions); an unknown
parameter is refused rather than ignored.
"""

from functools import partial
from typing import Any

from indexing import query
from indexing.dsl_leaves import (
    BOOST,
    FIELD_OPERATORS,
    LEAVES,
    Parameters,
    Parser,
    parse_on_field,
    read_parameters,
)
from indexing.parameters import items_of, minimum_of, tie_breaker_of
from indexing.place import CLAUSES_MAX, DEPTH_MAX, Budget, Place
from indexing.query import Query


def parse_query(body: Any, *, depth_max: int = DEPTH_MAX, clauses_max: int = CLAUSES_MAX) -> Query:
    """The AST of a query in Elasticsearch's shape, or of a node given as it is.

    Raises InvalidQuery whose `path` says where (`bool.must[1].range.price`, "" for the whole): an
    unknown operator or parameter, a value of the wrong type, NaN or infinity, more than `depth_max`
    clauses inside one another, more than `clauses_max` in all.
    """
    return _query(body, Place(Budget(depth_max, clauses_max)))


def admitted(node: Query, place: Place) -> Query:
    """A node given as it is; raises InvalidQuery when its clauses pass the body's bounds."""
    waiting = [(node, place)]
    while waiting:
        each, at = waiting.pop()
        inside = at.clause()
        waiting.extend((child, inside) for child in _children(each))
    return node


def _children(node: Query) -> tuple[Query, ...]:
    match node:
        case query.Bool():
            return (*node.must, *node.filter, *node.should, *node.must_not)
        case query.ConstantScore():
            return (node.query,)
        case query.DisMax():
            return node.queries
    return ()


def _query(body: Any, place: Place) -> Query:
    if isinstance(body, Query):
        return admitted(body, place)
    if not isinstance(body, dict):
        raise place.wrong_type("a query", body, 'write {"match": {"field": "text"}}')
    inside = place.clause()
    if len(body) != 1:
        raise place.refused(
            f"{len(body)} operators in one object" if body else "the query is empty",
            'combine queries with {"bool": {"must": [{…}, {…}]}}'
            if body
            else 'for every document write {"match_all": {}}',
        )
    ((operator, given),) = body.items()
    if operator not in _OPERATORS:
        raise place.unknown(
            "query operator",
            operator,
            _OPERATORS,
            f'use {", ".join(sorted(_OPERATORS))}; {{"field": value}} belongs in a filter',
        )
    return _OPERATORS[operator](given, inside.under(operator))


def _queries(raw: Any, place: Place) -> tuple[Query, ...]:
    """One query, or a list of them."""
    if isinstance(raw, list | tuple):
        return tuple(_query(each, at) for each, at in items_of(raw, place))
    return (_query(raw, place),)


def _bool(given: Any, place: Place) -> Query:
    known: Parameters = {
        **{name: (name, _queries) for name in ("must", "filter", "should", "must_not")},
        "minimum_should_match": ("minimum_should_match", minimum_of),
        **BOOST,
    }
    return query.Bool(**read_parameters(given, place, known))


def _constant_score(given: Any, place: Place) -> Query:
    known: Parameters = {"filter": ("query", _query), **BOOST}
    return query.ConstantScore(**read_parameters(given, place, known, "filter"))


def _dis_max(given: Any, place: Place) -> Query:
    known: Parameters = {
        "queries": ("queries", _queries),
        "tie_breaker": ("tie_breaker", tie_breaker_of),
        **BOOST,
    }
    return query.DisMax(**read_parameters(given, place, known, "queries"))


_OPERATORS: dict[str, Parser] = {
    **{name: partial(parse_on_field, operator) for name, operator in FIELD_OPERATORS.items()},
    **LEAVES,
    "bool": _bool,
    "constant_score": _constant_score,
    "dis_max": _dis_max,
}
