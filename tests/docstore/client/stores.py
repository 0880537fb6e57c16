"""The same store embedded, over HTTP and asynchronously, and a line that drops answers."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import docstore
from docstore.client.interface import StoreLike
from tests.api.http.conftest import Running


class Awaited:
    """An asynchronous store or collection with its coroutines run to their end."""

    def __init__(self, wrapped: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._wrapped, self._loop = wrapped, loop

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._wrapped.close())
        self._loop.close()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._wrapped, name)
        if not callable(attribute):
            return attribute

        def called(*arguments: Any, **options: Any) -> Any:
            result = attribute(*arguments, **options)
            if hasattr(result, "__aiter__"):
                return self._items(result)
            return self._plain(self._loop.run_until_complete(result))

        return called

    def _items(self, result: Any) -> Iterator[Any]:
        while True:
            try:
                yield self._loop.run_until_complete(anext(result))
            except StopAsyncIteration:
                return

    def _plain(self, value: Any) -> Any:
        is_collection = isinstance(value, docstore.client.async_collection.AsyncCollection)
        return Awaited(value, self._loop) if is_collection else value


KINDS = ("embedded", "http", "async")


def opened(kind: str, path: Path) -> tuple[Any, Callable[[], None]]:
    """A store of a kind over a directory, and how to end it."""
    if kind == "embedded":
        store: StoreLike = docstore.connect(path)
        return store, store.close
    running = Running(path)
    remote: Any
    if kind == "http":
        remote = docstore.connect(running.url)
    else:
        remote = Awaited(docstore.aconnect(running.url), asyncio.new_event_loop())

    def end() -> None:
        remote.__exit__(None, None, None)
        running.stop()

    return remote, end


class LossyLine:
    """Passes requests on to a server, each on its own connection, and drops the first answers.

    An answer is dropped after the server gave it, so what was asked is done.
    """

    def __init__(self, url: str, drop: int) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._server = (host, int(port))
        self._left = drop
        self.dropped = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client:
                client.settimeout(20)
                head = client.recv(65536)
                if not head:
                    return  # the connection that `close` makes
                with socket.create_connection(self._server, timeout=20) as server:
                    server.sendall(_closing(_whole(client, head)))
                    answer = b""
                    while part := server.recv(65536):
                        answer += part
                if self._left:
                    self._left -= 1
                    self.dropped += 1
                else:
                    client.sendall(answer)

    def close(self) -> None:
        """Stop passing on."""
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join(20)
        self._listener.close()


def _whole(client: socket.socket, data: bytes) -> bytes:
    """A whole request, of which some bytes came."""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def _closing(request: bytes) -> bytes:
    """The request, after whose answer the server closes the connection."""
    return request.replace(b"\r\nConnection: keep-alive", b"\r\nConnection: close", 1)


class Speaking:
    """A server that answers every connection with the next of some answers, at last the same."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.asked_at: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client:
                if not client.recv(65536):
                    return
                self.asked_at.append(time.monotonic())
                client.sendall(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])

    def close(self) -> None:
        """Stop answering."""
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join(20)
        self._listener.close()
