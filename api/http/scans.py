"""Documents in key order, a page at a time, with an opaque cursor to the next page."""

import base64
import binascii
import zlib
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.responses import Response

from api.http import models
from api.http.answers import document_json, json_response
from api.http.documents import DOCUMENTS
from api.http.key_paths import key_of, text_of
from api.http.queries import parameters
from api.http.routing import Call, Operation
from docstore import Collection, InvalidRequest
from docstore.types import Key

LIMIT = 100

_PARAMETERS: dict[str, Any] = {
    "from": {"type": "string", "description": "The first key, or its leading parts."},
    "to": {"type": "string", "description": "The key before which to end."},
    "prefix": {"type": "string", "description": "What all keys begin with."},
    "limit": {"type": "integer", "minimum": 0},
    "reverse": {"type": "boolean"},
    "cursor": {"type": "string", "description": "The `next` of the page before."},
}


async def scan(call: Call) -> Response:
    """One page of documents in key order."""
    given = parameters(call.request, _PARAMETERS)
    served, settings = call.served, call.service.settings
    limit = given.get("limit", min(LIMIT, settings.scan_limit_max))
    if limit > settings.scan_limit_max:
        raise InvalidRequest(
            f"limit is {limit:,}, at most {settings.scan_limit_max:,} documents are in a page",
            hint="follow the cursor to the next page",
            path="limit",
        )
    reverse = given.get("reverse", False)
    collection = served.collection
    start, end, prefix = (
        key_of(collection, given[name]) if name in given else None
        for name in ("from", "to", "prefix")
    )
    scanned = _scanned(collection, given, reverse)
    last = _last_of(collection, given["cursor"], scanned) if "cursor" in given else None
    if last is not None:
        start, end = (start, last) if reverse else (last, end)

    def page() -> tuple[list[dict[str, Any]], Key | None]:
        documents: list[dict[str, Any]] = []
        key: Key | None = None
        # One more than asked for, to know whether there is a next page, and the last one again.
        found = served.bytes.scan(start, end, prefix=prefix, limit=limit + 2, reverse=reverse)
        for document in found:
            if last is not None and document.key == last:
                continue
            if len(documents) == limit:
                return documents, key
            documents.append(document_json(document))
            key = document.key
        return documents, None

    documents, key = await call.service.run(page)
    if key is None:
        return json_response({"documents": documents, "next": None})
    cursor = _cursor_of(collection, key, scanned)
    query = urlencode({**dict(call.request.query_params), "cursor": cursor})
    link = f'<{call.request.url.path}?{query}>; rel="next"'
    return json_response({"documents": documents, "next": cursor}, 200, {"link": link})


def _scanned(collection: Collection[Any], given: dict[str, Any], reverse: bool) -> int:
    """What tells one scan from another, so that none goes on with another's cursor."""
    bounds = [given.get(name) for name in ("from", "to", "prefix")]
    return zlib.crc32(orjson.dumps([collection.name, reverse, *bounds]))


def _cursor_of(collection: Collection[Any], key: Key, scanned: int) -> str:
    form = orjson.dumps([text_of(collection, key), scanned])
    return base64.urlsafe_b64encode(form).rstrip(b"=").decode()


def _last_of(collection: Collection[Any], cursor: str, scanned: int) -> Key:
    try:
        form = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        match form:
            case [str(text), int(of)] if of == scanned:
                return key_of(collection, text)
    except (binascii.Error, ValueError):
        pass
    raise InvalidRequest(
        "this is no cursor of this scan",
        hint="pass the `next` of the page before, with the same parameters",
        path="cursor",
    )


OPERATIONS = (
    Operation(
        "GET",
        DOCUMENTS,
        scan,
        "read",
        "Scan documents in key order",
        models.Page,
        parameters=_PARAMETERS,
    ),
)
