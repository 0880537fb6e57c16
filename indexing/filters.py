"""The short form of a filter: `{"make": "honda", "price": {"lt": 20000}, "color": ["red"]}`.

Every entry must hold. A value stands for equality, a list for any of its values, None for a field
without a value; an object holds operators, or, when none of its names is one, the fields of a
nested object. `not`, `or` and `and` combine whole filters, so fields of those names are out of
reach here. Filters are filters: the query DSL's operators are read as fields, never guessed. Only
nodes of the AST pass through.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from indexing.dsl import admitted
from indexing.dsl_leaves import range_of
from indexing.parameters import (
    field_of,
    flag_of,
    items_of,
    string_of,
    text_of,
    value_of,
    values_of,
)
from indexing.place import Budget, Place, shown_value
from indexing.query import (
    Bool,
    Exists,
    Match,
    MatchAll,
    Prefix,
    Query,
    Term,
    Terms,
)

_COMBINING = ("not", "or", "and")
_BOUNDS = ("gt", "gte", "lt", "lte")
_WORDS = {"le": "lte", "ge": "gte", "neq": "ne", "nin": "not_in"}
_FOREIGN = {
    "<": "lt",
    "<=": "lte",
    ">": "gt",
    ">=": "gte",
    "=": "eq",
    "==": "eq",
    "!=": "ne",
    **_WORDS,
}
"""How other tools write the operators: refused with a hint, for they would read as fields."""


@dataclass(frozen=True, slots=True)
class _Clauses:
    """What must hold and what must not, collected from a filter's entries in their order."""

    holds: list[Query] = field(default_factory=list)
    fails: list[Query] = field(default_factory=list)

    def node(self) -> Query:
        if not self.fails and len(self.holds) <= 1:
            return self.holds[0] if self.holds else MatchAll()
        return Bool(filter=tuple(self.holds), must_not=tuple(self.fails))


def parse_filter(body: Any) -> Query:
    """The AST of a filter in the short form, or of a node given as it is; {} is every document.

    Operators: eq, ne, in, not_in, gt, gte, lt, lte, prefix, exists (true or false), contains (one
    value of a list field), match (words of a text field). Raises InvalidQuery whose `path` says
    where (`or[1].price.lt`, "" for the whole), with the same bounds as `parse_query`.
    """
    return _filter(body, Place(Budget()))


def _filter(body: Any, place: Place) -> Query:
    if isinstance(body, Query):
        return admitted(body, place)
    inside = place.clause()
    if not isinstance(body, dict):
        raise place.wrong_type("a filter", body, 'write {"field": value}')
    clauses = _Clauses()
    for name, given in body.items():
        if name in _COMBINING:
            _combine(name, given, inside.under(name), clauses)
        else:
            _entry(field_of(name, place), given, inside.under(name), clauses)
    return clauses.node()


def _combine(name: str, given: Any, place: Place, clauses: _Clauses) -> None:
    if name == "not" and not isinstance(given, list | tuple):
        clauses.fails.append(_filter(given, place))
        return
    if not isinstance(given, list | tuple):
        raise place.wrong_type("a list of filters", given, f'write "{name}": [{{…}}, {{…}}]')
    parts = [_filter(each, at) for each, at in items_of(given, place)]
    if not parts:
        raise place.refused("the list of filters is empty", "leave it out, or name a filter")
    if name == "not":
        clauses.fails.extend(parts)
    elif name == "and" or len(parts) == 1:
        clauses.holds.extend(parts)
    else:
        clauses.holds.append(Bool(should=tuple(parts)))


def _entry(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    if isinstance(given, dict):
        _object(path, given, place, clauses)
    elif isinstance(given, list | tuple):
        place.clause()
        clauses.holds.append(Terms(path, _listed(given, place)))
    else:
        place.clause()
        _equal(path, given, place, clauses)


def _object(path: str, given: dict[Any, Any], place: Place, clauses: _Clauses) -> None:
    if not given:
        raise place.refused(
            "an object without operators", f"use {', '.join(_KNOWN)}, or the fields of an object"
        )
    operators = [name for name in given if name in _KNOWN]
    if not operators:
        inside = place.clause()
        for name, inner in given.items():
            _refuse_lookalike(path, name, inner, place)
            _entry(f"{path}.{field_of(name, place)}", inner, inside.under(name), clauses)
        return
    for name, inner in given.items():
        if name not in _KNOWN:
            _refuse_lookalike(path, name, inner, place)
            raise place.unknown("filter operator", name, _KNOWN)
    bounds = {name: given[name] for name in operators if name in _BOUNDS}
    if bounds:
        place.clause()
        clauses.holds.append(range_of(path, bounds, place))
    for name in operators:
        if name in _OPERATORS:
            place.clause()
            _OPERATORS[name](path, given[name], place.under(name), clauses)


def _refuse_lookalike(path: str, name: Any, inner: Any, place: Place) -> None:
    """Refuse what would read as a nested field but was surely meant as an operator.

    A word that holds an object is a field: no operator does.
    """
    if name in _COMBINING:
        raise place.refused(
            f"{name!r} stands inside a field", f'put it outside: {{"{name}": {{"field": …}}}}'
        )
    if isinstance(name, str) and not (name in _WORDS and isinstance(inner, dict)):
        bare = name.lstrip("$").lower()
        meant = _FOREIGN.get(name) or _FOREIGN.get(bare, bare)
        if meant != name and meant in _KNOWN:
            field = shown_value(f"{path}.{name}")
            raise place.refused(
                f"there is no filter operator {shown_value(name)}",
                f"did you mean {meant!r}? a nested field of that name is {field}",
            )


def _equal(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    if given is None:
        clauses.fails.append(Exists(path))
    else:
        clauses.holds.append(Term(path, value_of(given, place)))


def _unequal(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    if given is None:
        clauses.holds.append(Exists(path))
    else:
        clauses.fails.append(Term(path, value_of(given, place)))


def _listed(given: Any, place: Place) -> tuple[Any, ...]:
    if isinstance(given, list | tuple) and any(each is None for each in given):
        raise place.refused(
            "a list holds null", 'write {"or": [{"field": null}, {"field": [values]}]}'
        )
    return values_of(given, place)


def _among(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    clauses.holds.append(Terms(path, _listed(given, place)))


def _not_among(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    clauses.fails.append(Terms(path, _listed(given, place)))


def _prefix(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    clauses.holds.append(Prefix(path, string_of(given, place)))


def _exists(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    side = clauses.holds if flag_of(given, place) else clauses.fails
    side.append(Exists(path))


def _contains(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    clauses.holds.append(Term(path, value_of(given, place)))


def _match(path: str, given: Any, place: Place, clauses: _Clauses) -> None:
    clauses.holds.append(Match(path, text_of(given, place)))


_OPERATORS: Mapping[str, Callable[[str, Any, Place, _Clauses], None]] = {
    "eq": _equal,
    "ne": _unequal,
    "in": _among,
    "not_in": _not_among,
    "prefix": _prefix,
    "exists": _exists,
    "contains": _contains,
    "match": _match,
}
_KNOWN = (*_OPERATORS, *_BOUNDS)
