"""A listing goes through its form and comes back the same; what is wrong is told by field."""

import json

import pytest

from api.demo.form import FIELDS, changes_of, filled, texts_of
from api.demo.listings import listing_of
from tests.conftest import LISTINGS


def test_a_listing_comes_back_from_its_form_as_it_was() -> None:
    names = {field.name for field in FIELDS}
    with LISTINGS.open() as lines:
        for line in lines:
            listing = listing_of(json.loads(line))
            values, wrong = changes_of(filled(texts_of(listing).items()))
            assert wrong == {}
            known = {name: value for name, value in values.items() if value not in (None, [])}
            assert known == {
                name: value for name, value in listing.items() if name in names and value != []
            }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("price", "cheap"),
        ("price", "-1"),
        ("price", "9" * 40),
        ("year", ""),
        ("engine_liters", "nan"),
        ("description", "x" * 30_000),
    ],
)
def test_what_is_wrong_is_told_at_its_field(name: str, text: str) -> None:
    right = {"title": "A", "make": "B", "model": "C", "year": "2001", "price": "$1,500"}
    values, wrong = changes_of(right)
    assert wrong == {}
    assert values["price"] == 1500
    assert set(changes_of({**right, name: text})[1]) == {name}
