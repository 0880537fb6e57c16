"""Values of a query as the values of a column: read exactly, or not at all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.errors import InvalidQuery
from indexing.layout import KEYWORD_BYTES_MAX, Column, ColumnKind
from indexing.local_index import View
from indexing.query import Range
from indexing.schema import Schema
from indexing.typed import check_length, network_range, typed_value
from tests.indexing.built_index import build, found, key_of


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (ColumnKind.INT, 5, 5),
        (ColumnKind.INT, "5", 5),
        (ColumnKind.INT, 5.0, 5),
        (ColumnKind.INT, "9007199254740993", 2**53 + 1),
        (ColumnKind.INT, 2**63 - 1, 2**63 - 1),
        (ColumnKind.INT, 2**63, None),
        (ColumnKind.INT, 5.5, None),
        (ColumnKind.INT, "five", None),
        (ColumnKind.INT, True, None),
        (ColumnKind.INT, float("inf"), None),
        (ColumnKind.INT, float("nan"), None),
        (ColumnKind.FLOAT, "1.5", 1.5),
        (ColumnKind.FLOAT, 1, 1.0),
        (ColumnKind.FLOAT, "nan", None),
        (ColumnKind.FLOAT, "inf", None),
        (ColumnKind.FLOAT, 10**400, None),
        (ColumnKind.FLOAT, False, None),
        (ColumnKind.BOOL, True, True),
        (ColumnKind.BOOL, "False", False),
        (ColumnKind.BOOL, 1, None),
        (ColumnKind.BOOL, "yes", None),
        (ColumnKind.KEYWORD, "x", "x"),
        (ColumnKind.KEYWORD, 5, None),
        (ColumnKind.DATETIME, "1970-01-02", 86_400_000_000),
        (ColumnKind.DATETIME, 5, None),
        (ColumnKind.DATETIME, "soon", None),
        (ColumnKind.IP, "1.2.3.4", "::ffff:102:304"),
        (ColumnKind.IP, "1.2.3", None),
        (ColumnKind.IP, 5, None),
    ],
)
def test_a_value_is_read_as_its_column_stores_it(kind: ColumnKind, value: Any, read: Any) -> None:
    assert typed_value(Column("c0", "x", kind), value) == read


def test_minus_zero_is_zero() -> None:
    assert str(typed_value(Column("f0", "x", ColumnKind.FLOAT), -0.0)) == "0.0"


@pytest.mark.parametrize(
    ("network", "first", "last"),
    [
        ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
        ("10.1.2.3/8", "10.0.0.0", "10.255.255.255"),
        ("1.2.3.4/32", "1.2.3.4", "1.2.3.4"),
        ("fe80::/16", "fe80::", "fe80:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ],
)
def test_a_network_is_the_range_of_its_addresses(network: str, first: str, last: str) -> None:
    column = Column("a0", "x", ColumnKind.IP)
    assert network_range(column, network) == Range("x", gte=first, lte=last)


@pytest.mark.parametrize("value", ["10.0.0.0", "10.0.0.0/99", "a/b", 5])
def test_what_is_no_network_is_none(value: Any) -> None:
    assert network_range(Column("a0", "x", ColumnKind.IP), value) is None


def test_a_slash_in_a_keyword_is_no_network() -> None:
    assert network_range(Column("k0", "x", ColumnKind.KEYWORD), "10.0.0.0/8") is None


def test_a_whole_value_longer_than_any_indexed_one_is_refused() -> None:
    column = Column("k0", "seller.name", ColumnKind.KEYWORD)
    check_length(column, "x" * KEYWORD_BYTES_MAX)
    with pytest.raises(InvalidQuery) as refused:
        check_length(column, "é" * (KEYWORD_BYTES_MAX // 2 + 1))
    assert refused.value.data["path"] == "seller.name"


INTS = [-(2**63), -(2**53) - 1, -3, -1, 0, 1, 2, 3, 2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> View:
    schema = Schema.from_json({"fields": {"i": "int"}})
    return build(tmp_path_factory.mktemp("typed") / "i", schema, [{"i": i} for i in INTS]).view()


bounds = (
    st.sampled_from([*INTS, 2**63, -(2**63) - 1, 2**70])
    | st.integers(-4, 4)
    | st.floats(-5, 5)
    | st.sampled_from([1e300, -1e300, 0.5, -0.5, 2.0**53, 2.0**63])
)


@settings(max_examples=100, deadline=None)
@given(low=bounds, high=bounds)
def test_integers_compare_exactly_with_any_number(numbers: View, low: float, high: float) -> None:
    def keys(held: list[bool]) -> list[str]:
        return [key_of(n) for n, each in enumerate(held) if each]

    assert found(numbers, Range("i", gt=low, lt=high)) == keys([low < i < high for i in INTS])
    assert found(numbers, Range("i", gte=low, lte=high)) == keys([low <= i <= high for i in INTS])
    for bound in (low, high):
        # Text, as a person types it, is the number it says.
        assert found(numbers, Range("i", gte=str(bound))) == keys([i >= bound for i in INTS])


@pytest.mark.parametrize("bound", ["nan", "inf", "soon", "", True])
def test_a_bound_that_is_no_number_is_refused(numbers: View, bound: Any) -> None:
    with pytest.raises(InvalidQuery) as refused:
        found(numbers, Range("i", gte=bound))
    assert refused.value.data["path"] == "i"
