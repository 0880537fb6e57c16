"""Floats are found by the very value that a document holds, whatever their digits."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import tantivy
from hypothesis import given
from hypothesis import strategies as st

from indexing.flatten import Flattener
from indexing.floats import survives
from indexing.layout import Layout
from indexing.query import Exists, Match, MatchPhrase, Prefix, Query, Range, Term
from indexing.schema import Schema
from tests.indexing.built_index import build, found, key_of

HARD = [2.2273938253220574e-250, 0.1 + 0.7 * 3, 5e-324, 1.7976931348623157e308, 9007199254740993.0]
HARD += [67.13700000000001, 1e16, 1.2345678901234567e-5, 4.35 * 100]
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def _read_back(numbers: list[float]) -> list[float]:
    """What Tantivy makes of numbers in JSON."""
    builder = tantivy.SchemaBuilder()
    builder.add_float_field("x", stored=True)
    index = tantivy.Index(builder.build())
    writer = index.writer(15_000_000, 1)
    writer.add_json(orjson.dumps({"x": numbers}).decode())
    writer.commit()
    index.reload()
    searcher = index.searcher()
    ((_, address),) = searcher.search(tantivy.Query.all_query(), 1).hits
    return list(searcher.doc(address)["x"])


@given(st.lists(FINITE, min_size=1, max_size=200))
def test_what_survives_is_read_back_as_it_is(numbers: list[float]) -> None:
    surviving = [number for number in numbers if survives(number)]
    if surviving:
        assert _read_back(surviving) == surviving


def test_few_floats_do_not_survive_and_no_plain_decimal() -> None:
    assert all(survives(cents / 100) for cents in range(0, 10_000_000, 997))
    assert all(survives(float(whole)) for whole in range(0, 10**12, 10**9 + 7))
    assert not survives(2.2273938253220574e-250)
    assert _read_back([2.2273938253220574e-250]) != [2.2273938253220574e-250]


@pytest.mark.parametrize("number", [*HARD, *(-number for number in HARD)])
@pytest.mark.parametrize("dynamic", ["index", "strict"])
def test_a_float_is_found_by_its_value(tmp_path: Path, number: float, dynamic: str) -> None:
    fields = {} if dynamic == "index" else {"x": "float"}
    schema = Schema.from_json({"fields": fields, "dynamic": dynamic})
    view = build(tmp_path / "index", schema, [{"x": 1.5}, {"x": number}]).view()
    assert found(view, Term("x", number)) == ["001"]
    assert found(view, Range("x", gte=number, lte=number)) == ["001"]
    assert found(view, Range("x", gt=number, lt=number)) == []


FIELDS = {
    "name": "string",
    "text": "text",
    "tags": {"type": "keyword", "list": True},
    "count": "int",
    "sold": "bool",
    "at": "datetime",
    "host": "ip",
    "price": {"type": "float", "list": True},
}
DOCUMENT: dict[str, Any] = {
    "name": "Red car",
    "text": "the quick fox",
    "tags": ["new", "fast"],
    "count": -5,
    "sold": False,
    "at": "2024-01-01T00:00:00Z",
    "host": "10.0.0.1",
    "free": "word",
    "other": {"number": 7},
}
QUERIES: list[Query] = [
    Term("name", "Red car"),
    Match("name", "red"),
    MatchPhrase("text", "quick fox"),
    Term("tags", "fast"),
    Term("count", -5),
    Range("count", gte=-6, lt=0),
    Term("sold", False),
    Range("at", gte="2023-12-31", lte="2024-01-01"),
    Term("host", "10.0.0.1"),
    Match("free", "word"),
    Prefix("free", "wo"),
    Term("other.number", 7),
    Exists("price"),
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_other_fields_of_such_a_document_are_found_too(tmp_path: Path, query: Query) -> None:
    schema = Schema.from_json({"fields": FIELDS, "dynamic": "index"})
    documents = [{**DOCUMENT, "price": [1.5]}, {**DOCUMENT, "price": [1.5, HARD[0]]}]
    layout = Layout(schema)
    while True:
        flattener = Flattener(layout)
        lines = [flattener.line(key_of(0), 0, document) for document in documents]
        if not flattener.found:
            break
        layout = layout.grown(flattener.found)
    assert [type(line) for line in lines] == [str, dict]
    view = build(tmp_path / "index", schema, documents).view()
    assert found(view, query) == ["000", "001"]
