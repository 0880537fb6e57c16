"""Documents by key: put, post, get, patch, delete, and many at once by their keys."""

from functools import partial
from typing import Any

import orjson
from starlette.responses import Response

from api.http import body, models
from api.http.answers import POSITION_HEADER, json_response, stored, written_json
from api.http.asking import asked_in
from api.http.collections import ONE
from api.http.conditions import Conditions, conditions_of, etag, is_not_modified
from api.http.key_paths import key_in_path, key_of_json, path_of
from api.http.queries import parameters
from api.http.refusals import TooLarge
from api.http.routing import PREFIX, Call, Operation
from api.load import generated_key_field
from api.whole_numbers import check_whole_numbers
from docstore import (
    AlreadyExists,
    Collection,
    Delete,
    InvalidDocument,
    InvalidRequest,
    NotFound,
    Put,
    VersionConflict,
    WriteResult,
)
from docstore.keys import new_key
from docstore.merge_patch import merge_patch
from docstore.types import Key

DOCUMENTS = ONE + "/documents"
DOCUMENT = DOCUMENTS + "/{key:key}"


async def get(call: Call) -> Response:
    """A document; its ETag never recurs."""
    parameters(call.request, {})
    key, served = _key(call), call.served
    found = served.collection.stored(key)
    if found is None:
        raise _absent(key)
    tag = etag(found.version, found.seq, served.mark)
    if is_not_modified(call.request, found.version, found.seq, served.mark):
        return Response(status_code=304, headers={"etag": tag})
    return Response(found.body, 200, {"etag": tag}, "application/json")


async def put(call: Call) -> Response:
    """Store a document under a key, replacing what is there unless a condition says otherwise."""
    parameters(call.request, {})
    key, document = _key(call), await _document(call, body.JSON)
    asked = conditions_of(call.request, call.served.mark)
    version, seq = _expected(call, key, asked)
    operation = Put(document, key, version, asked.if_absent, asked.if_present, asked.op_id, seq)
    return _written(call, await call.served.writes.write(operation))


async def post(call: Call) -> Response:
    """Store a new document; its key is generated unless the document has one."""
    parameters(call.request, {})
    document = await _document(call, body.JSON)
    asked = conditions_of(call.request, call.served.mark)
    if asked.if_present or asked.revisions is not None:
        raise InvalidRequest(
            "a new document is not there yet", hint="leave If-Match out, or PUT to its path"
        )
    field = generated_key_field(call.served.collection)
    key = None
    if field is not None and document.get(field) is None:
        # A retry must find the same document, so its key follows from what names the operation.
        key = new_key(asked.op_id)
    try:
        operation = Put(document, key, if_absent=True, op_id=asked.op_id)
        result = await call.served.writes.write(operation)
    except VersionConflict as error:
        raise AlreadyExists(
            "a document with this key exists",
            hint="PUT replaces it, or leave the key out to have one made",
            **error.data,
        ) from error
    return _written(call, result)


async def patch(call: Call) -> Response:
    """Change some fields by a JSON merge patch: null removes a field."""
    parameters(call.request, {})
    key, changes = _key(call), await _document(call, body.MERGE_PATCH)
    asked = conditions_of(call.request, call.served.mark)
    if asked.if_absent:
        raise InvalidRequest(
            "a patch changes a document that is there", hint="leave If-None-Match out"
        )
    collection = call.served.collection
    version, seq = _expected(call, key, asked)
    if seq is not None:
        document = await call.service.run(partial(_patched, collection, key, changes))
        operation = Put(document, key, version, op_id=asked.op_id, if_seq=seq)
        return _written(call, await call.served.writes.write(operation))
    result = await call.service.run(
        lambda: collection.patch(key, changes, if_version=version, op_id=asked.op_id)
    )
    return _written(call, result)


def _expected(call: Call, key: Key, asked: Conditions) -> tuple[int | None, int | None]:
    """The version and seq that a write expects."""
    if not asked.is_choice:
        return asked.expected()
    found = call.served.collection.stored(key)
    return asked.expected() if found is None else asked.expected((found.version, found.seq))


def _patched(collection: Collection[Any], key: Key, changes: dict[str, Any]) -> Any:
    """What a document becomes; whether it is still the one that was meant is decided later."""
    found = collection.stored(key)
    if found is None:
        raise _absent(key)
    return merge_patch(orjson.loads(found.body), changes)


