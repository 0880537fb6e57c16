"""A table shows the fields that tell most, and never more than fits."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.columns import GAP_CELLS, LONG_CELLS_MIN, cell_text, choose, flattened

CARS = [
    {"id": "1", "currency": "USD", "make": "honda", "price": 9500, "about": "A " + "long " * 20},
    {"id": "2", "currency": "USD", "make": "ford", "price": 12000, "about": "B " + "word " * 20},
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ROWS = st.lists(
    st.dictionaries(st.text(min_size=1, max_size=12), SCALARS, max_size=8), min_size=1, max_size=5
)


def paths(rows: list[dict[str, Any]], width: int, *leave_out: str) -> list[str]:
    return [column.path for column in choose(rows, width, frozenset(leave_out))]


@given(ROWS, st.integers(0, 200))
def test_columns_fit_the_width(rows: list[dict[str, Any]], width: int) -> None:
    columns = choose(rows, width)
    assert sum(column.width + GAP_CELLS for column in columns) <= width
    assert len({column.path for column in columns}) == len(columns)


def test_all_that_fits_stands_in_the_documents_order_with_prose_last() -> None:
    assert paths(CARS, 120, "id") == ["currency", "make", "price", "about"]


def test_what_is_the_same_everywhere_goes_first_when_room_is_short() -> None:
    assert paths(CARS, 2 * (5 + GAP_CELLS) + LONG_CELLS_MIN + GAP_CELLS, "id") == [
        "make",
        "price",
        "about",
    ]


def test_numbers_stand_to_the_right_and_words_do_not() -> None:
    sides = {column.path: column.is_number for column in choose(CARS, 120)}
    assert sides["price"]
    assert not sides["make"]


def test_a_field_that_few_documents_have_is_left_out() -> None:
    rows: list[dict[str, Any]] = [{"a": 1, "rare": 1}, {"a": 2}, {"a": 3}, {"a": 4}]
    assert paths(rows, 80) == ["a"]


def test_a_title_is_shown_before_everything_else() -> None:
    rows = [{"make": "honda", "title": "Civic"}, {"make": "ford", "title": "F-150"}]
    assert paths(rows, 8) == ["title"]


def test_nested_objects_give_their_leaves() -> None:
    document = {"seller": {"name": "Jo", "at": {"city": "Rome", "geo": {"lat": 1}}}, "n": 1}
    assert flattened(document) == {
        "seller.name": "Jo",
        "seller.at.city": "Rome",
        "seller.at.geo": {"lat": 1},
        "n": 1,
    }


def test_a_cell_is_one_line_that_cannot_drive_the_terminal() -> None:
    assert cell_text("a\x1b[31m\n  b\tc") == "a [31m b c"
    assert cell_text(["x", 1, True, None]) == "x, 1, yes, "
    assert cell_text({"lat": 1.5}) == "lat 1.5"


@given(st.text())
def test_every_cell_is_printable(text: str) -> None:
    assert cell_text(text).isprintable()
