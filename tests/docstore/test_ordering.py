from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.queries.ordering import number_orders, order_key
from indexing.errors import InvalidQuery

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=4),
)


def in_order(items: list[Any], descending: bool) -> list[Any]:
    return sorted(items, key=lambda value: order_key(value, descending))


def test_ascending_puts_bools_before_numbers_before_strings_before_none() -> None:
    mixed = [None, "b", 2, True, "a", 1.5, False, "", -1]
    assert in_order(mixed, False) == [False, True, -1, 1.5, 2, "", "a", "b", None]


def test_descending_reverses_all_but_none() -> None:
    mixed = [None, "b", 2, True, "a", 1.5, False, "", -1, "ab"]
    assert in_order(mixed, True) == ["b", "ab", "a", "", 2, 1.5, -1, True, False, None]


def test_a_number_that_is_none_sorts_as_missing() -> None:
    for descending in (False, True):
        assert order_key(float("nan"), descending) == order_key(None, descending)


def test_true_is_not_one() -> None:
    assert order_key(True, False) != order_key(1, False)


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"a", object()])
def test_a_value_without_an_order_is_refused(value: Any) -> None:
    with pytest.raises(InvalidQuery) as caught:
        order_key(value, False)
    assert caught.value.hint


@given(values, values)
def test_descending_is_ascending_turned_round(a: Any, b: Any) -> None:
    up = order_key(a, False) < order_key(b, False)
    down = order_key(b, True) < order_key(a, True)
    if a is None or b is None:
        assert up == (a is not None and b is None)
        assert down == (b is not None and a is None)
    else:
        assert up == down


@given(values, values, st.booleans())
def test_of_two_values_one_is_first_or_they_are_equal(a: Any, b: Any, descending: bool) -> None:
    x, y = order_key(a, descending), order_key(b, descending)
    assert [x < y, x == y, y < x].count(True) == 1


@given(
    st.lists(st.none() | st.integers() | st.floats(allow_infinity=False), max_size=20),
    st.booleans(),
)
def test_numbers_alone_are_in_the_same_order(items: list[float | None], descending: bool) -> None:
    orders = number_orders(items, descending)
    places = range(len(items))
    assert sorted(places, key=lambda place: orders[place]) == sorted(
        places, key=lambda place: order_key(items[place], descending)
    )