async def delete(call: Call) -> Response:
    """Remove a document; of one that is not there, `deleted` is false."""
    parameters(call.request, {})
    key, asked = _key(call), conditions_of(call.request, call.served.mark)
    if asked.if_absent:
        raise InvalidRequest("a delete removes what is there", hint="leave If-None-Match out")
    version, seq = _expected(call, key, asked)
    operation = Delete(key, version, asked.if_present, asked.op_id, seq)
    result = await call.served.writes.write(operation)
    return json_response(written_json(result), 200, {POSITION_HEADER: str(result.position)})


async def get_many(call: Call) -> Response:
    """The documents under some keys, in their order."""
    settings, wanted = call.service.settings, (await asked_in(call, models.Keys)).keys
    if len(wanted) > settings.scan_limit_max:
        raise InvalidRequest(
            f"{len(wanted):,} keys, at most {settings.scan_limit_max:,} are read at once",
            hint="ask for them in several requests",
            path="keys",
        )
    served = call.served
    keys = [key_of_json(served.collection, each) for each in wanted]
    found = await call.service.run(lambda: served.bytes.get_many(keys))
    return json_response({"documents": [None if each is None else stored(each) for each in found]})


def _key(call: Call) -> Key:
    return key_in_path(call.served.collection, call.request.scope["raw_path"])


async def _document(call: Call, types: tuple[str, ...]) -> dict[str, Any]:
    body.check_type(call.request, types)
    settings = call.service.settings
    data = await body.read(call.request, settings.body_bytes_max, settings.body_seconds)
    if len(data) > settings.document_bytes_max:
        raise TooLarge(
            f"the document has {len(data):,} bytes, at most {settings.document_bytes_max:,} "
            "are allowed",
            hint="store large content elsewhere and keep a reference",
            bytes_max=settings.document_bytes_max,
        )
    document = body.parsed(data)
    if not isinstance(document, dict):
        raise InvalidDocument(
            f"a document is a JSON object, not {type(document).__name__}",
            hint='send an object like {"make": "Ford", "price": 9500}',
        )
    check_whole_numbers(document, data)
    return document


def _written(call: Call, result: WriteResult) -> Response:
    at = result.position
    tag = etag(result.version, at.seq, call.served.mark)
    headers = {"etag": tag, POSITION_HEADER: str(at)}
    if result.created:
        headers["location"] = location(call.served.collection, result.key)
    return json_response(written_json(result), 201 if result.created else 200, headers)


def location(collection: Collection[Any], key: Key) -> str:
    """The path of a document."""
    return f"{PREFIX}/collections/{collection.name}/documents/{path_of(collection, key)}"


def _absent(key: Key) -> NotFound:
    return NotFound("there is no document under this key", hint="PUT makes it", key=key)


_CONDITIONS = ("If-Match", "If-None-Match", "Idempotency-Key")

OPERATIONS = (
    Operation(
        "GET",
        DOCUMENT,
        get,
        "read",
        "Read a document",
        models.AnyDocument,
        also=(304,),
        headers=("If-Match", "If-None-Match"),
        refusals=(412,),
    ),
    Operation(
        "PUT",
        DOCUMENT,
        put,
        "write",
        "Store a document",
        models.Written,
        models.AnyDocument,
        body.JSON,
        also=(201,),
        headers=_CONDITIONS,
        refusals=(412, 413, 422),
    ),
    Operation(
        "PATCH",
        DOCUMENT,
        patch,
        "write",
        "Change fields of a document",
        models.Written,
        models.AnyDocument,
        body.MERGE_PATCH,
        headers=("If-Match", "Idempotency-Key"),
        refusals=(412, 413, 422),
    ),
    Operation(
        "DELETE",
        DOCUMENT,
        delete,
        "write",
        "Delete a document",
        models.Written,
        headers=("If-Match", "Idempotency-Key"),
        refusals=(412,),
    ),
    Operation(
        "POST",
        DOCUMENTS,
        post,
        "write",
        "Store a new document",
        models.Written,
        models.AnyDocument,
        body.JSON,
        status=201,
        also=(200,),
        headers=("Idempotency-Key",),
        refusals=(409, 413, 422),
    ),
    Operation(
        "POST",
        DOCUMENTS + ":get-many",
        get_many,
        "read",
        "Read documents by their keys",
        models.Documents,
        models.Keys,
        body.JSON,
    ),
)
