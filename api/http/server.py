"""A server: the application on a socket, and how it ends without losing anything.

Stopping tells endless streams to end, waits for requests under way, then for every write that was
taken, and closes the store last.
"""

import gc
import ipaddress
import socket
import sys
from collections.abc import Callable

import uvicorn

from api.http.app import Pages, create_app, no_site
from api.http.connection import Connection
from api.http.ingress import Ingress
from api.http.settings import Settings
from docstore import InvalidRequest, Store, Unavailable

KEEP_ALIVE_SECONDS = 30
SWITCH_SECONDS = 0.0002
"""How long a thread may keep the interpreter while the event loop waits for it: by default 5 ms,
in which the loop would answer a hundred requests."""
GARBAGE_THRESHOLDS = (20_000, 20, 50)
"""How many new objects wait for the collector: by default 700, among which a batch of documents is
looked through thousands of times to find nothing; a load took a fifth more processor time. What the
program itself is made of is not looked at any more."""
_BACKLOG = 1024


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings) -> None:
    """Refuse to serve other machines without keys; raises InvalidRequest."""
    if settings.api_key_file is None and not is_loopback(settings.host):
        raise InvalidRequest(
            f"{settings.host} can be reached from other machines, and there are no API keys",
            hint="make keys with docstore keys add FILE NAME and pass --api-key-file FILE",
            field="host",
        )


class Server(uvicorn.Server):
    """uvicorn's server that tells when it is ready and lets streams end before it waits."""

    def __init__(self, app: Ingress, settings: Settings, ready: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                loop="uvloop",
                http=Connection.with_settings(settings),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=settings.shutdown_seconds,
                backlog=_BACKLOG,
            )
        )
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell at which address."""
        await super().startup(sockets)
        for each in self.servers:
            host, port = each.sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            self._ready(f"http://{shown}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: streams first, which would otherwise be waited for."""
        self._app.service.stop()
        await super().shutdown(sockets)


def serve(
    store: Store, settings: Settings, ready: Callable[[str], None], pages: Pages = no_site
) -> None:
    """Serve a store until told to stop; raises Unavailable when the address cannot be used.

    `pages` are routes beside the API's.
    """
    check_exposure(settings)
    sys.setswitchinterval(SWITCH_SECONDS)
    server = Server(create_app(store, settings, pages), settings, ready)
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    listener = _listener(settings)
    with listener:
        server.run([listener])


def _listener(settings: Settings) -> socket.socket:
    """The socket to listen on, taken before anything is started."""
    host = settings.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, settings.port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}",
            hint="choose another --port, or stop what listens there",
        ) from error
    return listener
