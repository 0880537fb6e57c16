"""Keys typed on a command line become the collection's keys."""

import datetime
from typing import Any

import pytest

from api.keys import parse_key
from docstore import InvalidRequest, Schema

SELLER = Schema.from_json({"fields": {"seller": "int", "at": "datetime", "id": "keyword"}})
NOON = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize("text", ["car-1", "42", "[1]", '"x"', "a,b", ""])
def test_a_string_key_is_taken_as_it_is(text: str) -> None:
    assert parse_key(Schema(), ("id",), text) == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("42,2024-05-01T12:00:00Z,x", (42, NOON, "x")),
        ('[42, "2024-05-01T12:00:00", "a,b"]', (42, NOON, "a,b")),
        ("42,2024-05-01 12:00", (42, NOON)),
        ("42", (42,)),
    ],
)
def test_the_parts_of_a_compound_key_are_what_the_schema_says(text: str, key: Any) -> None:
    assert parse_key(SELLER, ("seller", "at", "id"), text) == key


def test_parts_without_a_declared_kind_are_json_or_text() -> None:
    assert parse_key(Schema(), ("a", "b", "c"), 'ford,2008,"7"') == ("ford", 2008, "7")
    assert parse_key(Schema(), ("a", "b"), "true,null") == ("true", "null")


def test_a_single_declared_number_is_a_number() -> None:
    assert parse_key(SELLER, ("seller",), "42") == 42
    price = Schema.from_json({"fields": {"price": "float"}})
    assert parse_key(price, ("price",), "42") == 42.0


@pytest.mark.parametrize("text", ["many,2024-05-01,x", "1,yesterday,x", "1,2024-05-01,x,y"])
def test_a_part_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_key(SELLER, ("seller", "at", "id"), text)
