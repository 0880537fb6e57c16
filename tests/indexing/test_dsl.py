import datetime
import ipaddress
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing import query as q
from indexing.dsl import parse_query
from indexing.errors import InvalidQuery
from indexing.schema import Kind

TERM = {"term": {"make": "ford"}}
FORD = q.Term("make", "ford")

SHAPES: list[tuple[dict[str, Any], q.Query]] = [
    ({"match": {"f": "red car"}}, q.Match("f", "red car")),
    ({"match": {"f": 2015}}, q.Match("f", "2015")),
    ({"match": {"f": True}}, q.Match("f", "true")),
    (
        {
            "match": {
                "f": {
                    "query": "red car",
                    "operator": "AND",
                    "minimum_should_match": "75%",
                    "fuzziness": "AUTO",
                    "boost": 2,
                }
            }
        },
        q.Match("f", "red car", "and", "75%", "auto", 2.0),
    ),
    ({"match": {"f": {"query": "a", "fuzziness": "1"}}}, q.Match("f", "a", fuzziness=1)),
    ({"match_phrase": {"f": "red car"}}, q.MatchPhrase("f", "red car")),
    (
        {"match_phrase": {"f": {"query": "red car", "slop": 2, "boost": 0}}},
        q.MatchPhrase("f", "red car", 2, 0.0),
    ),
    ({"match_phrase_prefix": {"f": "red c"}}, q.MatchPhrasePrefix("f", "red c")),
    (
        {"multi_match": {"query": "red", "fields": ["title^2.5", "body"]}},
        q.MultiMatch((("title", 2.5), ("body", 1.0)), "red"),
    ),
    (
        {
            "multi_match": {
                "query": "red",
                "fields": "title",
                "type": "most_fields",
                "operator": "and",
                "minimum_should_match": -1,
                "fuzziness": 2,
                "tie_breaker": 0.3,
                "boost": 3,
            }
        },
        q.MultiMatch((("title", 1.0),), "red", "most_fields", "and", -1, 2, 0.3, 3.0),
    ),
    ({"match_all": {}}, q.MatchAll()),
    ({"match_all": {"boost": 1.5}}, q.MatchAll(1.5)),
    ({"match_none": {}}, q.MatchNone()),
    (TERM, FORD),
    ({"term": {"n": {"value": 3, "boost": 2}}}, q.Term("n", 3, 2.0)),
    ({"term": {"seller.ok": False}}, q.Term("seller.ok", False)),
    ({"terms": {"f": ["a", 1, 2.5, True]}}, q.Terms("f", ("a", 1, 2.5, True))),
    ({"terms": {"f": [], "boost": 2}}, q.Terms("f", (), 2.0)),
    ({"terms": {"boost": [1]}}, q.Terms("boost", (1,))),
    ({"range": {"n": {"gte": 1, "lt": 5.5}}}, q.Range("n", gte=1, lt=5.5)),
    (
        {"range": {"n": {"gt": "a", "lte": "b", "boost": 2}}},
        q.Range("n", "a", None, None, "b", 2.0),
    ),
    ({"prefix": {"f": "ho"}}, q.Prefix("f", "ho")),
    ({"prefix": {"f": {"value": "ho", "boost": 2}}}, q.Prefix("f", "ho", 2.0)),
    ({"wildcard": {"f": "h*a"}}, q.Wildcard("f", "h*a")),
    ({"wildcard": {"f": {"wildcard": "h*a"}}}, q.Wildcard("f", "h*a")),
    ({"wildcard": {"f": {"value": "h?a"}}}, q.Wildcard("f", "h?a")),
    ({"regexp": {"f": "h.+a"}}, q.Regexp("f", "h.+a")),
    ({"regexp": {"f": {"value": "h.+a"}}}, q.Regexp("f", "h.+a")),
    ({"fuzzy": {"f": "hnda"}}, q.Fuzzy("f", "hnda")),
    (
        {
            "fuzzy": {
                "f": {"value": "h", "fuzziness": 1, "prefix_length": 1, "transpositions": False}
            }
        },
        q.Fuzzy("f", "h", 1, 1, transpositions=False),
    ),
    ({"exists": {"field": "f"}}, q.Exists("f")),
    ({"exists": {"field": "f", "boost": 2}}, q.Exists("f", 2.0)),
    ({"ids": {"values": ["1", ["s", 2, 1.5]]}}, q.Ids(("1", ("s", 2, 1.5)))),
    ({"bool": {}}, q.Bool()),
    (
        {
            "bool": {
                "must": TERM,
                "filter": [TERM],
                "should": [TERM, {"match_all": {}}],
                "must_not": TERM,
                "minimum_should_match": 1,
                "boost": 2,
            }
        },
        q.Bool((FORD,), (FORD,), (FORD, q.MatchAll()), (FORD,), 1, 2.0),
    ),
    ({"constant_score": {"filter": TERM, "boost": 2}}, q.ConstantScore(FORD, 2.0)),
    (
        {"dis_max": {"queries": [TERM, {"match_none": {}}], "tie_breaker": 0.5, "boost": 2}},
        q.DisMax((FORD, q.MatchNone()), 0.5, 2.0),
    ),
]


