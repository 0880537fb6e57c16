"""The routes of the site, and what all its pages share: who may, how errors look, from where.

A page that writes takes forms of this very site only, whoever may ask: a form carries no key, so a
proxy that adds one would add it to other sites' forms too.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.demo import console, editing, rendering, results
from api.demo.finding import Scales
from api.demo.listings import COLLECTION
from api.http.access import Scopes
from api.http.refusals import MethodNotAllowed
from api.http.service import Service
from docstore import DocstoreError

Endpoint = Callable[[Service, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Page:
    """One path of the site: its endpoint per method."""

    path: str
    get: Endpoint
    post: Endpoint | None = None
    scope: Scopes | None = "read"


async def _asset(_: Service, request: Request) -> Response:
    return rendering.asset(request.path_params["file"])


async def _icon(_: Service, __: Request) -> Response:
    """What browsers ask for without being told, by JSON answers too: the pages' own mark."""
    return rendering.asset("mark.svg")


def routes(service: Service) -> Sequence[BaseRoute]:
    """All routes of the site."""
    pages = (
        _Page("/", partial(results.search_page, Scales())),
        _Page("/complete", results.completions),
        _Page("/listings/{key:key}", results.listing_page),
        _Page("/new", editing.new_page, editing.create),
        _Page("/edit/{key:key}", editing.edit_page, editing.save),
        _Page("/delete/{key:key}", editing.delete_page, editing.delete),
        _Page("/console", console.console_page, scope="admin"),
        _Page("/console/events", console.events, scope="admin"),
        _Page("/static/{file}", _asset, scope=None),
        _Page("/favicon.ico", _icon, scope=None),
    )
    return [Route(each.path, _Served(service, each)) for each in pages]


class _Served:
    """The ASGI application of one path."""

    def __init__(self, service: Service, page: _Page) -> None:
        self._service = service
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; an error becomes a page too."""
        scope["docstore.route"] = self._page.path
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
        except DocstoreError as error:
            response = rendering.problem_page(error)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        page = self._page
        if request.method in ("GET", "HEAD"):
            endpoint, needed = page.get, page.scope
        elif request.method == "POST" and page.post is not None:
            endpoint, needed = page.post, "write"
            self._service.gate.senders.check_site(request)
        else:
            raise MethodNotAllowed(
                "this page does not take this method", hint="open it", allowed=["GET"]
            )
        if needed is not None:
            grant = self._service.gate.grant_of(request)
            grant.check(needed, None if needed == "admin" else COLLECTION)
        return await endpoint(self._service, request)
