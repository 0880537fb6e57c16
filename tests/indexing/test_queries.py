"""Every kind of query against a real index, compared with a naive reading of the documents."""

import fnmatch
import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docstore import Collection, InvalidQuery, Store
from indexing import near

WORDS = ["ford", "kia", "bmw", "x5", "red", "Ford", "a b", "é", "\n", "", "*", "ab\x00c", "😀z"]
DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": f"{number:02d}",
        "s": WORDS[number % len(WORDS)],
        "i": number % 7 - 3,
        "f": (number % 5) / 2,
        "b": number % 2 == 0,
        "d": f"20{10 + number % 5}-01-0{1 + number % 3}T00:00:00Z",
        "a": f"10.0.{number % 3}.{number}",
        "l": [WORDS[number % 3], WORDS[(number + 4) % 7]] if number % 4 else [],
        "o": {"deep": number % 3} if number % 5 else None,
        "t": f"{WORDS[number % 5]} and {WORDS[(number + 1) % 5]} and more",
    }
    for number in range(60)
]
SCHEMA = {
    "fields": {
        "id": "string", "s": "string", "i": "int", "f": "float", "b": "bool", "d": "datetime",
        "a": "ip", "l": {"type": "keyword", "list": True}, "t": "text",
        "o": {"type": "object", "fields": {"deep": "int"}},
    }
}  # fmt: skip


@pytest.fixture(scope="module", params=["declared", "schemaless"])
def cars(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collection[dict[str, Any]]]:
    with Store.open(tmp_path_factory.mktemp("queries")) as store:
        schema = SCHEMA if request.param == "declared" else None
        cars = store.create_collection("cars", schema, partitions=3)
        assert cars.put_many(DOCUMENTS).errors == []
        cars.refresh()
        yield cars


def found(cars: Collection[dict[str, Any]], query: dict[str, Any]) -> list[str]:
    result = cars.search(query=query, limit=100)
    assert result.total == len(result.hits)
    return sorted(hit.key for hit in result.hits)


def expected(holds: Callable[[dict[str, Any]], bool]) -> list[str]:
    return [document["id"] for document in DOCUMENTS if holds(document)]


def holds(field: str, value: Any, document: dict[str, Any]) -> bool:
    return bool(document[field] == value)


CHECKED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
STRINGS = st.sampled_from(WORDS) | st.text(max_size=4).filter(str.isprintable)


@CHECKED
@given(value=STRINGS)
def test_terms_prefixes_and_wildcards(cars: Collection[dict[str, Any]], value: str) -> None:
    assert found(cars, {"term": {"s": value}}) == expected(lambda d: d["s"] == value)
    assert found(cars, {"term": {"l": value}}) == expected(lambda d: value in d["l"])
    assert found(cars, {"terms": {"s": [value, "kia"]}}) == expected(
        lambda d: d["s"] in (value, "kia")
    )
    assert found(cars, {"prefix": {"s": value}}) == expected(lambda d: d["s"].startswith(value))
    plain = re.sub(r"([\\*?])", r"\\\1", value)
    assert found(cars, {"wildcard": {"s": f"{plain}*"}}) == expected(
        lambda d: d["s"].startswith(value)
    )
    assert found(cars, {"regexp": {"s": f"{re.escape(value)}|x."}}) == expected(
        lambda d: d["s"] == value or fnmatch.fnmatchcase(d["s"], "x?")
    )


BOUNDS = st.tuples(STRINGS, STRINGS, st.booleans(), st.booleans())


@CHECKED
@given(bounds=BOUNDS)
def test_ranges_of_strings(
    cars: Collection[dict[str, Any]], bounds: tuple[str, str, bool, bool]
) -> None:
    low, high, low_in, high_in = bounds
    query = {"gte" if low_in else "gt": low, "lte" if high_in else "lt": high}
    assert found(cars, {"range": {"s": query}}) == expected(
        lambda d: (
            (d["s"] >= low if low_in else d["s"] > low)
            and (d["s"] <= high if high_in else d["s"] < high)
        )
    )


@CHECKED
@given(
    low=st.floats(-4, 4, allow_nan=False) | st.integers(-4, 4),
    high=st.floats(-4, 4, allow_nan=False) | st.integers(-4, 4),
    field=st.sampled_from(["i", "f"]),
)
def test_ranges_of_numbers_with_any_bounds(
    cars: Collection[dict[str, Any]], low: float, high: float, field: str
) -> None:
    for lower, upper in itertools.product(("gt", "gte"), ("lt", "lte")):
        query = {lower: low, upper: high}
        assert found(cars, {"range": {field: query}}) == expected(
            lambda d, lower=lower, upper=upper: (  # type: ignore[misc]  # bound in the loop
                (d[field] > low if lower == "gt" else d[field] >= low)
                and (d[field] < high if upper == "lt" else d[field] <= high)
            )
        )


