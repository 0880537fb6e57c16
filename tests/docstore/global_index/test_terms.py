"""Terms compare as the values do."""

from hypothesis import example, given
from hypothesis import strategies as st

from docstore.global_index.terms import TERM_BYTES_MAX, stored, term_of, values_at
from indexing.schema import Kind

WHOLE = st.integers(-(2**63), 2**63 - 1)
NUMBERS = WHOLE | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"))


def term(value: object) -> bytes:
    found = term_of(value, Kind.ANY)
    assert found is not None
    return found


@given(NUMBERS, NUMBERS)
def test_numbers_order_and_equal_as_numbers(one: float, other: float) -> None:
    assert (term(one) < term(other)) == (one < other)
    assert (term(one) == term(other)) == (one == other)


@given(TEXTS, TEXTS)
@example("\0", "")
def test_strings_order_as_their_bytes_and_none_begins_another(one: str, other: str) -> None:
    assert (term(one) < term(other)) == (one.encode() < other.encode())
    assert one == other or not term(one).startswith(term(other))


def test_dates_of_any_zone_are_one_moment() -> None:
    utc = term_of("2024-05-01T10:00:00Z", Kind.DATETIME)
    assert utc == term_of("2024-05-01T12:00:00+02:00", Kind.DATETIME)
    assert term_of("yesterday", Kind.DATETIME) is None


def test_values_are_found_through_objects_lists_and_dotted_names() -> None:
    document = {"a": [{"b": 1}, {"b": [2, None]}], "a.b": 3, "c": {"d": {"e": 4}}}
    assert sorted(values_at(document, "a.b")) == [1, 2, 3]
    assert list(values_at(document, "c.d")) == []


def test_a_value_that_its_kind_cannot_hold_has_no_term() -> None:
    assert term_of("7.50", Kind.FLOAT) == term_of(7.5, Kind.FLOAT)
    assert term_of("seven", Kind.FLOAT) is None
    assert term_of(7.0, Kind.INT) is None
    assert term_of(True, Kind.INT) is None
    assert term_of("x" * 9000, Kind.ANY) is None


@given(st.text(min_size=1, max_size=700), st.text(min_size=1, max_size=700))
def test_a_term_too_long_keeps_its_place_and_is_equal_only_to_itself(one: str, other: str) -> None:
    whole, also = term("a" * 300 + one), term("a" * 300 + other)
    assert len(stored(whole)) <= TERM_BYTES_MAX
    assert (stored(whole) == stored(also)) == (one == other)
    for bound in (b"a", term("a" * 200)):
        assert (stored(whole) < bound) == (whole < bound)
