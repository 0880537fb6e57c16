"""The pages that write: a new listing, changes of one, and taking one off.

What is saved names the version it was made from, and the write that made that. When somebody else
saved meanwhile nothing is written: both changes are put together and shown, and saving again names
the version shown.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.demo import rendering
from api.demo.conflict import Merged, merged
from api.demo.form import FIELDS, changes_of, filled, texts_of
from api.demo.listings import COLLECTION
from api.http import body
from api.http.service import Service
from docstore import Delete, InvalidDocument, NotFound, Put, VersionConflict
from docstore.keys import new_key
from docstore.shards.records import Record

_FORM = ("application/x-www-form-urlencoded",)
_FORM_FIELDS_MAX = 100
_ABSENT = 0, 0
"""The version and seq of a listing that is not there."""
_REVISION = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


async def new_page(_: Service, __: Request) -> Response:
    """An empty form."""
    return _form({}, None, _ABSENT)


async def create(service: Service, request: Request) -> Response:
    """Add a listing."""
    sent = await _sent(service, request)
    texts = filled(sent.items())
    values, wrong = changes_of(texts)
    if wrong:
        return _form(texts, None, _ABSENT, wrong=wrong, status=422)
    key = new_key()
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    listing = {"id": key, **_known(values), "posted": now.isoformat().replace("+00:00", "Z")}
    try:
        await service.served(COLLECTION).writes.write(Put(listing, key, if_absent=True))
    except InvalidDocument as error:
        return _form(texts, None, _ABSENT, wrong=_wrong(error), status=422)
    return _to(key, "added")


async def edit_page(service: Service, request: Request) -> Response:
    """A listing in the form."""
    stored = await _stored(service, request)
    if stored is None:
        raise _gone()
    return _form(texts_of(_listing(stored)), request.path_params["key"], _revision_of(stored))


async def save(service: Service, request: Request) -> Response:
    """Save changes, unless somebody else did meanwhile."""
    key = request.path_params["key"]
    sent = await _sent(service, request)
    texts, revision = filled(sent.items()), _revision(sent)
    stored = await _stored(service, request)
    values, wrong = changes_of(texts)
    if wrong:
        return _form(texts, key, revision, base=sent.get("base", ""), wrong=wrong, status=422)
    # What the form does not show stays as it is.
    held = {} if stored is None else _listing(stored)
    listing = _known({**held, **values, "id": key})
    version, seq = revision
    put = Put(
        listing, key, if_version=version or None, if_absent=revision == _ABSENT, if_seq=seq or None
    )
    try:
        await service.served(COLLECTION).writes.write(put)
    except InvalidDocument as error:
        base = sent.get("base", "")
        return _form(texts, key, revision, base=base, wrong=_wrong(error), status=422)
    except VersionConflict:
        current = await _stored(service, request)
        if current is None:
            return _form(texts, key, _ABSENT, is_gone=True, status=409)
        theirs = texts_of(_listing(current))
        both = merged(_base(sent), texts, theirs)
        return _form(both.values, key, _revision_of(current), base=theirs, both=both, status=409)
    return _to(key, "saved")


async def delete_page(service: Service, request: Request) -> Response:
    """Ask whether a listing is really to go."""
    stored = await _stored(service, request)
    if stored is None:
        raise _gone()
    return _delete_page(stored, request.path_params["key"])


async def delete(service: Service, request: Request) -> Response:
    """Take a listing off, unless somebody else changed it meanwhile."""
    key = request.path_params["key"]
    version, seq = _revision(await _sent(service, request))
    try:
        remove = Delete(key, if_version=version, if_seq=seq or None)
        await service.served(COLLECTION).writes.write(remove)
    except VersionConflict:
        stored = await _stored(service, request)
        if stored is not None:
            return _delete_page(stored, key, is_changed=True)
    return RedirectResponse("/?done=deleted", 303)


def _form(
    texts: Mapping[str, str],
    key: str | None,
    revision: tuple[int, int],
    *,
    base: str | Mapping[str, str] | None = None,
    both: Merged | None = None,
    wrong: Mapping[str, str] | None = None,
    is_gone: bool = False,
    status: int = 200,
) -> Response:
    base = texts if base is None else base
    return rendering.page(
        "edit.html",
        status=status,
        fields=FIELDS,
        texts=texts,
        key=key,
        version=_shown(revision),
        base=base if isinstance(base, str) else orjson.dumps(base).decode(),
        both=both,
        wrong=wrong or {},
        is_gone=is_gone,
    )


def _delete_page(stored: Record, key: str, *, is_changed: bool = False) -> Response:
    return rendering.page(
        "delete.html",
        status=409 if is_changed else 200,
        car=_listing(stored),
        key=key,
        version=_shown(_revision_of(stored)),
        is_changed=is_changed,
    )


async def _sent(service: Service, request: Request) -> dict[str, str]:
    """The fields of the form that was sent; raises InvalidRequest."""
    body.check_type(request, _FORM)
    settings = service.settings
    data = await body.read(request, settings.search_bytes_max, settings.body_seconds)
    try:
        pairs = parse_qsl(
            data.decode(), keep_blank_values=True, max_num_fields=_FORM_FIELDS_MAX, errors="strict"
        )
    except ValueError as error:
        raise InvalidDocument("this is not a form", hint="send it from its page") from error
    return dict(pairs)


def _revision(sent: Mapping[str, str]) -> tuple[int, int]:
    """The version and the seq that a form began with; a seq of 0 stands for any."""
    found = _REVISION.fullmatch(sent.get("version", ""))
    if found is None:
        raise InvalidDocument(
            "the form does not say which version it changes", hint="open it again", field="version"
        )
    return int(found[1]), int(found[2] or 0)


def _shown(revision: tuple[int, int]) -> str:
    return f"{revision[0]}-{revision[1]}"


def _revision_of(stored: Record) -> tuple[int, int]:
    """Which document it is: a version alone may be that of another under the same key."""
    return stored.version, stored.seq


def _listing(stored: Record) -> dict[str, Any]:
    listing: dict[str, Any] = orjson.loads(stored.body)
    return listing


def _base(sent: Mapping[str, str]) -> Mapping[str, str]:
    """The form's texts as they were before the person changed them."""
    try:
        base = orjson.loads(sent.get("base", ""))
    except orjson.JSONDecodeError:
        base = {}
    texts = base if isinstance(base, dict) else {}
    return {str(name): str(text) for name, text in texts.items()}


async def _stored(service: Service, request: Request) -> Record | None:
    cars, key = service.served(COLLECTION).collection, request.path_params["key"]
    return await service.run(lambda: cars.stored(key))


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _wrong(error: InvalidDocument) -> dict[str, str]:
    return {str(error.data.get("field", "")): error.message}


def _gone() -> NotFound:
    return NotFound("this listing is not there any more", hint="it may have been taken off")


def _to(key: str, done: str) -> Response:
    return RedirectResponse(f"/listings/{quote(key, safe='')}?done={done}", 303)
