"""From a request to the endpoint of its path and method, and from errors to problems.

An `Operation` is one method of one path with all that is to be known about it: who may use it, what
it takes and gives. The routes and the OpenAPI document are both made from the same operations.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http import problems
from api.http.access import NOTHING, Scopes
from api.http.refusals import MethodNotAllowed, UnknownRoute
from api.http.service import Served, Service
from docstore import Closed, DocstoreError, NotFound, Unavailable

PREFIX = "/v1"


class KeyConvertor(Convertor[str]):
    """The rest of a path, whatever is in it: Starlette's own stops at a line end."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """The text as it is; endpoints read the raw path."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it is."""
        return value


register_url_convertor("key", KeyConvertor())


class Call:
    """One request on its way through an endpoint."""

    __slots__ = ("_served", "grant", "request", "service")

    def __init__(self, service: Service, request: Request) -> None:
        self.service = service
        self.request = request
        self.grant = NOTHING
        self._served: Served | None = None

    @property
    def name(self) -> str:
        """The collection's name in the path."""
        name: str = self.request.path_params["collection"]
        return name

    @property
    def seen(self) -> list[str]:
        """The names of the collections that the caller may see."""
        return [name for name in self.service.store.collections() if self.grant.sees(name)]

    @property
    def served(self) -> Served:
        """The collection in the path; raises NotFound, whose hint names what the caller may see."""
        if self._served is None:
            self._served = self._found()
        return self._served

    def _found(self) -> Served:
        try:
            return self.service.served(self.name)
        except NotFound as error:
            hint = f"collections: {', '.join(self.seen) or 'none yet'}"
            raise NotFound(error.message, hint=hint) from error

    @property
    def mark(self) -> str:
        """What the ETags of its collection end with; empty when none was looked at."""
        return "" if self._served is None else self._served.mark

    def told(self, error: DocstoreError) -> DocstoreError:
        """The error as it is to be told: of a collection dropped meanwhile, that it is gone."""
        if type(error) is not Closed or self._served is None or self.service.stopping.is_set():
            return error
        try:
            if self._found() is self._served:
                return error
        except DocstoreError as missing:
            return missing
        return Unavailable(
            f"collection {self.name!r} was dropped and made anew meanwhile",
            hint="ask again",
            retryable=True,
        )


Endpoint = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Operation:
    """One method of one path. `parameters` maps a query parameter to its JSON schema."""

    method: Literal["GET", "PUT", "POST", "PATCH", "DELETE"]
    path: str
    endpoint: Endpoint
    scope: Scopes | None
    summary: str
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_types: tuple[str, ...] = ()
    body_required: bool = True
    status: int = 200
    also: tuple[int, ...] = ()
    answer_type: str = "application/json"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()


class Path:
    """The ASGI application of one path: its methods."""

    def __init__(self, service: Service, operations: list[Operation]) -> None:
        self._service = service
        self._template = operations[0].path
        self._operations: dict[str, Operation] = {each.method: each for each in operations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens."""
        scope["docstore.route"] = self._template
        call = Call(self._service, Request(scope, receive, send))
        try:
            response = await self._answer(call)
        except DocstoreError as error:
            told = call.told(error)
            response = problems.problem_response(told, scope["docstore.request_id"], call.mark)
        await response(scope, receive, send)

    async def _answer(self, call: Call) -> Response:
        request = call.request
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._operations.get(method)
        if operation is None:
            allowed = [*self._operations, *(["HEAD"] if "GET" in self._operations else [])]
            raise MethodNotAllowed(
                f"{method[:20]} is not a method of this path",
                hint=f"use {', '.join(allowed)}",
                allowed=allowed,
            )
        if operation.scope is None:
            return await operation.endpoint(call)
        grant = call.grant = self._service.gate.grant_of(request)
        request.scope["docstore.key"] = grant.name
        grant.check(operation.scope, request.path_params.get("collection"))
        response: Response = await operation.endpoint(call)
        return response


class Shortcuts:
    """Finds the paths below a collection by a look into a table; all others are the router's.

    Nearly all requests are for these, and a router tries one pattern after another.
    """

    _BEFORE = f"{PREFIX}/collections/"

    def __init__(self, router: ASGIApp, paths: Mapping[str, "Path"]) -> None:
        self._router = router
        template = f"{self._BEFORE}{{collection}}/"
        below = {
            path.removeprefix(template): app
            for path, app in paths.items()
            if path.startswith(template)
        }
        self._fixed = {rest: app for rest, app in below.items() if "{" not in rest}
        self._keyed = {
            rest.removesuffix("{key:key}"): app
            for rest, app in below.items()
            if rest.endswith("/{key:key}") and rest.count("{") == 1
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        app = self._router
        if scope["type"] == "http" and scope["path"].startswith(self._BEFORE):
            name, _, rest = scope["path"][len(self._BEFORE) :].partition("/")
            found = self._fixed.get(rest) if name else None
            if found is not None:
                app, scope["path_params"] = found, {"collection": name}
            elif name and rest:
                before, slash, key = rest.partition("/")
                found = self._keyed.get(before + slash)
                if found is not None:
                    app, scope["path_params"] = found, {"collection": name, "key": key}
        await app(scope, receive, send)


async def unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to a path that no route has."""
    error = UnknownRoute("there is no such path", hint="GET /openapi.json lists all paths")
    response = problems.problem_response(error, scope["docstore.request_id"])
    await response(scope, receive, send)