@pytest.mark.parametrize(("body", "node"), SHAPES)
def test_every_shape_has_its_node(body: dict[str, Any], node: q.Query) -> None:
    assert repr(parse_query(body)) == repr(node)
    assert hash(parse_query(orjson.loads(orjson.dumps(body)))) == hash(node)


def test_nodes_pass_through_wherever_a_query_may_stand() -> None:
    assert parse_query(FORD) is FORD
    assert parse_query({"bool": {"must": [FORD, TERM]}}) == q.Bool(must=(FORD, FORD))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC), "2024-02-29T12:00:00+00:00"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (ipaddress.IPv4Address("10.0.0.1"), "10.0.0.1"),
        (ipaddress.IPv6Address("::1"), "::1"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Kind.KEYWORD, "keyword"),
    ],
)
def test_what_json_has_not_becomes_its_text(value: Any, text: str) -> None:
    assert parse_query({"term": {"f": value}}) == q.Term("f", text)
    assert parse_query({"range": {"f": {"gt": value}}}) == q.Range("f", gt=text)
    assert parse_query({"terms": {"f": [value]}}) == q.Terms("f", (text,))


def test_a_date_in_a_key_stays_a_date_for_keys_differ_by_type() -> None:
    day = datetime.date(2024, 2, 29)
    parsed = parse_query({"ids": {"values": [["s", day, b"\0"], 5]}})
    assert parsed == q.Ids((("s", day, b"\0"), 5))


