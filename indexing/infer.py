"""A schema inferred from documents: the kind that every value seen so far fits.

Strings that all read as ISO 8601 date-times become datetimes, long prose becomes text, everything
else stays a string. Values that disagree make the field `any`, which takes both. Pure.
"""

import re
from collections.abc import Iterable
from typing import Any

from indexing.schema import Field, Kind, Schema

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
PROSE_CHARACTERS = 200
"""A field with any value longer than this is prose: nobody filters or sorts by it whole."""


def infer(documents: Iterable[dict[str, Any]]) -> Schema:
    """The narrowest schema all documents fit; new fields stay welcome and are indexed."""
    seen: dict[str, list[Any]] = {}
    for document in documents:
        for name, value in document.items():
            seen.setdefault(name, []).append(value)
    return Schema(tuple((name, _field(values)) for name, values in seen.items()), "index")


def _field(values: list[Any]) -> Field:
    many = any(isinstance(value, list) for value in values)
    items = [
        item
        for value in values
        for item in (value if isinstance(value, list) else [value])
        if item is not None
    ]
    if many and not all(isinstance(value, list) or value is None for value in values):
        return Field(Kind.ANY)
    return Field(_kind(items), many=many)


def _kind(items: list[Any]) -> Kind:
    types = {type(item) for item in items}
    if types == {str}:
        if all(_DATE_TIME.fullmatch(item) for item in items):
            return Kind.DATETIME
        return Kind.TEXT if any(len(item) > PROSE_CHARACTERS for item in items) else Kind.STRING
    if types == {bool}:
        return Kind.BOOL
    if types == {int}:
        return Kind.INT if all(-(2**63) <= item < 2**63 for item in items) else Kind.FLOAT
    if types in ({float}, {int, float}):
        return Kind.FLOAT
    return Kind.OBJECT if types == {dict} else Kind.ANY
