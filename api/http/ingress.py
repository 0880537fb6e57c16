"""What happens to every request: it gets an id, safe headers, and an answer even to a mistake.

The one layer around all routes, written as plain ASGI because it is on every request's way.
"""

import re
import secrets
import sys
import time
import traceback
from itertools import count
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems
from api.http.service import Service

_PROCESS = secrets.token_hex(4)
_NUMBERS = count(1)
"""Ids of this process's requests: a system call for each would cost more than all else here."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""What a client may name its request: nothing that could end a header or a line of a log."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_NAMES = {name for name, _ in _HEADERS}


class Ingress:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see to it that it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["docstore.request_id"] = request_id
        own = [(b"x-request-id", request_id.encode())]
        at, began, status = time.time(), time.perf_counter(), 0

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                given = {name for name, _ in headers} & _NAMES
                message["headers"] = [
                    *headers,
                    *own,
                    *(each for each in _HEADERS if each[0] not in given),
                ]
            await send(message)

        try:
            await self._app(scope, receive, answering)
        except Exception as error:
            _tell(request_id, error)
            if status:
                raise
            response = problems.problem_response(problems.internal(error), request_id)
            await response(scope, receive, answering)
        finally:
            seconds = time.perf_counter() - began
            route = scope.get("docstore.route", "unknown")
            # Methods are bounded too: a client may make up any.
            method = scope["method"] if route != "unknown" and status != 405 else "other"
            self.service.metrics.ended(method, route, status, seconds)
            self.service.log.ended(at, scope, request_id, status, seconds)


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            text: str = value.decode()
            return text
    return f"{_PROCESS}{next(_NUMBERS):08x}"


def _tell(request_id: str, error: BaseException) -> None:
    """Write a mistake where the operator looks; the client gets the id only."""
    trace = "".join(traceback.format_exception(error))
    sys.stderr.write(f"request {request_id} failed:\n{trace}")
