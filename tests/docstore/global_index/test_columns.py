"""Columns answer conditions, orders and counts as the values themselves do."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import GlobalIndex, Store
from docstore.global_index.column import Column, counted
from docstore.global_index.merging import Merge
from docstore.global_index.readings import order_value
from docstore.global_index.wanted import Beginning, Between, Condition, Held, Present, Values
from docstore.queries.ordering import order_key
from indexing.errors import InvalidQuery
from indexing.schema import Kind

NUMBER = st.integers(-3, 3) | st.sampled_from([2.5, -0.5, 2**53 + 1, 2**53 + 2, -(2**60)])
SCALAR = NUMBER | st.booleans() | st.sampled_from(["", "a", "ab", "b", "\0", "é"])
VALUE = st.none() | SCALAR | st.lists(SCALAR, min_size=2, max_size=3)
PLAIN = st.lists(st.none() | st.integers(-3, 3)) | st.lists(st.none() | st.sampled_from("ab"))
COLUMN = PLAIN | st.lists(VALUE, max_size=12)
ASKED = (
    st.lists(SCALAR, min_size=1, max_size=3).map(lambda each: Values(tuple(each)))
    | st.tuples(NUMBER, NUMBER).map(lambda pair: Between(gt=pair[0], lte=pair[1]))
    | NUMBER.map(lambda bound: Between(gte=bound, gt=bound))
    | st.sampled_from([Between(lt="b"), Between(gte="a", lt="ab"), Between(lt=True)])
    | st.sampled_from(["", "a", "é"]).map(Beginning)
    | st.just(Present())
)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    """A column at once, or one that some of the values were merged into while others went."""
    values = draw(COLUMN)
    if draw(st.booleans()):
        return Column(values)
    is_new = draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    old: list[Any] = []
    alive: list[bool] = []
    before: list[int] = []
    for value, comes_later in zip(values, is_new, strict=True):
        for gone in draw(st.lists(VALUE, max_size=1)):
            old.append(gone)
            alive.append(False)
        if comes_later:
            before.append(len(old))
        else:
            old.append(value)
            alive.append(True)
    new = [value for value, comes_later in zip(values, is_new, strict=True) if comes_later]
    merged = Column(old).merged(Merge(np.array(alive, np.bool_), before), new)
    assert merged.values == values
    return merged


@given(columns(), ASKED, st.booleans())
def test_a_condition_holds_of_a_column_as_of_each_value(
    column: Column, asked: Any, negated: bool
) -> None:
    test = Held(Condition("x", asked, negated), Kind.ANY)
    mask = column.mask(test, 0, len(column.values))
    assert mask.tolist() == [test.holds(value) for value in column.values]


def matches(value: Any, asked: Any) -> bool:
    """The same said with Python's own comparisons, of plain numbers."""
    if isinstance(asked, Values):
        return value in asked.values
    return all(
        bound is None or compares
        for bound, compares in (
            (asked.gt, asked.gt is not None and value > asked.gt),
            (asked.gte, asked.gte is not None and value >= asked.gte),
            (asked.lt, asked.lt is not None and value < asked.lt),
            (asked.lte, asked.lte is not None and value <= asked.lte),
        )
    )


WHOLE = st.integers(-(2**54), 2**54) | st.integers(-3, 3)


@given(
    st.lists(WHOLE),
    st.lists(WHOLE, min_size=1, max_size=3).map(lambda each: Values(tuple(each)))
    | st.builds(Between, gt=WHOLE, lt=WHOLE)
    | st.builds(Between, gte=WHOLE, lte=WHOLE),
)
def test_whole_numbers_compare_exactly(values: list[int], asked: Any) -> None:
    mask = Column(values).mask(Held(Condition("x", asked), Kind.ANY), 0, len(values))
    assert mask.tolist() == [matches(value, asked) for value in values]


@given(columns(), st.integers(0, 14), st.booleans())
def test_the_first_ones_are_those_that_sort_first(
    column: Column, most: int, descending: bool
) -> None:
    values = column.values
    orders = [order_key(order_value(each, descending=descending), descending) for each in values]
    found = column.first(np.arange(len(values)), most, descending=descending)
    assert sorted(orders[at] for at in found.tolist())[:most] == sorted(orders)[:most]
    assert len(set(found.tolist())) == len(found)


@given(columns())
def test_counts_are_those_of_the_values(column: Column) -> None:
    assert column.counts(np.arange(len(column.values))) == counted(column.values)


def test_a_condition_without_bounds_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="without bounds"):
        Held(Condition("x", Between()), Kind.ANY)


@pytest.mark.parametrize("second", [7, [7, "x"], [7.0, 7]])
def test_a_value_that_is_whole_somewhere_is_shown_so(store: Store, second: Any) -> None:
    cars = store.create_collection("cars", partitions=2)
    cars.put_many({"id": f"{n:02d}", "color": "red", "size": 7.0} for n in range(10))
    cars.put_many({"id": f"x{n:02d}", "color": "red", "size": second} for n in range(10))
    cars.indexes.create(GlobalIndex("color", include=["size"]))
    cars.indexes.catch_up()
    shown = [
        cars.search(
            filter={"color": "red", "size": 7}, facets=["size"], sort="id", index=index
        ).facets
        for index in (None, "color")
    ]
    assert repr(shown[1]) == repr(shown[0])
    assert "value=7," in repr(shown[0])
