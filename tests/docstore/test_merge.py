import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.merge import merge_pages, order_key
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
    st.lists(st.lists(values, max_size=8), max_size=5),
    st.booleans(),
    st.integers(0, 45),
    st.integers(0, 45),
)
def test_a_merged_page_is_the_slice_of_everything_sorted(
    pages: list[list[Any]], descending: bool, offset: int, limit: int
) -> None:
    def order(item: tuple[Any, int, int]) -> Any:
        return order_key(item[0], descending)

    shards = [
        sorted(((value, shard, place) for place, value in enumerate(page)), key=order)
        for shard, page in enumerate(pages)
    ]
    everything = sorted((item for page in shards for item in page), key=order)
    assert merge_pages(shards, order, offset, limit) == everything[offset : offset + limit]


@given(st.lists(st.lists(st.tuples(values, st.text(max_size=3)), max_size=8), max_size=5))
def test_the_key_as_last_order_makes_the_number_of_pages_irrelevant(
    pages: list[list[tuple[Any, str]]],
) -> None:
    def order(item: tuple[Any, str]) -> Any:
        return (*order_key(item[0], True), item[1])

    one = sorted((item for page in pages for item in page), key=order)
    merged = merge_pages([sorted(page, key=order) for page in pages], order, 0, 100)
    assert list(map(order, merged)) == list(map(order, one))


def test_an_absurd_page_is_what_there_is() -> None:
    pages = [[1, 3], [2]]
    assert merge_pages(pages, operator.neg, 0, 0) == []
    assert merge_pages([[3, 1], [2]], operator.neg, 0, 10**30) == [3, 2, 1]
    assert merge_pages(pages, operator.pos, 10**30, 10**30) == []
    assert merge_pages([], operator.pos, 0, 10) == []


@pytest.mark.parametrize(("offset", "limit"), [(-1, 10), (0, -1)])
def test_a_negative_page_is_refused(offset: int, limit: int) -> None:
    with pytest.raises(InvalidQuery) as caught:
        merge_pages([[1]], operator.pos, offset, limit)
    assert caught.value.hint
