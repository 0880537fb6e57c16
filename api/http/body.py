"""Request bodies: read in bounded memory and bounded time, checked for what they say they are."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.http import misfits
from api.http.refusals import IncompleteBody, SlowBody, TooLarge, UnsupportedMediaType
from docstore import InvalidRequest

M = TypeVar("M", bound=BaseModel)

JSON = ("application/json",)
MERGE_PATCH = ("application/merge-patch+json", "application/json")
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


def check_type(request: Request, accepted: tuple[str, ...]) -> None:
    """Refuse a body of another kind than the route reads."""
    headers = request.headers
    given, encoding = headers.get("content-type", ""), headers.get("content-encoding")
    if given == accepted[0] and encoding is None:
        return
    kind, _, parameters = given.partition(";")
    if kind.strip().lower() not in accepted:
        raise UnsupportedMediaType(
            f"the content type is {kind.strip()[:100]!r}" if given else "there is no content type",
            hint=f"send content-type: {accepted[0]}",
            accepted=list(accepted),
        )
    charset = parameters.partition("charset=")[2].strip(" \"'").lower()
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMediaType(f"the charset is {charset[:40]!r}", hint="send UTF-8")
    if encoding is not None and encoding.lower() != "identity":
        raise UnsupportedMediaType(
            f"the content encoding is {encoding[:40]!r}", hint="send the body uncompressed"
        )


WHOLE = "docstore.whole"
"""What a connection sets in a request's scope once it has all of its body."""


async def chunks(
    request: Request, seconds: float, pause: float | None = None
) -> AsyncIterator[bytes]:
    """The body as it comes, a chunk at a time; each must come within `seconds`.

    With `pause`, a chunk of nothing tells that for so many seconds nothing came.
    """
    while True:
        if pause is None:
            message = await _next(request, seconds)
        else:
            coming = asyncio.ensure_future(_next(request, seconds))
            try:
                done, _ = await asyncio.wait((coming,), timeout=pause)
                if not done:
                    yield b""
                message = await coming
            finally:
                coming.cancel()
        if chunk := message.get("body", b""):
            yield chunk
        if not message.get("more_body", False):
            return


async def read(request: Request, bytes_max: int, seconds: float) -> bytes:
    """The whole body; raises TooLarge before more than `bytes_max` of it is kept."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > bytes_max:
        raise _too_large(bytes_max)
    message = await _next(request, seconds)
    if not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        if len(whole) > bytes_max:
            raise _too_large(bytes_max)
        return whole
    return await _rest(request, message.get("body", b""), bytes_max, seconds)


async def _next(request: Request, seconds: float) -> Any:
    try:
        if request.scope.get(WHOLE):  # nothing has to be waited for
            message = await request.receive()
        else:
            async with asyncio.timeout(seconds):
                message = await request.receive()
    except TimeoutError as error:
        raise SlowBody(
            f"nothing more of the body came for {seconds:g} seconds",
            hint="send the body without long pauses",
        ) from error
    if message["type"] == "http.disconnect":
        raise IncompleteBody("the client went away", hint="send the whole body")
    return message


async def _rest(request: Request, first: bytes, bytes_max: int, seconds: float) -> bytes:
    parts, size = [first], len(first)
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    async for chunk in chunks(request, seconds):
        parts.append(chunk)
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if loop.time() > until and size < bytes_max // 8:
            # A byte now and then would otherwise hold a connection for ever.
            raise SlowBody(
                f"the body was not whole after {seconds:g} seconds", hint="send it at once"
            )
    return b"".join(parts)


def parsed(data: bytes) -> Any:
    """The JSON of a body; raises InvalidRequest that says where it is not JSON."""
    if not data:
        raise InvalidRequest("the body is empty", hint="send a JSON object")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        message = error.msg.partition(":")[0]
        raise InvalidRequest(
            f"the body is not JSON: {message} at line {error.lineno} column {error.colno}",
            hint="send one JSON value in UTF-8, nested less than 1,000 levels deep",
            position=error.pos,
        ) from error


def fitted(model: type[M], value: Any, kind: type[InvalidRequest] = InvalidRequest) -> M:
    """The value as a model; raises an error of a kind that names the path that does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        path, message = misfits.told(error, value)
        raise (kind if path else InvalidRequest)(
            f"{path}: {message}" if path else message,
            hint=misfits.hint(path, _names(model)),
            path=path,
        ) from error


def _names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(
        f"the body is larger than {bytes_max:,} bytes",
        hint="send less at once; many documents go to documents:bulk",
        bytes_max=bytes_max,
    )
