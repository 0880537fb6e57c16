"""Query parameters of a URL, read strictly: each once, each known, each of its type."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from docstore import InvalidRequest

Parameters = Mapping[str, Any]
"""The parameters a path takes, each with its JSON schema; only `type` is looked at here."""

_WHOLE_DIGITS_MAX = 18


def parameters(request: Request, known: Parameters) -> dict[str, Any]:
    """The parameters of a request by name; raises InvalidRequest for one that is wrong."""
    values: dict[str, Any] = {}
    if not request.scope["query_string"]:
        return values
    for name, text in request.query_params.multi_items():
        schema = known.get(name)
        if schema is None:
            raise InvalidRequest(
                f"there is no parameter {name[:100]!r} here",
                hint=f"use {', '.join(known)}" if known else "this path takes none",
                path=name[:100],
            )
        if name in values:
            raise InvalidRequest(
                f"the parameter {name!r} is given twice", hint="give it once", path=name
            )
        values[name] = _value(name, text, schema["type"])
    return values


def _value(name: str, text: str, kind: str) -> Any:
    if "\ufffd" in text:
        raise InvalidRequest(
            f"the parameter {name!r} is not UTF-8", hint="percent-encode UTF-8", path=name
        )
    if kind == "integer":
        if not text.isascii() or not text.isdigit() or len(text) > _WHOLE_DIGITS_MAX:
            raise _wrong(name, text, "a whole number from 0")
        return int(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise _wrong(name, text, "true or false")
        return text == "true"
    if kind == "object":
        return _object(name, text)
    return text


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _wrong(name, text, "a JSON object") from error
    if not isinstance(value, dict):
        raise _wrong(name, text, "a JSON object")
    return value


def _wrong(name: str, text: str, wanted: str) -> InvalidRequest:
    return InvalidRequest(
        f"the parameter {name!r} is {text[:100]!r}", hint=f"give {wanted}", path=name
    )
