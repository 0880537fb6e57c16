"""The application: settings, store and routes put together.

Routes that no shortcut finds stand in the order of how often they are asked for, because they are
tried one by one.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from api.http import (
    bulk,
    collections,
    describing,
    documents,
    feed,
    growing,
    hot_keys,
    hot_terms,
    indexes,
    maintenance,
    operating,
    partitions,
    scans,
    searches,
)
from api.http.ingress import Ingress
from api.http.routing import Operation, Path, Shortcuts, unknown_route
from api.http.service import Service
from api.http.settings import Settings
from docstore import Store

OPERATIONS: tuple[Operation, ...] = (
    *searches.OPERATIONS,
    *documents.OPERATIONS,
    *bulk.OPERATIONS,
    *scans.OPERATIONS,
    *feed.OPERATIONS,
    *collections.OPERATIONS,
    *maintenance.OPERATIONS,
    *partitions.OPERATIONS,
    *growing.OPERATIONS,
    *hot_keys.OPERATIONS,
    *hot_terms.OPERATIONS,
    *indexes.OPERATIONS,
    *operating.OPERATIONS,
)

_CORS_METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")
_CORS_EXPOSED = ("ETag", "Location", "Docstore-Position", "X-Request-Id", "Link", "Retry-After")


Pages = Callable[[Service], Sequence[BaseRoute]]
"""Makes routes that are served beside the API's, like those of a site."""


def no_site(service: Service) -> Sequence[BaseRoute]:
    """The API alone; its bare address leads to its description."""
    return [Route(each.path, Path(service, [each])) for each in describing.entrance()]


def create_app(store: Store, settings: Settings, pages: Pages = no_site) -> Ingress:
    """The ASGI application of a store; it closes the store when it shuts down."""
    service = Service(store, settings)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await service.close()

    by_path: dict[str, list[Operation]] = {}
    own = describing.operations(OPERATIONS)
    for operation in (*OPERATIONS, *own, *describing.assets()):
        by_path.setdefault(operation.path, []).append(operation)
    paths = {path: Path(service, operations) for path, operations in by_path.items()}
    router = Router(
        [
            *(Route(path, app) for path, app in paths.items()),
            *pages(service),
        ],
        redirect_slashes=False,
        default=unknown_route,
        lifespan=lifespan,
    )
    app: ASGIApp = Shortcuts(router, paths)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=_CORS_METHODS,
            allow_headers=["*"],
            expose_headers=_CORS_EXPOSED,
        )
    return Ingress(app, service)
