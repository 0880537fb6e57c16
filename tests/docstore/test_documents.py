"""What a collection with a schema takes is decided by a document's JSON, however it is checked."""

from enum import StrEnum
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from docstore.documents import DocumentCodec
from docstore.keys import KeySpec
from indexing.errors import InvalidDocument
from indexing.models import validator_of
from indexing.schema import Schema


class Colour(StrEnum):
    RED = "red"


FIELDS = {
    "make": "string",
    "year": "int",
    "price": "float",
    "sold": "bool",
    "tags": {"type": "keyword", "list": True},
    "seller": {"type": "object", "fields": {"city": "string"}},
}
SCHEMA = Schema.from_json({"fields": FIELDS, "dynamic": "ignore"})
CODEC: DocumentCodec[dict[str, Any]] = DocumentCodec(SCHEMA, KeySpec(("id",), typed=False), None)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.just(Colour.RED),
    st.dates(),
    st.sampled_from([True, 1, 1.0, "1", 0.5]),
)
NESTED = st.one_of(
    VALUES,
    st.lists(VALUES, max_size=3),
    st.tuples(VALUES),
    st.sets(st.text(max_size=2), max_size=2),
    st.dictionaries(st.sampled_from(["city", "zip"]), VALUES, max_size=2),
)


def _fits_as_json(body: bytes) -> bool:
    try:
        validator_of(SCHEMA).validate_json(body, strict=True)
    except ValidationError:
        return False
    return True


def _listed(value: Any) -> list[Any]:
    if isinstance(value, set):
        return sorted(value)
    raise TypeError


@given(st.dictionaries(st.sampled_from([*FIELDS, "more"]), NESTED))
def test_a_document_is_taken_if_its_json_fits_the_schema(fields: dict[str, Any]) -> None:
    try:
        _, _, body = CODEC.encode({"id": "1", **fields})
    except InvalidDocument as refused:
        try:
            body = orjson.dumps(fields, default=_listed)
        except (orjson.JSONEncodeError, TypeError):
            return
        holds_nan = b"null" in body and "JSON cannot hold" in refused.message
        assert holds_nan or not _fits_as_json(body)
    else:
        assert _fits_as_json(body)


@pytest.mark.parametrize("value", [[1, 2], ("a", 1), {"city": 3}, 1.5, True, "12"])
def test_a_value_of_another_kind_is_refused_with_its_field(value: Any) -> None:
    with pytest.raises(InvalidDocument) as refused:
        CODEC.encode({"id": "1", "year": value})
    assert refused.value.data["field"].startswith("year")