NESTED_RANGE: dict[str, Any] = {"bool": {"must": [TERM, {"range": {"price": {"gtt": 5}}}]}}
REFUSED: list[tuple[Any, str, str]] = [
    # the body, the path in the error, a part of the message or hint
    (None, "", "expected a query"),
    ([TERM], "", "a list"),
    ("text", "", "'text'"),
    ({}, "", "match_all"),
    ({"term": {"a": 1}, "match": {"a": "b"}}, "", "bool"),
    ({"mtach": {"a": "b"}}, "", "did you mean 'match'?"),
    ({"zzzzz": {"a": "b"}}, "", "multi_match"),
    ({5: {"a": "b"}}, "", "there is no query operator 5"),
    ({"match": {}}, "match", "no field"),
    ({"match": {"a": "b", "c": "d"}}, "match", "bool"),
    ({"match": "text"}, "match", "'text'"),
    ({"match": {"": "text"}}, "match", "the name of a field"),
    ({"match": {7: "text"}}, "match", "the name of a field"),
    ({"match": {"a": None}}, "match.a", "None"),
    ({"match": {"a": ["b"]}}, "match.a", "a list"),
    ({"match": {"a": {}}}, "match.a", "'query' is missing"),
    ({"match": {"a": {"query": "x", "operater": "and"}}}, "match.a", "'operator'"),
    ({"match": {"a": {"query": "x", "operator": "xor"}}}, "match.a.operator", "'or'"),
    ({"match": {"a": {"query": "x", "operator": 1}}}, "match.a.operator", "'and'"),
    ({"match": {"a": {"query": "x", "fuzziness": 3}}}, "match.a.fuzziness", "auto"),
    ({"match": {"a": {"query": "x", "fuzziness": True}}}, "match.a.fuzziness", "auto"),
    ({"match": {"a": {"query": "x", "fuzziness": [1]}}}, "match.a.fuzziness", "auto"),
    (
        {"match": {"a": {"query": "x", "minimum_should_match": "x"}}},
        "match.a.minimum_should_match",
        "75%",
    ),
    ({"match": {"a": {"query": "x", "boost": -1}}}, "match.a.boost", "from 0"),
    ({"match": {"a": {"query": "x", "boost": float("nan")}}}, "match.a.boost", "nan"),
    ({"match": {"a": {"query": "x", "boost": "2"}}}, "match.a.boost", "'2'"),
    ({"match": {"a": {"query": "x", "boost": 1e300}}}, "match.a.boost", "1e+300"),
    ({"match_phrase": {"a": {"query": "x", "slop": -1}}}, "match_phrase.a.slop", "whole number"),
    ({"match_phrase": {"a": {"query": "x", "slop": 2**40}}}, "match_phrase.a.slop", "whole"),
    ({"multi_match": {"query": "x"}}, "multi_match", "fields"),
    ({"multi_match": {"fields": ["a"]}}, "multi_match", "query"),
    ({"multi_match": {"query": "x", "fields": []}}, "multi_match.fields", "no field"),
    ({"multi_match": {"query": "x", "fields": {"a": 1}}}, "multi_match.fields", "a list"),
    ({"multi_match": {"query": "x", "fields": ["a", "b^x"]}}, "multi_match.fields[1]", "title^2"),
    ({"multi_match": {"query": "x", "fields": ["a^-1"]}}, "multi_match.fields[0]", "from 0"),
    ({"multi_match": {"query": "x", "fields": ["a^nan"]}}, "multi_match.fields[0]", "nan"),
    ({"multi_match": {"query": "x", "fields": ["^2"]}}, "multi_match.fields[0]", "field"),
    ({"multi_match": {"query": "x", "fields": ["a"], "type": "fields"}}, "multi_match.type", "_f"),
    ({"match_all": {"bost": 1}}, "match_all", "'boost'"),
    ({"match_all": []}, "match_all", "an object"),
    ({"match_none": {"boost": 1}}, "match_none", "boost"),
    ({"term": {"a": None}}, "term.a", "exists"),
    ({"term": {"a": ["b"]}}, "term.a", "terms"),
    ({"term": {"a": b"x"}}, "term.a", "text, a number"),
    ({"term": {"a": float("nan")}}, "term.a", "finite"),
    ({"term": {"a": 10**5000}}, "term.a", "bits"),
    ({"term": {"a": "\ud800"}}, "term.a", "surrogate"),
    ({"term": {"\ud800": "a"}}, "term", "surrogate"),
    ({"terms": {"a": "b"}}, "terms.a", "a list"),
    ({"terms": {"a": ["b", None]}}, "terms.a[1]", "None"),
    ({"terms": {"a": ["b"], "c": ["d"]}}, "terms", "one field"),
    ({"terms": {"a": ["b"], "boost": -1}}, "terms.boost", "from 0"),
    ({"terms": {"a": range(3)}}, "terms.a", "a list"),
    ({"terms": {"a": [0] * 70_000}}, "terms.a", "65,536"),
    (NESTED_RANGE, "bool.must[1].range.price", "'gt'"),
    ({"range": {"a": {}}}, "range.a", "exists"),
    ({"range": {"a": {"boost": 1}}}, "range.a", "without a bound"),
    ({"range": {"a": 5}}, "range.a", "an object"),
    ({"range": {"a": {"gt": 1, "gte": 1}}}, "range.a", "both gt and gte"),
    ({"range": {"a": {"gt": None}}}, "range.a.gt", "leave the bound out"),
    ({"range": {"a": {"gt": True}}}, "range.a.gt", "no order"),
    ({"range": {"a": {"lt": float("inf")}}}, "range.a.lt", "leave a bound out"),
    ({"prefix": {"a": 5}}, "prefix.a", "text"),
    ({"wildcard": {"a": {"value": "x", "wildcard": "y"}}}, "wildcard.a", "two names"),
    ({"regexp": {"a": {"value": "x", "flags": "ALL"}}}, "regexp.a", "flags"),
    ({"fuzzy": {"a": {"value": "x", "transpositions": 1}}}, "fuzzy.a.transpositions", "true"),
    ({"exists": {}}, "exists", "'field'"),
    ({"exists": {"field": 5}}, "exists.field", "the name of a field"),
    ({"exists": "a"}, "exists", "an object"),
    ({"ids": {"values": "x"}}, "ids.values", "a list"),
    ({"ids": {"values": [None]}}, "ids.values[0]", "one value"),
    ({"ids": {"values": [["a", ["b"]]]}}, "ids.values[0][1]", "one value"),
    ({"ids": {"values": [True]}}, "ids.values[0]", "a key"),
    ({"bool": []}, "bool", "an object"),
    ({"bool": {"mustnot": TERM}}, "bool", "'must_not'"),
    ({"bool": {"must": None}}, "bool.must", "a query"),
    ({"bool": {"must": [[TERM]]}}, "bool.must[0]", "a list"),
    ({"bool": {"must": {"tern": {}}}}, "bool.must", "'term'"),
    ({"bool": {"should": [TERM, {}]}}, "bool.should[1]", "empty"),
    ({"bool": {"minimum_should_match": 1.5}}, "bool.minimum_should_match", "75%"),
    ({"constant_score": {"boost": 1}}, "constant_score", "'filter'"),
    ({"constant_score": {"filter": [TERM]}}, "constant_score.filter", "a list"),
    ({"dis_max": {}}, "dis_max", "'queries'"),
    ({"dis_max": {"queries": [TERM], "tie_breaker": 2}}, "dis_max.tie_breaker", "0 to 1"),
]


