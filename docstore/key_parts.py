"""Values of a document or a query as parts of a typed key, by the kind the schema gives the field.

JSON has no dates and one kind of number, but a key's bytes differ by type: so a date in a string
becomes a date and a whole number in a float field becomes a float, the same way wherever a key is
made.
"""

import datetime
import enum
import ipaddress
import uuid
from collections.abc import Callable
from typing import Any

from docstore.keys import KeySpec
from indexing.schema import Kind, Schema
from indexing.values import microseconds_of

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def key_parts(schema: Schema, spec: KeySpec) -> Callable[[str, Any], Any]:
    """A function from (field, value) to the part of the key that the value is."""
    leaves = dict(schema.leaves())
    kinds = {field: leaves[field].kind for field in spec.fields if field in leaves}

    def part_of(field: str, value: Any) -> Any:
        kind = kinds.get(field)
        if kind is Kind.DATETIME and isinstance(value, str):
            try:
                return _EPOCH + datetime.timedelta(microseconds=microseconds_of(value))
            except ValueError:
                return value
        if kind is Kind.FLOAT and type(value) is int:
            return float(value)
        if isinstance(value, enum.Enum):
            return value.value
        if isinstance(value, uuid.UUID | ipaddress.IPv4Address | ipaddress.IPv6Address):
            return str(value)
        return value

    return part_of
