"""Values of a caller, a document or a query as parts of a key, by the kind of the key's field.

JSON has no dates and one kind of number, but a key's bytes differ by type: so a date in a string
becomes a date and a whole number in a float field becomes a float, the same way wherever a key is
made or asked for. A query finds a document by the value that its index holds, which several keys
can share: `matching` names them all, or says that it cannot, and then no shard may be left out.
"""

import base64
import datetime
import enum
import ipaddress
import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from docstore.keys import KeySpec
from docstore.types import Key
from indexing.schema import Kind, Schema
from indexing.values import microseconds_of

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_WHOLE_MAX = 2**53
"""Beyond it, several whole numbers are the same float."""

_STORED: dict[Kind, tuple[type, ...]] = {
    Kind.INT: (int,),
    Kind.FLOAT: (float,),
    Kind.DATETIME: (datetime.datetime, datetime.date),
    Kind.STRING: (str,),
    Kind.TEXT: (str,),
    Kind.KEYWORD: (str,),
}
"""What parts of a key can be, by kind; those of other kinds are not looked at."""


class KeyParts:
    """How the fields of one collection's key read values.

    `holds` tells whether some document's key begins with a part.
    """

    def __init__(
        self, schema: Schema, spec: KeySpec, holds: Callable[[Any], bool] | None = None
    ) -> None:
        self._holds = holds or (lambda _: True)
        leaves = dict(schema.leaves())
        self._spec = spec
        self._kinds = {
            field: leaves[field].kind if field in leaves else Kind.ANY for field in spec.fields
        }

    def kind_of(self, field: str) -> Kind:
        """The kind of a field of the key; ANY when the schema does not declare it."""
        return self._kinds[field]

    def part_of(self, field: str, value: Any) -> Any:
        """The part of a key that a value is; what cannot be one is given back as it is."""
        kind = self._kinds[field]
        if isinstance(value, enum.Enum):
            value = value.value
        if kind is Kind.DATETIME and isinstance(value, str):
            return _moment(value) or value
        if kind is Kind.FLOAT and type(value) is int:
            return float(value)
        if isinstance(value, uuid.UUID | ipaddress.IPv4Address | ipaddress.IPv6Address):
            return str(value)
        return value

    def can_hold(self, field: str, part: Any) -> bool:
        """Whether a document of the schema can have a stored part in its key."""
        types = _STORED.get(self._kinds[field])
        return types is None or type(part) in types

    def key(self, given: Key) -> Key:
        """A key as its parts are stored; also the leading parts of one."""
        if not self._spec.typed:
            return given if type(given) is str else self.part_of(self._spec.fields[0], given)
        parts = given if isinstance(given, tuple | list) else (given,)
        if len(parts) > len(self._spec.fields):
            return given
        return tuple(
            self.part_of(field, part) for field, part in zip(self._spec.fields, parts, strict=False)
        )

    def matching(self, field: str, value: Any) -> tuple[Any, ...] | None:
        """Every part with which a document can be found by this value, or None for any part.

        The unlikely ones are named only when some document has them.
        """
        parts = self.possible(field, value)
        return parts and (parts[0], *filter(self._holds, parts[1:]))

    def possible(self, field: str, value: Any) -> tuple[Any, ...] | None:
        """The same, whether a document has them or not."""
        kind = self._kinds[field]
        if isinstance(value, str):
            if kind in (Kind.STRING, Kind.KEYWORD, Kind.ANY):
                return _strings(value) if self._spec.typed else (value,)
            moment = _moment(value) if kind is Kind.DATETIME else None
            return None if moment is None else (moment,)
        if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > _WHOLE_MAX:
            return None
        if kind is Kind.INT or (kind is Kind.ANY and self._spec.typed):
            whole = (int(value),) if value == int(value) else ()
            return whole if kind is Kind.INT else (*whole, float(value))
        return (float(value),) if kind is Kind.FLOAT else None


def _strings(text: str) -> tuple[Any, ...]:
    """A document's string can be what became of a date or of bytes in its key."""
    parts: list[Any] = [text, text.encode("utf-8", "replace")]
    with suppress(ValueError):
        parts.append(base64.b64decode(text, validate=True))
    moment = _moment(text)
    return tuple(parts) if moment is None else (*parts, moment)


def _moment(text: str) -> datetime.datetime | None:
    try:
        return _EPOCH + datetime.timedelta(microseconds=microseconds_of(text))
    except (ValueError, OverflowError):
        return None
