"""A document's line for the index: every value in the columns of its path, nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.flatten import VALUE_GAP, Flattener, kind_of
from indexing.freetext import parse_text
from indexing.layout import KEYWORD_BYTES_MAX, PRESENT, ColumnKind, Layout
from indexing.query import MatchPhrase
from indexing.schema import Kind, Schema
from tests.indexing.built_index import build, found, held_in, key_of, lines_of


def flat(definition: Any, document: dict[str, Any]) -> dict[str, list[Any]]:
    """What the line of a document holds, as `path:kind` to a list of values."""
    layout, (line,) = lines_of(Schema.from_json(definition), [document])
    held = held_in(line)
    names = {column.name: f"{column.path}:{column.kind.name.lower()}" for column in layout.columns}
    return {
        names[name]: (value[::VALUE_GAP] if names[name].endswith(":text") else value)
        if isinstance(value, list)
        else [value]
        for name, value in held.items()
        if name in names
    }


def typed(kind: str, value: Any, *, many: bool = False) -> dict[str, list[Any]]:
    return flat({"fields": {"x": {"type": kind, "list": many}}}, {"x": value})


def test_a_string_is_words_and_a_whole_value() -> None:
    assert typed("string", "Ford F-150") == {"x:text": ["Ford F-150"], "x:keyword": ["Ford F-150"]}
    assert typed("text", "Ford") == {"x:text": ["Ford"]}
    assert typed("keyword", "Ford") == {"x:keyword": ["Ford"]}


@pytest.mark.parametrize(
    ("kind", "value", "column", "stored"),
    [
        ("int", -(2**63), "x:int", -(2**63)),
        ("int", 2**63 - 1, "x:int", 2**63 - 1),
        ("float", 3, "x:float", 3.0),
        ("float", -0.0, "x:float", 0.0),
        ("bool", False, "x:bool", False),
        ("datetime", "1970-01-01T00:00:01Z", "x:datetime", 1_000_000),
    ],
)
def test_typed_values_go_to_their_column(kind: str, value: Any, column: str, stored: Any) -> None:
    ((name, held),) = typed(kind, value).items()
    assert (name, held) == (column, [stored])
    assert str(held[0]) == str(stored)  # -0.0 and 0.0 are equal, and must not be told apart


def test_an_address_is_stored_to_search_and_to_sort() -> None:
    assert typed("ip", "10.0.0.1") == {
        "x:ip": ["::ffff:a00:1"],
        "x:ip_order": ["00000000000000000000ffff0a000001"],
    }


def test_lists_put_all_values_into_the_column_and_nulls_leave_no_trace() -> None:
    assert typed("int", [3, None, 1, 3], many=True) == {"x:int": [3, 1, 3]}
    assert typed("int", [], many=True) == {}
    assert typed("int", [None], many=True) == {}
    assert typed("string", None) == {}


def test_lists_of_lists_are_as_flat_as_lists() -> None:
    assert typed("float", [[1, 2], [3, [4]], []], many=True) == {"x:float": [1.0, 2.0, 3.0, 4.0]}
    assert typed("keyword", [["a"], ["b", None]], many=True) == {"x:keyword": ["a", "b"]}
    assert flat({}, {"x": [["a"], [1, [True]]]}) == {
        "x:text": ["a"], "x:keyword": ["a"], "x:int": [1], "x:bool": [True],
    }  # fmt: skip


def test_discovered_names_are_told_from_paths_and_whole_numbers_from_those_beyond_64_bits() -> None:
    assert flat({}, {"a.b": "x", "a": {"b": "y"}, "n": 2**63, "m": 2**63 - 1}) == {
        "a.b:text": ["x", "y"], "a.b:keyword": ["x", "y"],
        "n:float": [2.0**63], "m:int": [2**63 - 1],
    }  # fmt: skip
    layout, lines = lines_of(Schema.from_json({}), [{"n": 7}, {"n": 2**63}, {"n": "seven"}])
    assert [kind for path, kind in layout.discovered] == [Kind.FLOAT, Kind.INT, Kind.STRING]
    assert all(len(held_in(line)) > 4 for line in lines)


SELLERS = {
    "fields": {
        "sellers": {
            "type": "object",
            "list": True,
            "fields": {"city": "keyword", "in": {"type": "object", "fields": {"year": "int"}}},
        }
    }
}


def test_objects_in_lists_share_their_columns() -> None:
    sellers = [{"city": "Rome", "in": {"year": 5}}, None, {"city": "Oslo"}, {"in": {"year": 6}}]
    assert flat(SELLERS, {"sellers": sellers}) == {
        "sellers.city:keyword": ["Rome", "Oslo"],
        "sellers.in.year:int": [5, 6],
    }


def test_unnamed_fields_are_found_only_where_the_schema_is_open() -> None:
    document = {"a": 1, "sellers": {"city": "x", "other": {"deep": 2}}, "open": {"b": {"c": True}}}
    ignoring = {**SELLERS, "dynamic": "ignore"}
    assert flat(ignoring, document) == {"sellers.city:keyword": ["x"]}
    ignoring["fields"] = {**SELLERS["fields"], "open": "object"}
    assert flat(ignoring, document) == {"sellers.city:keyword": ["x"], "open.b.c:bool": [True]}
    indexing = {**SELLERS, "dynamic": "index"}
    assert flat(indexing, document) == {
        "a:int": [1],
        "sellers.city:keyword": ["x"],
        "sellers.other.deep:int": [2],
        "open.b.c:bool": [True],
    }


def test_values_that_disagree_have_a_column_for_each_kind() -> None:
    values = ["a", 1, 1.5, True, "b", 2]
    assert flat({}, {"x": values}) == {
        "x:text": ["a", "b"],
        "x:keyword": ["a", "b"],
        "x:int": [1, 2],
        "x:float": [1.5],
        "x:bool": [True],
    }


def test_integers_beyond_64_bits_are_floats() -> None:
    assert kind_of(2**63 - 1) == kind_of(-(2**63)) == Kind.INT
    assert kind_of(2**63) == kind_of(-(2**63) - 1) == Kind.FLOAT
    assert flat({}, {"x": 2**64}) == {"x:float": [float(2**64)]}


@pytest.mark.parametrize("kind", ["string", "keyword"])
@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_a_string_too_long_for_a_keyword_leaves_its_words_and_its_presence(
    kind: str, character: str
) -> None:
    fits = character * (KEYWORD_BYTES_MAX // len(character.encode()))
    schema = Schema.from_json({"fields": {"x": kind}})
    layout, (short, long) = lines_of(schema, [{"x": fits}, {"x": fits + character}])
    keyword = layout.column("x", ColumnKind.KEYWORD)
    assert keyword is not None
    assert held_in(short)[keyword.name] == fits
    assert keyword.name not in held_in(long)
    assert held_in(long)[PRESENT] == "x"
    assert held_in(long)["all_standard"] == [fits + character]


def test_words_of_all_strings_are_in_the_catch_all_of_their_analyzer() -> None:
    definition = {
        "fields": {"a": "string", "b": {"type": "text", "analyzer": "english"}, "c": "keyword"}
    }
    _, (line,) = lines_of(Schema.from_json(definition), [{"a": "x", "b": "y", "c": "z"}])
    held = held_in(line)
    assert (held["all_standard"], held["all_english"]) == (["x", "z"], ["y"])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("datetime", "soon"),
        ("datetime", {"a": 1}),
        ("int", "7"),
        ("int", True),
        ("float", "1E+400"),
        ("float", "many"),
        ("bool", 1),
        ("ip", "10.0.0.0/8"),
        ("string", 7),
        ("keyword", {"a": "b"}),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_not_indexed(kind: str, value: Any) -> None:
    assert typed(kind, value) == {}


@pytest.mark.parametrize(
    "value",
    ["2020-01-01T00:00:00Z", "2020-01-01", "2020-01-01t00:00:00z", "1577836800", 1577836800],
)
def test_a_moment_is_read_as_validation_reads_it(value: Any) -> None:
    assert typed("datetime", value) == {"x:datetime": [1577836800000000]}


def test_discovery_is_remembered_until_the_layout_has_grown() -> None:
    first = Flattener(Layout(Schema()))
    first.line("k", 1, {"a": {"b": 1}, "c": None, "d": []})
    assert first.found == {("a.b", Kind.INT)}
    grown = Flattener(Layout(Schema()).grown(first.found))
    grown.line("k", 1, {"a": {"b": 1}})
    assert grown.found == set()


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
documents = st.dictionaries(
    st.text("abc", min_size=1, max_size=2),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=1), inner)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def leaves(value: Any, path: str) -> list[tuple[str, str, Any]]:
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in leaves(each, f"{path}.{name}")]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each, path)]
    if value is None:
        return []
    stored = float(value) if kind_of(value) is Kind.FLOAT else value
    names = {Kind.STRING: ("text", "keyword")}.get(kind_of(value), (str(kind_of(value)),))
    return [(path, name, stored) for name in names]


@given(documents)
def test_every_value_of_any_document_is_under_its_path(document: dict[str, Any]) -> None:
    expected: dict[str, list[Any]] = {}
    for name, value in document.items():
        for path, kind, stored in leaves(value, name):
            expected.setdefault(f"{path}:{kind}", []).append(stored)
    assert flat({}, document) == expected


def test_no_phrase_is_met_across_two_values_of_a_list(tmp_path: Path) -> None:
    schema = Schema.from_json(
        {"fields": {"t": {"type": "text", "analyzer": "english", "list": True}}}
    )
    documents = [{"t": ["a red ford", "blue kia", "", "bmw"]}, {"t": ["a ford in blue"]}]
    view = build(tmp_path / "index", schema, documents).view()
    across, within = ("ford blue", "ford the blue"), ("red ford", "blue kia")
    for slop in (0, 1, VALUE_GAP - 2):
        for text in across:
            assert key_of(0) not in found(view, MatchPhrase("t", text, slop))
        for text in within:
            assert key_of(0) in found(view, MatchPhrase("t", text, slop))
    assert found(view, MatchPhrase("t", "ford the blue")) == [key_of(1)]


def test_no_quoted_text_with_a_dropped_word_is_met_across_two_fields(tmp_path: Path) -> None:
    english = {"type": "text", "analyzer": "english"}
    schema = Schema.from_json({"fields": {"a": english, "b": english}})
    documents = [{"a": "gone", "b": "wind"}, {"a": "gone with the wind"}, {"b": "gone a wind"}]
    view = build(tmp_path / "index", schema, documents).view()
    query, _ = parse_text('"gone the wind"')
    assert found(view, query) == [key_of(2)]
    both, _ = parse_text("gone wind", operator="and")
    assert found(view, both) == [key_of(0), key_of(1), key_of(2)]
