"""What the JSON body of a request asks for, as a model: the way all small bodies are read."""

from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from api.http import body
from api.http.queries import parameters
from api.http.routing import Call

M = TypeVar("M", bound=BaseModel)


async def asked_in(call: Call, model: type[M], *, may_be_left_out: bool = False) -> M:
    """What the body asks for, nothing but defaults when it may be left out; raises InvalidRequest.

    No query parameter is known beside it.
    """
    request, settings = call.request, call.service.settings
    parameters(request, {})
    if may_be_left_out and _has_no_body(request):
        return model()
    body.check_type(request, body.JSON)
    data = await body.read(request, settings.search_bytes_max, settings.body_seconds)
    return body.fitted(model, body.parsed(data))


def _has_no_body(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
