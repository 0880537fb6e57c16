"""A served store for tests: in this process with a test client, or over a real socket."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.http.app import Pages, create_app, no_site
from api.http.server import Server
from api.http.settings import Settings
from docstore import Store

CARS: list[dict[str, Any]] = [
    {"id": "a1", "make": "Ford", "model": "F-150", "price": 9500, "about": "runs like new"},
    {"id": "a2", "make": "Ford", "model": "Focus", "price": 12000, "about": "two owners"},
    {"id": "a3", "make": "BMW", "model": "328i", "price": 15000, "about": "new tires"},
]
SCHEMA = {
    "fields": {
        "id": "keyword",
        "make": "keyword",
        "model": "string",
        "price": "int",
        "about": {"type": "text", "analyzer": "english"},
    }
}


class Running:
    """A server in a thread of its own, on a port of its own."""

    def __init__(self, path: Path, pages: Pages = no_site, **settings: Any) -> None:
        chosen = Settings(port=0, access_log=False, **settings)
        self.url = ""
        self._is_ready = threading.Event()
        self._server = Server(create_app(Store.open(path), chosen, pages), chosen, self._ready)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        assert self._is_ready.wait(20)

    def _ready(self, url: str) -> None:
        self.url = url
        self._is_ready.set()

    def connection(self) -> socket.socket:
        """A bare connection to the server."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def exchange(self, request: bytes) -> bytes:
        """What the server answers to some bytes until it closes the connection."""
        with self.connection() as connection:
            connection.sendall(request)
            return received(connection)

    @property
    def connections(self) -> set[Any]:
        """The connections that are open now."""
        return set(self._server.server_state.connections)

    def ask_to_stop(self) -> None:
        """Tell the server to stop, as a signal would."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Stop the server and wait until it has."""
        self.ask_to_stop()
        self._thread.join(30)
        assert not self._thread.is_alive()


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


Serve = Callable[..., Running]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves the test's store on a real socket; every invariant is checked at the end."""
    running: list[Running] = []

    def served(**settings: Any) -> Running:
        while running:
            running.pop().stop()
        running.append(Running(tmp_path / "data", **settings))
        return running[-1]

    yield served
    while running:
        running.pop().stop()
    with Store.open(tmp_path / "data") as store:
        assert list(store.check()) == []


Connect = Callable[..., TestClient]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Serves the test's store to a client, with settings; every invariant is checked at the end."""
    clients: list[TestClient] = []

    def connected(**settings: Any) -> TestClient:
        while clients:
            clients.pop().__exit__(None, None, None)
        app = create_app(
            Store.open(tmp_path / "data"), Settings(**{"access_log": False, **settings})
        )
        clients.append(TestClient(app, "http://localhost").__enter__())
        return clients[-1]

    yield connected
    while clients:
        clients.pop().__exit__(None, None, None)
    with Store.open(tmp_path / "data") as store:
        assert list(store.check()) == []


@pytest.fixture
def client(connect: Connect) -> TestClient:
    """A client of an empty store."""
    return connect()


@pytest.fixture
def cars(client: TestClient) -> TestClient:
    """A client of a store with three cars in the collection `cars`."""
    made = client.put("/v1/collections/cars", json={"schema": SCHEMA, "partitions": 3})
    assert made.status_code == 201
    for car in CARS:
        put = client.put(f"/v1/collections/cars/documents/{car['id']}", json=car)
        assert put.status_code == 201
    return client