@CHECKED
@given(
    parts=st.lists(
        st.sampled_from([("s", "ford"), ("s", "kia"), ("i", 0), ("i", 2), ("b", True), ("f", 1.5)]),
        min_size=3,
        max_size=6,
    ),
    minimum=st.integers(0, 3),
)
def test_boolean_combinations(
    cars: Collection[dict[str, Any]], parts: list[tuple[str, Any]], minimum: int
) -> None:
    terms = [{"term": {field: value}} for field, value in parts]
    must, must_not, *should = terms
    held = [partial(holds, field, value) for field, value in parts]
    query = {"bool": {"must": must, "must_not": must_not, "should": should,
                      "minimum_should_match": minimum}}  # fmt: skip
    least = min(minimum, len(should))
    assert found(cars, query) == expected(
        lambda d: held[0](d) and not held[1](d) and sum(each(d) for each in held[2:]) >= least
    )
    assert found(cars, {"dis_max": {"queries": terms}}) == expected(
        lambda d: any(each(d) for each in held)
    )
    assert found(cars, {"constant_score": {"filter": must}}) == expected(held[0])


def test_words_and_phrases(cars: Collection[dict[str, Any]]) -> None:
    def words(document: dict[str, Any]) -> list[str]:
        return re.findall(r"\w+", document["t"].lower())

    def pairs(document: dict[str, Any]) -> list[tuple[str, str]]:
        return list(itertools.pairwise(words(document)))

    assert found(cars, {"match": {"t": "KIA bmw"}}) == expected(
        lambda d: bool({"kia", "bmw"} & set(words(d)))
    )
    assert found(cars, {"match": {"t": {"query": "kia bmw", "operator": "and"}}}) == expected(
        lambda d: {"kia", "bmw"} <= set(words(d))
    )
    assert found(cars, {"match_phrase": {"t": "kia and"}}) == expected(
        lambda d: ("kia", "and") in pairs(d)
    )
    assert found(cars, {"match_phrase": {"t": {"query": "kia bmw", "slop": 1}}}) == expected(
        lambda d: "kia and bmw" in " ".join(words(d))
    )
    assert found(cars, {"match_phrase_prefix": {"t": "kia a"}}) == expected(
        lambda d: ("kia", "and") in pairs(d)
    )
    assert found(cars, {"match": {"t": {"query": "kja", "fuzziness": 1}}}) == expected(
        lambda d: "kia" in words(d)
    )
    assert found(cars, {"fuzzy": {"t": {"value": "frod", "fuzziness": 1}}}) == expected(
        lambda d: "ford" in words(d)
    )
    assert found(cars, {"multi_match": {"fields": ["t", "s^2"], "query": "kia"}}) == expected(
        lambda d: "kia" in words(d) or d["s"] == "kia"
    )


@pytest.mark.parametrize(
    "query",
    [
        {"fuzzy": {"t": {"value": "a" * 100_000, "fuzziness": 0}}},
        {"match": {"t": {"query": " ".join(map(str, range(1000, 1030))), "fuzziness": 2}}},
        {
            "bool": {
                "should": [{"fuzzy": {"s": "abcdefgh" * 10}}, {"fuzzy": {"t": "abcdefgh" * 10}}]
            }
        },
    ],
)
def test_near_words_take_bounded_memory(
    cars: Collection[dict[str, Any]], query: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "NEAR_LETTERS_MAX", 100)
    often = {"match": {"t": {"query": "abcdefgh " * 100, "fuzziness": 2}}}
    assert found(cars, often) == []  # a word said again is looked for once
    with pytest.raises(InvalidQuery, match="more than 100 letters") as refused:
        found(cars, query)
    assert refused.value.data["path"] in {"s", "t"}


def test_presence_keys_and_everything(cars: Collection[dict[str, Any]]) -> None:
    assert found(cars, {"exists": {"field": "o"}}) == expected(lambda d: d["o"] is not None)
    assert found(cars, {"exists": {"field": "t"}}) == expected(lambda _: True)
    assert found(cars, {"exists": {"field": "l"}}) == expected(lambda d: bool(d["l"]))
    assert found(cars, {"ids": {"values": ["03", "77", "00"]}}) == ["00", "03"]
    assert found(cars, {"match_all": {}}) == expected(lambda _: True)
    assert found(cars, {"match_none": {}}) == []
    assert cars.count(filter={"o": {"deep": 2}}) == len(
        expected(lambda d: d["o"] is not None and d["o"]["deep"] == 2)
    )


def test_dates_and_addresses_of_a_declared_schema(cars: Collection[dict[str, Any]]) -> None:
    if cars.schema.dynamic == "index":
        # Without a schema they are strings, and ISO dates in one zone sort as such.
        assert cars.count(filter={"d": {"gte": "2013"}}) == len(
            expected(lambda d: d["d"] >= "2013")
        )
        return
    assert cars.count(filter={"d": {"gte": "2013-01-01", "lt": "2014-01-01T00:00:00Z"}}) == len(
        expected(lambda d: d["d"].startswith("2013"))
    )
    assert cars.count(filter={"a": "10.0.1.0/24"}) == len(
        expected(lambda d: d["a"].startswith("10.0.1."))
    )
    assert cars.count(filter={"a": {"gte": "10.0.1.0", "lte": "10.0.1.255"}}) == 20
    by_address = [hit.key for hit in cars.search(sort="a", limit=60).hits]
    assert by_address == sorted(
        (d["id"] for d in DOCUMENTS), key=lambda key: (int(key) % 3, int(key))
    )