@pytest.mark.parametrize(("body", "path", "part"), REFUSED)
def test_a_wrong_body_is_refused_with_its_path_and_a_hint(body: Any, path: str, part: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_query(body)
    error = caught.value
    assert error.data["path"] == path
    assert error.message.startswith(f"{path}: " if path else "")
    assert part in str(error)
    assert error.hint
    assert orjson.dumps(error.as_dict())


def _nested(levels: int) -> Any:
    body: Any = {"match_all": {}}
    for _ in range(levels - 1):
        body = {"bool": {"must": [body]}}
    return body


def test_depth_is_bounded_long_before_python_is() -> None:
    assert parse_query(_nested(32))
    with pytest.raises(InvalidQuery, match="32 clauses inside one another") as caught:
        parse_query(_nested(33))
    assert caught.value.data["path"].startswith("bool.must[0].bool.must[0]")
    with pytest.raises(InvalidQuery, match="inside one another"):
        parse_query(_nested(100_000))
    with pytest.raises(InvalidQuery, match="3 clauses inside one another"):
        parse_query(_nested(4), depth_max=3)


def test_a_body_that_holds_itself_is_refused() -> None:
    body: dict[str, Any] = {"bool": {}}
    body["bool"]["must"] = [body, body]
    with pytest.raises(InvalidQuery, match="inside one another"):
        parse_query(body)


def test_the_number_of_clauses_is_bounded() -> None:
    assert parse_query({"bool": {"should": [TERM] * 1023}})
    with pytest.raises(InvalidQuery, match="more than 1024 clauses") as caught:
        parse_query({"bool": {"should": [TERM] * 1024}})
    assert caught.value.data["path"] == "bool.should[1023]"
    with pytest.raises(InvalidQuery, match="more than 2 clauses"):
        parse_query({"bool": {"must": TERM, "filter": TERM}}, clauses_max=2)
    with pytest.raises(InvalidQuery, match="more than 2 clauses"):
        parse_query({"multi_match": {"query": "x", "fields": ["a", "b", "c"]}}, clauses_max=2)


def test_nodes_given_as_they_are_count_towards_the_bounds() -> None:
    deep: q.Query = FORD
    for wrap in range(40):
        deep = q.ConstantScore(deep) if wrap % 2 else q.DisMax((deep,))
    with pytest.raises(InvalidQuery, match="inside one another"):
        parse_query(deep)
    with pytest.raises(InvalidQuery, match="more than 1024 clauses"):
        parse_query({"bool": {"must": q.Bool(should=(FORD,) * 2000)}})


def test_an_error_is_short_and_printable_whatever_was_sent() -> None:
    name = "\ud800" + "x" * 1_000_000
    bodies: list[Any] = [{name: {}}, {"match": {"a": {name: 1}}}, {"term": {"a" * 10**6: None}}]
    for body in bodies:
        with pytest.raises(InvalidQuery) as caught:
            parse_query(body)
        assert len(str(caught.value)) < 1000
        assert str(caught.value).encode()


operators = st.sampled_from(
    ["match", "term", "terms", "range", "bool", "dis_max", "ids", "fuzzy", "multi_match", "exists"]
)
names = st.one_of(
    st.sampled_from(["f", "query", "value", "boost", "must", "filter", "fields", "queries", "gt"]),
    operators,
    st.text(max_size=3),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=2)
)
bodies = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(names, inner, max_size=3),
        st.dictionaries(operators, st.dictionaries(names, inner, max_size=2), max_size=1),
    ),
    max_leaves=12,
)


def _outcome(body: Any) -> q.Query | InvalidQuery:
    try:
        return parse_query(body)
    except InvalidQuery as error:
        return error


@settings(max_examples=300)
@given(bodies)
def test_any_body_becomes_a_hashable_node_or_is_refused_with_a_path(body: Any) -> None:
    outcome = _outcome(body)
    if isinstance(outcome, InvalidQuery):
        assert isinstance(outcome.data["path"], str)
        assert outcome.hint
        assert str(outcome).encode()
    else:
        assert {outcome}
