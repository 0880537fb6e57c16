import datetime
import ipaddress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing import query as q
from indexing.errors import InvalidQuery
from indexing.filters import parse_filter

HONDA = q.Term("make", "honda")
RED = q.Term("color", "red")

SHAPES: list[tuple[Any, q.Query]] = [
    ({}, q.MatchAll()),
    ({"make": "honda"}, HONDA),
    ({"year": 2015}, q.Term("year", 2015)),
    ({"sold": True}, q.Term("sold", True)),
    ({"color": ["red", "blue"]}, q.Terms("color", ("red", "blue"))),
    ({"color": ("red",)}, q.Terms("color", ("red",))),
    ({"color": []}, q.Terms("color", ())),
    ({"color": None}, q.Bool(must_not=(q.Exists("color"),))),
    ({"price": {"lt": 20000}}, q.Range("price", lt=20000)),
    ({"price": {"gte": 1, "lt": 2}}, q.Range("price", gte=1, lt=2)),
    ({"price": {"gt": 1, "lte": 2}}, q.Range("price", gt=1, lte=2)),
    ({"make": {"eq": "honda"}}, HONDA),
    ({"make": {"eq": None}}, q.Bool(must_not=(q.Exists("make"),))),
    ({"make": {"ne": "honda"}}, q.Bool(must_not=(HONDA,))),
    ({"make": {"ne": None}}, q.Exists("make")),
    ({"make": {"in": ["a", "b"]}}, q.Terms("make", ("a", "b"))),
    ({"make": {"not_in": ["a", "b"]}}, q.Bool(must_not=(q.Terms("make", ("a", "b")),))),
    ({"make": {"prefix": "ho"}}, q.Prefix("make", "ho")),
    ({"make": {"exists": True}}, q.Exists("make")),
    ({"make": {"exists": False}}, q.Bool(must_not=(q.Exists("make"),))),
    ({"tags": {"contains": "new"}}, q.Term("tags", "new")),
    ({"description": {"match": "one owner"}}, q.Match("description", "one owner")),
    (
        {"price": {"gt": 1, "ne": 5, "exists": True}},
        q.Bool(filter=(q.Range("price", gt=1), q.Exists("price")), must_not=(q.Term("price", 5),)),
    ),
    ({"make": "honda", "color": "red"}, q.Bool(filter=(HONDA, RED))),
    ({"not": {"make": "honda"}}, q.Bool(must_not=(HONDA,))),
    ({"not": {"make": "honda", "color": "red"}}, q.Bool(must_not=(q.Bool(filter=(HONDA, RED)),))),
    ({"not": [{"make": "honda"}, {"color": "red"}]}, q.Bool(must_not=(HONDA, RED))),
    ({"or": [{"make": "honda"}, {"color": "red"}]}, q.Bool(should=(HONDA, RED))),
    ({"or": [{"make": "honda"}]}, HONDA),
    ({"and": [{"make": "honda"}, {"color": "red"}]}, q.Bool(filter=(HONDA, RED))),
    (
        {"color": "red", "or": [{"make": "honda"}, {"year": 1}], "not": {"sold": True}},
        q.Bool(
            filter=(RED, q.Bool(should=(HONDA, q.Term("year", 1)))),
            must_not=(q.Term("sold", True),),
        ),
    ),
    ({"seller": {"city": "x"}}, q.Term("seller.city", "x")),
    ({"seller.city": "x"}, q.Term("seller.city", "x")),
    (
        {"seller": {"city": "x", "at": {"zip": {"gt": 1}}}},
        q.Bool(filter=(q.Term("seller.city", "x"), q.Range("seller.at.zip", gt=1))),
    ),
    ({"seller": {"city": None}}, q.Bool(must_not=(q.Exists("seller.city"),))),
    ({"term": {"make": "honda"}}, q.Term("term.make", "honda")),
    (
        {"range": {"price": {"lt": 5}}},
        q.Range("range.price", lt=5),
    ),
    (HONDA, HONDA),
    ({"or": [HONDA, {"color": "red"}]}, q.Bool(should=(HONDA, RED))),
    ({"day": datetime.date(2024, 2, 29)}, q.Term("day", "2024-02-29")),
    ({"day": {"gt": datetime.date(2024, 2, 29)}}, q.Range("day", gt="2024-02-29")),
    ({"ip": [ipaddress.IPv4Address("10.0.0.1")]}, q.Terms("ip", ("10.0.0.1",))),
]


@pytest.mark.parametrize(("body", "node"), SHAPES)
def test_every_shape_has_its_node(body: Any, node: q.Query) -> None:
    assert repr(parse_filter(body)) == repr(node)


