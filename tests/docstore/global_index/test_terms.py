"""Terms compare as the values do."""

from hypothesis import given
from hypothesis import strategies as st

from docstore.global_index.terms import term_of, values_at

WHOLE = st.integers(-(2**63), 2**64 - 1)
NUMBERS = WHOLE | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"))


def term(value: object) -> bytes:
    found = term_of(value, is_date=False)
    assert found is not None
    return found


@given(NUMBERS, NUMBERS)
def test_numbers_order_and_equal_as_numbers(one: float, other: float) -> None:
    assert (term(one) < term(other)) == (one < other)
    assert (term(one) == term(other)) == (one == other)


@given(TEXTS, TEXTS)
def test_strings_order_as_their_bytes_and_none_begins_another(one: str, other: str) -> None:
    assert (term(one) < term(other)) == (one.encode() < other.encode())
    assert one == other or not term(one).startswith(term(other))


def test_dates_of_any_zone_are_one_moment() -> None:
    utc = term_of("2024-05-01T10:00:00Z", is_date=True)
    assert utc == term_of("2024-05-01T12:00:00+02:00", is_date=True)
    assert term_of("yesterday", is_date=True) is None


def test_values_are_found_through_objects_lists_and_dotted_names() -> None:
    document = {"a": [{"b": 1}, {"b": [2, None]}], "a.b": 3, "c": {"d": {"e": 4}}}
    assert sorted(values_at(document, "a.b")) == [1, 2, 3]
    assert list(values_at(document, "c.d")) == []
