"""The API describes itself: its OpenAPI document, a page that shows it, the kinds of problems.

The page's program and style come with the package, so it works without the internet.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]  # has no types

from api.http.answers import json_response
from api.http.openapi import document
from api.http.problems import STATUSES, TYPE_PREFIX
from api.http.queries import parameters
from api.http.refusals import UnknownRoute
from api.http.routing import PREFIX, Call, Operation
from api.json_text import json_bytes
from api.version import VERSION

_CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>docstore API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="api"><a href="/openapi.json">The OpenAPI document</a></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true});\n'
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_KEPT = {"cache-control": "public, max-age=86400"}


def operations(served: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations that describe the served ones, and themselves."""
    described = tuple(served)

    @lru_cache(maxsize=1)
    def openapi_bytes() -> bytes:
        return json_bytes(document((*described, *own)))

    async def openapi(call: Call) -> Response:
        """This API as an OpenAPI 3.1 document."""
        parameters(call.request, {})
        return Response(openapi_bytes(), 200, None, "application/json")

    own = (
        Operation("GET", "/openapi.json", openapi, None, "Describe the API", None),
        Operation("GET", "/docs", docs, None, "Show the API", answer_type="text/html"),
        Operation(
            "GET",
            TYPE_PREFIX + "{code}",
            explain_problem,
            None,
            "Say what a problem means",
            answer_type="text/plain",
        ),
    )
    return own


def assets() -> tuple[Operation, ...]:
    """The files of the page; no part of the API."""
    return (Operation("GET", "/docs/{file}", asset, None, "A file of the page"),)


def entrance() -> tuple[Operation, ...]:
    """What is at the server's bare address, where no site stands; no part of the API."""
    return (Operation("GET", "/", enter, None, "Say where the API is"),)


async def enter(call: Call) -> Response:
    """The page that shows the API for a browser, where to find what for a program."""
    parameters(call.request, {})
    if "text/html" in call.request.headers.get("accept", ""):
        return RedirectResponse("/docs", 303)
    return json_response(
        {
            "name": "docstore",
            "version": VERSION,
            "collections": f"{PREFIX}/collections",
            "docs": "/docs",
            "openapi": "/openapi.json",
        }
    )


async def docs(call: Call) -> Response:
    """A page that shows this API."""
    parameters(call.request, {})
    return HTMLResponse(_PAGE, headers={"content-security-policy": _CONTENT_SECURITY})


async def asset(call: Call) -> Response:
    """A file of the page: one of few, by its exact name."""
    name = call.request.path_params["file"]
    if name == "start.js":
        return Response(_START, 200, _KEPT, "text/javascript")
    if name not in _ASSETS:
        raise UnknownRoute("there is no such file", hint="GET /docs shows the API")
    return FileResponse(Path(swagger_ui_path) / name, 200, _KEPT, _ASSETS[name])


async def explain_problem(call: Call) -> Response:
    """What a problem's type means, in words."""
    parameters(call.request, {})
    code = call.request.path_params["code"]
    for kind, (status, title) in STATUSES.items():
        if kind.code == code:
            return PlainTextResponse(f"{status} {title}\n\n{kind.__doc__}\n")
    raise UnknownRoute(
        "there is no such kind of problem", hint=", ".join(kind.code for kind in STATUSES)
    )