REFUSED: list[tuple[Any, str, str]] = [
    (None, "", "expected a filter"),
    ([{"a": 1}], "", "a list"),
    ("a:1", "", "'a:1'"),
    ({5: 1}, "", "the name of a field"),
    ({"": 1}, "", "the name of a field"),
    ({"price": {}}, "price", "lte"),
    ({"price": {"lt": 1, "gtt": 2}}, "price", "'gt'"),
    ({"price": {"lt": 1, "city": 2}}, "price", "not_in"),
    ({"price": {"lt": 1, "lte": 2}}, "price", "both lt and lte"),
    ({"price": {"lt": float("nan")}}, "price.lt", "nan"),
    ({"price": {"lt": None}}, "price.lt", "leave the bound out"),
    ({"price": float("nan")}, "price", "nan"),
    ({"price": {"$lt": 5}}, "price", "did you mean 'lt'?"),
    ({"price": {"<=": 5}}, "price", "did you mean 'lte'?"),
    ({"price": {"GT": 5}}, "price", "did you mean 'gt'?"),
    (
        {"price": {"le": 5}},
        "price",
        "did you mean 'lte'? a nested field of that name is 'price.le'",
    ),
    ({"price": {"gt": 1, "ge": 5}}, "price", "did you mean 'gte'?"),
    ({"color": {"neq": "red"}}, "color", "did you mean 'ne'?"),
    ({"color": {"$nin": ["red"]}}, "color", "did you mean 'not_in'?"),
    ({"price": {"not": {"lt": 5}}}, "price", "put it outside"),
    ({"price": {5: 1}}, "price", "the name of a field"),
    ({"color": ["red", None]}, "color", "or"),
    ({"color": ["red", ["blue"]]}, "color[1]", "a list"),
    ({"color": {"in": "red"}}, "color.in", "a list"),
    ({"color": {"in": {"red"}}}, "color.in", "a set"),
    ({"color": {"not_in": [None]}}, "color.not_in", "null"),
    ({"color": {"eq": ["red"]}}, "color.eq", "in"),
    ({"color": {"contains": None}}, "color.contains", "one value"),
    ({"color": {"exists": 1}}, "color.exists", "true or false"),
    ({"color": {"prefix": 5}}, "color.prefix", "text"),
    ({"color": {"match": None}}, "color.match", "one value"),
    ({"color": b"x"}, "color", "text, a number"),
    ({"color": "\udfff"}, "color", "surrogate"),
    ({"or": {"a": 1}}, "or", "a list of filters"),
    ({"or": []}, "or", "empty"),
    ({"and": "x"}, "and", "a list of filters"),
    ({"not": "x"}, "not", "a filter"),
    ({"not": []}, "not", "empty"),
    ({"or": [{"a": 1}, {"price": {"lt": True}}]}, "or[1].price.lt", "no order"),
    ({"seller": {"city": {"gt": []}}}, "seller.city.gt", "a list"),
    ({"color": ["x"] * 70_000}, "color", "65,536"),
]


@pytest.mark.parametrize(("body", "path", "part"), REFUSED)
def test_a_wrong_filter_is_refused_with_its_path_and_a_hint(
    body: Any, path: str, part: str
) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_filter(body)
    error = caught.value
    assert error.data["path"] == path
    assert error.message.startswith(f"{path}: " if path else "")
    assert part in str(error)
    assert error.hint
    assert orjson.dumps(error.as_dict())


@pytest.mark.parametrize("name", ["not", "seller"])
def test_depth_is_bounded_long_before_python_is(name: str) -> None:
    body: dict[str, Any] = {"city": "x"}
    for _ in range(100_000):
        body = {name: body}
    with pytest.raises(InvalidQuery, match="32 clauses inside one another"):
        parse_filter(body)


def test_the_number_of_clauses_is_bounded() -> None:
    assert parse_filter({f"f{number}": number for number in range(1000)})
    with pytest.raises(InvalidQuery, match="more than 1024 clauses"):
        parse_filter({f"f{number}": number for number in range(2000)})
    with pytest.raises(InvalidQuery, match="more than 1024 clauses"):
        parse_filter({"or": [{"a": 1}] * 600})


names = st.sampled_from(["a", "b.c", "not", "or", "and", "lt", "in", "eq", "exists", "$gt", ""])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.dates()
)
bodies = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=12,
)


def _outcome(body: Any) -> q.Query | InvalidQuery:
    try:
        return parse_filter(body)
    except InvalidQuery as error:
        return error


@settings(max_examples=300)
@given(st.one_of(bodies, st.dictionaries(names, bodies)))
def test_any_body_becomes_a_hashable_node_or_is_refused_with_a_path(body: Any) -> None:
    outcome = _outcome(body)
    if isinstance(outcome, InvalidQuery):
        assert isinstance(outcome.data["path"], str)
        assert outcome.hint
        assert str(outcome).encode()
    else:
        assert {outcome}


def test_a_nested_field_with_the_name_of_a_foreign_operator_is_within_reach() -> None:
    inside = parse_filter({"price": {"le": {"gt": 5}}})
    assert inside == parse_filter({"price.le": {"gt": 5}})
    assert inside != parse_filter({"price": {"lte": 5}})
