"""A key typed on the command line, as the collection's keys are typed.

A key of one string is taken as it is. A compound key is written as its parts with commas between
them, or as a JSON list where a part holds a comma. Each part becomes what the schema says of its
field; where the schema says nothing, a JSON number or JSON string is that, and the rest is text.
"""

import datetime
from collections.abc import Callable
from typing import Any

import orjson

from docstore import Collection, InvalidRequest, Schema
from docstore.types import Key
from indexing.schema import Kind


def key_of(collection: Collection[Any], text: str) -> Key:
    """The key that a command's argument names; raises InvalidRequest for a part of a wrong type."""
    return parse_key(collection.schema, collection.key_fields, text)


def prefix_of(collection: Collection[Any], text: str | None) -> Key | None:
    """A key's beginning: some characters of a string key, or the first parts of a compound one."""
    if text is None:
        return None
    return parse_key(collection.schema, collection.key_fields, text)


def parse_key(schema: Schema, fields: tuple[str, ...], text: str) -> Key:
    """The typed key of a text; pure. A compound key may leave out its last parts (a prefix)."""
    kinds = {path: leaf.kind for path, leaf in schema.leaves()}
    if len(fields) == 1:
        kind = kinds.get(fields[0], Kind.STRING)
        return _part(text, fields[0], kind) if kind in _PARSERS else text
    parts = _split(text)
    if len(parts) > len(fields):
        raise InvalidRequest(
            f"the key {text!r} has {len(parts)} parts, the collection's has {len(fields)}",
            hint=f"give {', '.join(fields)}, as a JSON list if a part holds a comma",
        )
    return tuple(
        _part(part, field, kinds.get(field)) for part, field in zip(parts, fields, strict=False)
    )


def _split(text: str) -> list[Any]:
    if text.startswith("["):
        try:
            parts = orjson.loads(text)
        except ValueError:
            parts = None
        if isinstance(parts, list):
            return parts
    return text.split(",")


def _part(part: Any, field: str, kind: Kind | None) -> Any:
    if not isinstance(part, str):
        return float(part) if kind is Kind.FLOAT and type(part) is int else part
    try:
        if kind in _PARSERS:
            return _PARSERS[kind](part.strip())
    except ValueError as error:
        raise InvalidRequest(
            f"the key's part {field!r} is {part!r}, which is no {kind}",
            hint=f"the collection's key field {field!r} holds a {kind}",
            field=field,
        ) from error
    return _literal(part) if kind in (None, Kind.ANY) else part


def _literal(part: str) -> Any:
    """A JSON number or string, else the text itself."""
    try:
        value = orjson.loads(part)
    except ValueError:
        return part
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else part


def _datetime(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


_PARSERS: dict[Kind | None, Callable[[str], Any]] = {
    Kind.INT: int,
    Kind.FLOAT: float,
    Kind.DATETIME: _datetime,
}
