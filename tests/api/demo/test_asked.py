"""An address says everything about a page of results, and reads back as what it was made of."""

from dataclasses import replace
from datetime import UTC
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from api.demo.asked import CHOICES, RANGES, SORTS, WINDOW_MAX, Asked

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)
numbers = st.none() | st.integers(0, 10**9)
ends = st.tuples(numbers, numbers).filter(lambda each: each != (None, None))
moments = st.none() | st.datetimes(timezones=st.just(UTC)).map(
    lambda each: each.isoformat().replace("+00:00", "Z")
)


def after(asked: Asked) -> st.SearchStrategy[Asked]:
    """The same, beginning after some hit, or at its page."""
    values = moments if (asked.order or "").endswith("posted") else numbers
    begins = st.none() | st.tuples(values, words)
    return begins.map(lambda begin: replace(asked, after=begin))


asked = st.builds(
    Asked,
    q=words | st.just(""),
    chosen=st.dictionaries(
        st.sampled_from(list(CHOICES)), st.lists(words, min_size=1, max_size=4, unique=True)
    ).map(lambda each: {name: tuple(each[name]) for name in CHOICES if name in each}),
    ranges=st.dictionaries(st.sampled_from(list(RANGES)), ends),
    sort=st.sampled_from(list(SORTS)),
    page=st.integers(1, 100),
).flatmap(after)


def read(address: str) -> Asked:
    return Asked.read(parse_qsl(address.partition("?")[2]))


@given(asked)
def test_an_address_reads_back_as_what_was_asked(page: Asked) -> None:
    assert read(page.address()) == page


@given(asked, st.sampled_from(list(CHOICES)), words)
def test_a_value_that_is_taken_back_leaves_the_search_as_it_was(
    page: Asked, name: str, value: str
) -> None:
    plain = page.without(name, value).with_page(1)
    assert plain.with_choice(name, value).without(name, value) == plain


@given(st.lists(st.tuples(st.sampled_from(["q", "page", "price_min", "sort", "x"]), st.text())))
def test_whatever_an_address_says_is_a_search(pairs: list[tuple[str, str]]) -> None:
    page = Asked.read(pairs)
    assert page.sort in SORTS
    assert 1 <= page.page <= page.pages_max
    assert page.order is None or page.offset < WINDOW_MAX


def test_numbers_are_read_as_people_write_them() -> None:
    page = read("/?price_min=$12,500&price_max=+20000+&year_min=old&page=-3")
    assert page.ranges == {"price": (12500, 20000)}
    assert page.page == 1
