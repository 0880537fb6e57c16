"""JSON as the command line writes and reads it: keys, dates, addresses and models included.

A compound key is a list; bytes, which only keys hold, are an object with their base64, which
no other value looks like. Deliberately
absent: decisions about what to print.
"""

import base64
import ipaddress
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from docstore import InvalidQuery, InvalidRequest, Position

BASE64 = "base64"
_OPTIONS = orjson.OPT_NON_STR_KEYS


def json_bytes(value: Any, *, indent: bool = False) -> bytes:
    """A value as one line of JSON without its line end, or indented for people."""
    option = _OPTIONS | (orjson.OPT_INDENT_2 * indent)
    try:
        return orjson.dumps(value, default=_plain, option=option)
    except orjson.JSONEncodeError:
        # What was typed and comes back in an error can be what JSON has no form for.
        return orjson.dumps(_forced(value), default=_plain, option=option)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, bytes):
        return {BASE64: base64.b64encode(value).decode()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address | Path | Position):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _forced(value: Any) -> Any:
    """The value with lone surrogates escaped and integers beyond 64 bits as text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_forced(name): _forced(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_forced(each) for each in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return str(value)
    return value


def json_option(text: str | None, option: str, example: str) -> dict[str, Any] | None:
    """The JSON object that an option holds; raises InvalidQuery with the place that is wrong."""
    if text is None:
        return None
    try:
        value = orjson.loads(text.encode("utf-8", "surrogateescape"))
    except orjson.JSONDecodeError as error:
        raise InvalidQuery(
            f"{option} is not JSON: {error.msg} at character {error.pos + 1}",
            hint=f"for example {option} '{example}'",
            path=option,
            position=error.pos + 1,
        ) from error
    if not isinstance(value, dict):
        raise InvalidQuery(
            f"{option} is a JSON {type(value).__name__}, not an object",
            hint=f"for example {option} '{example}'",
            path=option,
        )
    return value


def json_document(data: bytes, where: str) -> dict[str, Any]:
    """A document given to a command; raises InvalidRequest naming where it came from."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"{where} is not JSON: {error.msg} at line {error.lineno} column {error.colno}",
            hint='a document is a JSON object, like {"id": "car-1", "make": "honda"}',
            position=error.pos + 1,
        ) from error
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"{where} is a JSON {type(value).__name__}, not an object",
            hint='a document is a JSON object, like {"id": "car-1", "make": "honda"}',
        )
    return value
