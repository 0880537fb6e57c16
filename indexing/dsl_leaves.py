"""The query operators that hold no other query: their parameters in tables, and what reads them.

An operator on one field is `{field: value}`, or `{field: {parameter: value, …}}` with the value
under its own name; `FIELD_OPERATORS` says which parameters there are and what each becomes. The
names and shapes are those of the Elasticsearch query DSL. Operators that hold queries are in
`dsl.py`.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from indexing import query
from indexing.parameters import (
    Reader,
    boost_of,
    bound_of,
    count_of,
    field_of,
    flag_of,
    fuzziness_of,
    items_of,
    minimum_of,
    one_of,
    string_of,
    text_of,
    tie_breaker_of,
    value_of,
    values_of,
)
from indexing.place import Place

Parser = Callable[[Any, Place], query.Query]
Parameters = Mapping[str, tuple[str, Reader]]
"""A parameter's name -> the node's attribute, and the reader of its value."""

BOOST: Parameters = {"boost": ("boost", boost_of)}
_OPERATOR: Parameters = {"operator": ("operator", one_of("or", "and"))}
_MINIMUM: Parameters = {"minimum_should_match": ("minimum_should_match", minimum_of)}
_FUZZINESS: Parameters = {"fuzziness": ("fuzziness", fuzziness_of)}
_TEXT: Parameters = {"query": ("text", text_of)}
_STRING: Parameters = {"value": ("value", string_of)}
_PATTERN: Parameters = {"value": ("pattern", string_of)}


@dataclass(frozen=True, slots=True)
class FieldOperator:
    """An operator on one field; `main` is the parameter that the short form leaves unnamed."""

    node: Callable[..., query.Query]
    main: str
    parameters: Parameters


FIELD_OPERATORS: Mapping[str, FieldOperator] = {
    "match": FieldOperator(
        query.Match, "query", {**_TEXT, **_OPERATOR, **_MINIMUM, **_FUZZINESS, **BOOST}
    ),
    "match_phrase": FieldOperator(
        query.MatchPhrase, "query", {**_TEXT, "slop": ("slop", count_of), **BOOST}
    ),
    "match_phrase_prefix": FieldOperator(query.MatchPhrasePrefix, "query", {**_TEXT, **BOOST}),
    "term": FieldOperator(query.Term, "value", {"value": ("value", value_of), **BOOST}),
    "prefix": FieldOperator(query.Prefix, "value", {**_STRING, **BOOST}),
    "wildcard": FieldOperator(
        query.Wildcard, "value", {**_PATTERN, "wildcard": ("pattern", string_of), **BOOST}
    ),
    "regexp": FieldOperator(query.Regexp, "value", {**_PATTERN, **BOOST}),
    "fuzzy": FieldOperator(
        query.Fuzzy,
        "value",
        {
            **_STRING,
            **_FUZZINESS,
            "prefix_length": ("prefix_length", count_of),
            "transpositions": ("transpositions", flag_of),
            **BOOST,
        },
    ),
}


def read_parameters(
    given: Any, place: Place, known: Parameters, needed: str | None = None
) -> dict[str, Any]:
    """The attributes that an object of parameters stands for; raises InvalidQuery.

    `needed` is the parameter that cannot be left out, under any of its names.
    """
    if not isinstance(given, dict):
        raise place.wrong_type("an object", given, f"use {', '.join(known)}")
    attributes: dict[str, Any] = {}
    for name, raw in given.items():
        if name not in known:
            raise place.unknown("parameter", name, known)
        attribute, reader = known[name]
        if attribute in attributes:
            raise place.refused(f"{name!r} is given under two names", "leave one of them out")
        attributes[attribute] = reader(raw, place.under(name))
    if needed is not None and known[needed][0] not in attributes:
        raise place.refused(f"{needed!r} is missing", f'add "{needed}": …')
    return attributes


def parse_on_field(operator: FieldOperator, given: Any, place: Place) -> query.Query:
    """An operator on one field, in its short or long form."""
    field, inner, at = _one_field(given, place)
    if isinstance(inner, dict):
        attributes = read_parameters(inner, at, operator.parameters, operator.main)
    else:
        attribute, reader = operator.parameters[operator.main]
        attributes = {attribute: reader(inner, at)}
    return operator.node(field=field, **attributes)


def _one_field(given: Any, place: Place) -> tuple[str, Any, Place]:
    if not isinstance(given, dict):
        raise place.wrong_type("a field and its value", given, 'write {"field": value}')
    if len(given) != 1:
        raise place.refused(
            f"expected one field, not {len(given)}" if given else "no field is named",
            'write {"field": value}, and combine several clauses with bool',
        )
    ((name, inner),) = given.items()
    return field_of(name, place), inner, place.under(name)


_BOUNDS: Parameters = {name: (name, bound_of) for name in ("gt", "gte", "lt", "lte")}


def range_of(field: str, given: Any, place: Place) -> query.Range:
    """A range from an object of bounds; raises InvalidQuery without one, or with two of a side."""
    attributes = read_parameters(given, place, {**_BOUNDS, **BOOST})
    if not attributes.keys() & _BOUNDS.keys():
        raise place.refused(
            "a range without a bound",
            "use gt, gte, lt or lte; exists finds documents with any value",
        )
    for pair in (("gt", "gte"), ("lt", "lte")):
        if attributes.keys() >= set(pair):
            raise place.refused(f"both {pair[0]} and {pair[1]} are given", "leave one of them out")
    return query.Range(field, **attributes)


def _range(given: Any, place: Place) -> query.Query:
    field, inner, at = _one_field(given, place)
    return range_of(field, inner, at)


def _terms(given: Any, place: Place) -> query.Query:
    # Next to a field, boost is the parameter; alone it is a field of that name.
    if isinstance(given, dict) and len(given) > 1 and "boost" in given:
        boost = boost_of(given["boost"], place.under("boost"))
        given = {name: inner for name, inner in given.items() if name != "boost"}
    else:
        boost = 1.0
    field, inner, at = _one_field(given, place)
    return query.Terms(field, values_of(inner, at), boost)


def _multi_match(given: Any, place: Place) -> query.Query:
    kinds = ("best_fields", "most_fields", "phrase", "phrase_prefix")
    known: Parameters = {
        **_TEXT,
        "fields": ("fields", _weighted_fields),
        "type": ("type", one_of(*kinds)),
        **_OPERATOR,
        **_MINIMUM,
        **_FUZZINESS,
        "tie_breaker": ("tie_breaker", tie_breaker_of),
        **BOOST,
    }
    attributes = read_parameters(given, place, known, "query")
    if "fields" not in attributes:
        raise place.refused("'fields' is missing", 'add "fields": ["title^2", "description"]')
    return query.MultiMatch(**attributes)


def _weighted_fields(raw: Any, place: Place) -> tuple[tuple[str, float], ...]:
    given = [raw] if isinstance(raw, str) else raw
    fields = tuple(_weighted_field(each, at) for each, at in items_of(given, place))
    if not fields:
        raise place.refused("no field is named", 'list fields, like ["title^2", "description"]')
    for _ in fields[1:]:
        # Every further field is a clause of its own when it runs.
        place.clause()
    return fields


def _weighted_field(raw: Any, place: Place) -> tuple[str, float]:
    name, caret, weight = field_of(raw, place).rpartition("^")
    if not caret:
        return field_of(raw, place), 1.0
    try:
        boost = float(weight)
    except ValueError:
        raise place.refused(
            "what follows ^ is not a number", 'write a field and its boost like "title^2"'
        ) from None
    return field_of(name, place), boost_of(boost, place)


def _exists(given: Any, place: Place) -> query.Query:
    known: Parameters = {"field": ("field", field_of), **BOOST}
    return query.Exists(**read_parameters(given, place, known, "field"))


def _ids(given: Any, place: Place) -> query.Query:
    known: Parameters = {"values": ("values", _keys), **BOOST}
    return query.Ids(**read_parameters(given, place, known, "values"))


def _keys(raw: Any, place: Place) -> tuple[Any, ...]:
    return tuple(
        tuple(_key_part(part, inner) for part, inner in items_of(each, at))
        if isinstance(each, list | tuple)
        else _key_part(each, at)
        for each, at in items_of(raw, place)
    )


def _key_part(raw: Any, place: Place) -> Any:
    """A part of a key as it is: a key's bytes differ by type, so no date becomes text here."""
    if isinstance(raw, datetime.date | bytes):
        return raw
    if isinstance(raw, bool):
        raise place.wrong_type("a key", raw, "use text, or the parts of a compound key in a list")
    return value_of(raw, place)


def _match_all(given: Any, place: Place) -> query.Query:
    return query.MatchAll(**read_parameters(given, place, BOOST))


def _match_none(given: Any, place: Place) -> query.Query:
    return query.MatchNone(**read_parameters(given, place, {}))


LEAVES: Mapping[str, Parser] = {
    "match_all": _match_all,
    "match_none": _match_none,
    "multi_match": _multi_match,
    "range": _range,
    "terms": _terms,
    "exists": _exists,
    "ids": _ids,
}
"""The operators with a shape of their own."""
