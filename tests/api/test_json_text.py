"""JSON in and out of the command line."""

import datetime
import ipaddress
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from api.json_text import json_bytes, json_document, json_option
from docstore import InvalidQuery, InvalidRequest, Position


class Car(BaseModel):
    make: str
    seen_from: ipaddress.IPv4Address


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (("ford", 2008), ["ford", 2008]),
        (b"\x00\xff", {"base64": "AP8="}),
        (datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC), "2024-05-01T00:00:00+00:00"),
        (ipaddress.IPv4Address("10.0.0.1"), "10.0.0.1"),
        (Car(make="ford", seen_from=ipaddress.IPv4Address("10.0.0.1")), None),
        (Position(3, 1, 57), None),
        ({2, 1}, [1, 2]),
        (float("inf"), None),
        (2**70, str(2**70)),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_every_value_an_answer_can_hold_is_written(value: Any, written: Any) -> None:
    text = json_bytes({"value": value})
    if written is not None:
        assert orjson.loads(text) == {"value": written}
    assert b"\n" not in text


def test_models_are_written_as_their_json() -> None:
    car = Car(make="ford", seen_from=ipaddress.IPv4Address("10.0.0.1"))
    assert orjson.loads(json_bytes(car)) == {"make": "ford", "seen_from": "10.0.0.1"}


def test_a_broken_option_names_itself_and_the_place() -> None:
    with pytest.raises(InvalidQuery, match="--filter is not JSON") as refused:
        json_option('{"price": }', "--filter", "{}")
    assert refused.value.data == {"path": "--filter", "position": 11}


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"'])
def test_an_option_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="not an object"):
        json_option(text, "--query", "{}")


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b'{"a": NaN}'])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the document"):
        json_document(data, "the document")
