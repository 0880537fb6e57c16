"""Facets and histograms are what counting the documents one by one gives, over any partitions."""

import datetime
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore import Collection, Histogram, InvalidQuery, Schema, Store
from indexing.values import address_order

PARTITIONS = (1, 2, 16)
Messy = Collection[dict[str, Any]]
SCHEMA = Schema.from_json(
    {
        "fields": {
            "id": "keyword",
            "name": "string",
            "tags": {"type": "keyword", "list": True},
            "count": {"type": "int", "list": True},
            "size": {"type": "float", "list": True},
            "sold": "bool",
            "at": "datetime",
            "from": "ip",
            "words": "text",
            "part": {"type": "object", "fields": {"kind": "keyword"}},
        },
        "dynamic": "index",
    }
)
NAMES = ["Ford", "ford", "Škoda", "", "a b", "x<y>&", "日本"]
NUMBERS = [0, 1, 1.0, -1, 2, 2.5, -2.5, 7, 7.0, 10**6, 2**53 + 1, -(2**63), 2**63 - 1, 0.1, 1e9]


def _document(number: int, pick: random.Random) -> dict[str, Any]:
    def some(values: list[Any]) -> Any:
        return pick.choice([None, pick.choice(values), pick.choices(values, k=pick.randrange(4))])

    def listed(values: list[Any]) -> Any:
        return pick.choices(values, k=pick.randrange(4))

    integers = [each for each in NUMBERS if isinstance(each, int)]
    moment = datetime.datetime(2019, 11, 30, tzinfo=datetime.UTC) + datetime.timedelta(
        days=pick.randrange(500), microseconds=pick.randrange(10**6)
    )
    document = {
        "id": f"d{number:04}",
        "name": pick.choice(NAMES),
        "tags": pick.choices(NAMES, k=pick.randrange(5)),
        "count": listed(integers),
        "size": listed([float(each) for each in NUMBERS]),
        "sold": pick.choice([True, False, None]),
        "at": moment.isoformat(),
        "from": pick.choice(["10.0.0.1", "::1", "::ffff:10.0.0.1", None]),
        "words": "some words",
        "part": pick.choice([None, {"kind": "new"}, {"kind": "old"}]),
        "mixed": some([*NUMBERS, True, False, "1", "true", *NAMES]),
        "numbers": some(NUMBERS),
    }
    return {name: value for name, value in document.items() if value is not None}


_PICK = random.Random(7)
DOCUMENTS = [_document(number, _PICK) for number in range(260)]
COUNTED = ["name", "tags", "count", "size", "sold", "from", "part.kind", "mixed", "numbers"]
DRAWN = ["count", "size", "mixed", "numbers"]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Messy]]:
    with Store.open(tmp_path_factory.mktemp("counting")) as store:
        made: list[Messy] = []
        for partitions in PARTITIONS:
            messy = store.create_collection(f"messy{partitions}", SCHEMA, partitions=partitions)
            # Segments hold older versions and documents that are gone.
            messy.put_many({**each, "name": "older", "mixed": [3]} for each in DOCUMENTS[::3])
            messy.put({"id": "gone", "name": "gone", "mixed": "gone"})
            messy.refresh()
            assert not messy.put_many(DOCUMENTS).errors
            messy.delete("gone")
            made.append(messy)
        yield made


def _values(document: dict[str, Any], path: str) -> set[tuple[str, Any]]:
    """The different values of a field, each with its kind: 1 and 1.0 are one, True is another."""
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    listed = value if isinstance(value, list) else [value]
    kinds = {bool: "bool", int: "number", float: "number", str: "string"}
    shown = {"::ffff:10.0.0.1": "10.0.0.1"}
    return {(kinds[type(each)], shown.get(each, each)) for each in listed if each is not None}


def _facet(documents: Iterable[dict[str, Any]], path: str, size: int) -> list[tuple[Any, int]]:
    counts = Counter(value for each in documents for value in _values(each, path))

    def order(item: tuple[tuple[str, Any], int]) -> tuple[Any, ...]:
        (kind, value), documents = item
        # Addresses come in their own order, not in that of their text.
        return -documents, kind, address_order(value) if path == "from" else value

    return [
        (value, documents) for (_, value), documents in sorted(counts.items(), key=order)[:size]
    ]


def _typed(counts: Iterable[tuple[Any, int]]) -> list[tuple[bool, Any, int]]:
    return [(isinstance(value, bool), value, documents) for value, documents in counts]


FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({}, lambda _: True),
    ({"name": "Ford"}, lambda each: each["name"] == "Ford"),
    ({"sold": None}, lambda each: "sold" not in each),
    ({"tags": ["ford", ""]}, lambda each: bool({"ford", ""} & set(each["tags"]))),
    ({"part": {"kind": "new"}}, lambda each: each.get("part") == {"kind": "new"}),
    ({"not": {"name": "ford"}}, lambda each: each["name"] != "ford"),
    (
        {"or": [{"name": "Ford"}, {"sold": True}]},
        lambda each: each["name"] == "Ford" or each.get("sold") is True,
    ),
    ({"count": {"gte": 1, "lt": 8}}, lambda each: _has_between(each, "count", 1, 8)),
]
OWN = {1: "name", 2: "sold", 3: "tags", 4: "part.kind", 5: "name", 7: "count"}
"""The field that each filter is about."""


def _has_between(document: dict[str, Any], path: str, low: float, high: float) -> bool:
    numbers = [value for kind, value in _values(document, path) if kind == "number"]
    return any(low <= value < high for value in numbers)


@given(
    chosen=st.sets(st.integers(0, len(FILTERS) - 1), max_size=3),
    paths=st.lists(st.sampled_from(COUNTED), min_size=1, max_size=4, unique=True),
    size=st.integers(1, 30),
    limit=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_facets_are_counted_exactly_whatever_the_number_of_partitions(
    collections: list[Messy], chosen: set[int], paths: list[str], size: int, limit: int
) -> None:
    short_filter = {"and": [FILTERS[each][0] for each in chosen]} if chosen else None
    answers = [
        messy.search(filter=short_filter, facets=dict.fromkeys(paths, size), limit=limit)
        for messy in collections
    ]
    matching = [each for each in DOCUMENTS if all(FILTERS[one][1](each) for one in chosen)]
    for answer in answers:
        assert answer.total == len(matching)
        assert list(answer.facets) == paths
        for path in paths:
            others = [one for one in chosen if OWN.get(one) != path]
            counted = [each for each in DOCUMENTS if all(FILTERS[one][1](each) for one in others)]
            assert _typed(answer.facets[path]) == _typed(_facet(counted, path, size))


def _drawn(histogram: Histogram, path: str) -> list[int]:
    return [
        sum(_has_between(each, path, low, high) for each in DOCUMENTS)
        for low, high, _ in histogram.buckets
    ]


@given(
    path=st.sampled_from(DRAWN),
    interval=st.sampled_from([0.1, 0.3, 0.5, 1, 2.5, 7, 100]),
    low=st.integers(-20, 5),
    width=st.integers(0, 30),
)
@settings(max_examples=60, deadline=None)
def test_buckets_of_an_interval_hold_what_a_filter_finds(
    collections: list[Messy], path: str, interval: float, low: int, width: int
) -> None:
    asked = {path: {"interval": interval, "min": low, "max": low + width}}
    one, *others = [messy.search(histograms=asked, limit=0).histograms for messy in collections]
    assert [one] * len(others) == others
    buckets = one[path].buckets
    assert buckets[0].low <= low < buckets[0].high
    assert buckets[-1].low <= low + width < buckets[-1].high
    assert all(before.high == after.low for before, after in pairwise(buckets))
    assert [each.documents for each in buckets] == _drawn(one[path], path)


@pytest.mark.parametrize("path", DRAWN)
@pytest.mark.parametrize("buckets", [2, 3, 20, 1000])
def test_a_number_of_buckets_is_not_exceeded_and_holds_everything(
    collections: list[Messy], path: str, buckets: int
) -> None:
    one, *others = [
        messy.search(histograms={path: buckets}, limit=0).histograms[path] for messy in collections
    ]
    assert [one] * len(others) == others
    assert 1 <= len(one.buckets) <= buckets
    assert [each.documents for each in one.buckets] == _drawn(one, path)
    numbers = [value for each in DOCUMENTS for kind, value in _values(each, path) if kind[0] == "n"]
    assert one.buckets[0].low <= min(numbers)
    assert max(numbers) < one.buckets[-1].high or math.isclose(max(numbers), one.buckets[-1].high)


@pytest.mark.parametrize("unit", ["year", "quarter", "month", "week", "day", None])
def test_dates_are_drawn_by_the_calendar(collections: list[Messy], unit: str | None) -> None:
    asked = {"at": {"interval": unit} if unit else {"buckets": 20}}
    one, *others = [messy.search(histograms=asked, limit=0).histograms for messy in collections]
    assert [one] * len(others) == others
    moments = [datetime.datetime.fromisoformat(each["at"]) for each in DOCUMENTS]
    edges = [
        (datetime.datetime.fromisoformat(low), datetime.datetime.fromisoformat(high), documents)
        for low, high, documents in one["at"].buckets
    ]
    for low, high, documents in edges:
        assert documents == sum(low <= moment < high for moment in moments)
        if unit == "month":
            assert low.day == 1
            assert (high - datetime.timedelta(days=1)).month == low.month
        if unit == "week":
            assert low.weekday() == 0
    assert sum(documents for *_, documents in edges) == len(DOCUMENTS)


def test_the_field_that_is_partitioned_by_shows_its_other_values(store: Store) -> None:
    for partitions in (1, 8):
        sellers = store.create_collection(f"by{partitions}", key="seller", partitions=partitions)
        sellers.put_many([{"seller": f"s{number}", "kind": "dealer"} for number in range(20)])
        found = sellers.search(filter={"seller": "s3"}, facets={"seller": 30, "kind": 5})
        assert [hit.key for hit in found.hits] == ["s3"]
        assert len(found.facets["seller"]) == 20
        assert found.facets["kind"] == [("dealer", 1)]


def test_values_that_are_frequent_in_no_shard_are_found_when_frequent_in_all(store: Store) -> None:
    scattered = store.create_collection("scattered", partitions=16)
    # Each of 3,000 values comes once, and "rare" 40 times: at first few shards have room to say so.
    documents = [{"id": f"{number}", "value": f"v{number:05}"} for number in range(3000)]
    documents += [{"id": f"r{number}", "value": "zz"} for number in range(2)]
    scattered.put_many(documents)
    found = scattered.search(facets={"value": 3}, limit=0).facets["value"]
    assert found == [("zz", 2), ("v00000", 1), ("v00001", 1)]


def test_a_field_that_no_document_has_is_counted_as_nothing(collections: list[Messy]) -> None:
    found = collections[1].search(facets=["nowhere"], histograms=["nowhere2"])
    assert found.facets == {"nowhere": []}
    assert found.histograms == {"nowhere2": Histogram(None, ())}
    assert any("nowhere" in note for note in found.plan.notes)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"facets": {"name": 0}}, "facets.name"),
    ({"facets": {"name": 1_000_000}}, "facets.name"),
    ({"facets": {"name": True}}, "facets.name"),
    ({"facets": {"name": {"size": -1}}}, "facets.name.size"),
    ({"facets": {"name": {"sice": 1}}}, "facets.name"),
    ({"facets": {"words": 3}}, "words"),
    ({"facets": 7}, "facets"),
    ({"facets": {"": 7}}, "facets"),
    ({"facets": [f"f{number}" for number in range(100)]}, "facets"),
    ({"histograms": {"name": 10}}, "name"),
    ({"histograms": {"count": 1}}, "histograms.count"),
    ({"histograms": {"count": 10**9}}, "histograms.count"),
    ({"histograms": {"count": {"interval": 0}}}, "histograms.count.interval"),
    ({"histograms": {"count": {"interval": -5}}}, "histograms.count.interval"),
    ({"histograms": {"count": {"interval": math.nan}}}, "histograms.count.interval"),
    ({"histograms": {"count": {"interval": math.inf}}}, "histograms.count.interval"),
    ({"histograms": {"count": {"interval": 1}}}, "histograms.count"),
    ({"histograms": {"count": {"interval": "month"}}}, "histograms.count"),
    ({"histograms": {"count": {"interval": "moon"}}}, "histograms.count.interval"),
    ({"histograms": {"at": {"interval": 5}}}, "histograms.at"),
    ({"histograms": {"at": {"interval": "second"}}}, "histograms.at"),
    ({"histograms": {"at": {"min": "then"}}}, "histograms.at"),
    ({"histograms": {"count": {"min": 5, "max": 1}}}, "histograms.count"),
    ({"histograms": {"count": {"min": math.nan}}}, "histograms.count.min"),
    ({"histograms": {"count": {"interval": 5, "buckets": 5}}}, "histograms.count"),
    ({"highlight": 7}, "highlight"),
    ({"highlight": ["count"]}, "highlight"),
]


@pytest.mark.parametrize(("asked", "path"), BAD, ids=str)
def test_what_cannot_be_counted_is_refused_with_its_place(
    collections: list[Messy], asked: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidQuery) as refused:
        collections[1].search(**asked)
    assert refused.value.data["path"] == path
    assert refused.value.hint


def test_an_unknown_field_of_a_strict_schema_is_refused(store: Store) -> None:
    strict = store.create_collection(
        "strict", Schema.from_json({"fields": {"id": "keyword", "make": "keyword"}})
    )
    for name in ("facets", "histograms", "highlight"):
        asked: dict[str, Any] = {name: ["mak"]}
        with pytest.raises(InvalidQuery, match="did you mean 'make'"):
            strict.search(**asked)
