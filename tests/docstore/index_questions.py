"""What may be asked of a collection with global indexes, and answers held against each other."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from docstore import Collection, GlobalIndex, InvalidQuery, SearchResult

Cars = Collection[dict[str, Any]]

INDEXES = [
    GlobalIndex("color", include=["make", "price", "sold"]),
    GlobalIndex("price", include=["color"], by="range", partitions=3),
    GlobalIndex(["make", "price"], include=["color"], partitions=2),
    GlobalIndex("make", include="all", name="whole"),
    GlobalIndex("note", include=["price", "color", "sold"], name="words", partitions=3),
]
NAMES = [index.name for index in INDEXES]
SCHEMA = {
    "fields": {
        "id": "keyword",
        "color": "string",
        "make": {"type": "keyword", "list": True},
        "price": "float",
        "sold": "datetime",
        "used": "bool",
        "seller": {"type": "object", "fields": {"city": "keyword", "rank": "int"}},
        "note": {"type": "text", "list": True},
    }
}
STRINGS = st.sampled_from(["", "red", "Red", "blue", "7", "é", "r\0", "r" * 300, "r" * 9000])
NUMBERS = st.integers(-3, 9) | st.floats(-3, 9) | st.sampled_from([2**53 + 1, -0.0, 7.0])
DATES = st.sampled_from(
    ["2024-01-01T00:00:00Z", "2024-01-01T02:00:00+03:00", "2025-06-01T12:00:00"]
)
SCALARS = STRINGS | NUMBERS | st.booleans()
NESTED = st.recursive(SCALARS | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=5)

TEXTS = st.sampled_from(["", "red car", "Red RED cars", "blue car é", "car", "r\0 red", "x" * 9000])

WILD = st.fixed_dictionaries(
    {},
    optional={
        "color": NESTED,
        "make": NESTED,
        "price": NESTED,
        "sold": NESTED,
        "used": NESTED,
        "seller": st.fixed_dictionaries({}, optional={"city": NESTED, "rank": NESTED})
        | st.lists(st.fixed_dictionaries({"city": NESTED}), max_size=2),
    },
)
TAME = st.fixed_dictionaries(
    {},
    optional={
        "color": STRINGS | st.none(),
        "make": st.lists(STRINGS, max_size=3) | st.none(),
        "price": NUMBERS | st.none(),
        "sold": DATES,
        "used": st.booleans(),
        "seller": st.fixed_dictionaries({}, optional={"city": STRINGS, "rank": st.integers(0, 5)}),
        "note": st.lists(TEXTS, max_size=3),
    },
)

BOUNDS = st.fixed_dictionaries(
    {}, optional={"gte": NUMBERS | STRINGS, "lt": NUMBERS | STRINGS}
).filter(bool)
ASKED = (
    SCALARS
    | DATES
    | st.lists(SCALARS, min_size=1, max_size=3)
    | BOUNDS
    | st.fixed_dictionaries({"prefix": st.sampled_from(["", "r", "re", "é"])})
    | st.fixed_dictionaries({"ne": SCALARS})
    | st.fixed_dictionaries({"exists": st.booleans()})
)
FIELD = st.sampled_from(["color", "make", "price", "sold", "used", "seller.city", "seller.rank"])
CONDITIONS = st.dictionaries(FIELD, ASKED, min_size=1, max_size=3)
FILTERS: st.SearchStrategy[dict[str, Any]] = CONDITIONS | st.builds(
    lambda one, two, three: {**one, "not": two, "or": [two, three]},
    CONDITIONS,
    CONDITIONS,
    CONDITIONS,
)
SORTS = st.none() | st.sampled_from(
    ["price", "-price", "color", "-color", "make", "-make", "sold", "-used", "seller.city", "id"]
)
WORDS = st.sampled_from(["red", "car", "Red car", "blue red car", "red red", "x" * 300, "é"])
MATCHES: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda field, words, more: {"match": {field: {"query": words, **more}}},
    st.sampled_from(["note", "note", "note", "color", "seller.city"]),
    WORDS,
    st.sampled_from([{}, {"operator": "and"}, {"operator": "and"}, {"minimum_should_match": 2}]),
) | st.sampled_from(
    [
        {"term": {"note": "red"}},
        {"terms": {"note": ["red", "blue"]}},
        {"match_phrase": {"note": "red"}},
        {"match_phrase": {"note": "red car"}},
        {"match": {"note": {"query": "rde car", "fuzziness": 1}}},
        {"prefix": {"note": "re"}},
        {"exists": {"field": "note"}},
    ]
)
QUERIES = (
    st.none()
    | st.none()
    | MATCHES
    | st.builds(lambda each: {"bool": {"filter": [each]}}, MATCHES)
    | st.builds(
        lambda one, two, three: {"bool": {"must": [one, two], "must_not": [three]}},
        MATCHES,
        MATCHES,
        MATCHES,
    )
    | st.builds(lambda each: {"constant_score": {"filter": each}}, MATCHES)
)
BUCKETS: st.SearchStrategy[dict[str, Any] | None] = st.none() | st.sampled_from(
    [
        {"price": 5},
        {"sold": {"interval": "month"}, "price": {"interval": 2, "min": 0, "max": 5}},
        {"seller.rank": {"interval": 1}, "sold": 4},
    ]
)
SEARCH = st.fixed_dictionaries(
    {
        "q": st.none() | st.none() | st.sampled_from(["note:red", "note:(car", "color:red car"]),
        "filter": st.none() | FILTERS | FILTERS,
        "query": QUERIES,
        "sort": SORTS,
        "limit": st.sampled_from([1, 3, 20]),
        "offset": st.sampled_from([0, 0, 2]),
        "select": st.sampled_from([None, ("color",), ("make", "price"), ("price", "sold")]),
        "facets": st.none() | st.sampled_from([("color",), ("price", "make", "sold", "used")]),
        "histograms": BUCKETS,
    }
)
STEP = st.sampled_from(["put", "put", "put", "delete", "search", "search", "catch up"])


def answer(result: SearchResult[Any]) -> tuple[Any, ...]:
    """What a caller sees of an answer, in a form that tells 1 from True and 7 from 7.0."""
    hits = [(hit.key, hit.score, repr(hit.sort), repr(hit.document)) for hit in result.hits]
    versions = [hit.version for hit in result.hits]
    facets = {path: repr(list(map(tuple, values))) for path, values in result.facets.items()}
    return result.total, hits, versions, facets, dict(result.histograms)


def check_equal(cars: Cars, asked: dict[str, Any], names: Sequence[str] = NAMES) -> set[str]:
    """The names of the indexes that could answer, all of which answered as the shards do."""
    try:
        expected = answer(cars.search(**asked, index=None))
    except InvalidQuery as refused:
        with pytest.raises(InvalidQuery) as again:
            cars.search(**asked)
        assert again.value.message == refused.message  # noqa: PT017  two refusals are compared
        return set()
    assert answer(cars.search(**asked)) == expected
    how = "and" if asked.get("sort") else "or"
    question = asked.get("filter"), asked.get("query"), asked.get("q")
    assert cars.count(*question, operator=how) == expected[0]
    able = set()
    for name in names:
        try:
            result = cars.search(**asked, index=name)
        except InvalidQuery as refused:
            assert name in str(refused)  # noqa: PT017  whether it can is not known before
            continue
        assert answer(result) == expected
        assert name in {use.index for use in result.indexes}
        able.add(name)
    return able
