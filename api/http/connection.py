"""One client's connection: what uvicorn leaves open is bounded here.

A request's head must come whole within a time and a size, an answer must be read within a time
(counted from the end of its request's body), and there are only so many connections; who sends
something else than HTTP is told so as a problem, like every other error.
"""

import asyncio
import http
import re
import socket
import struct
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.body import WHOLE
from api.http.problems import problem_response
from api.http.refusals import Busy, HeadTooLarge, SlowHead
from api.http.settings import Settings
from docstore import DocstoreError, InvalidRequest

LINGER_BYTES = 32 * 1024 * 1024
"""What is read of a body after it was refused: closing at once could destroy the answer on its way,
because the other side's system drops what it received when the connection is reset."""

_AT_ONCE = struct.pack("ii", 1, 0)
"""The SO_LINGER of a socket that is closed without waiting for what was not sent."""

_UPGRADE = re.compile(rb"(?i)\r\nupgrade:")
_IGNORED = b"\r\nignored:"

JOINED_BYTES = 16 * 1024
"""What is held of an answer; a search of ten documents is a third of it."""


class Joining:
    """A transport that sends what is written in one turn of the loop at once.

    uvicorn writes the head of an answer and its body, and each write would be a system call and a
    packet of its own. More than JOINED_BYTES is sent at once, so that the transport can say that
    the other side does not keep up.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes) -> None:
        """Send bytes before the loop turns again."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)
        self._bytes += len(data)
        if self._bytes > JOINED_BYTES:
            self._send()

    def close(self) -> None:
        """Send what is held and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._held:
            data, self._held, self._bytes = b"".join(self._held), [], 0
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def without_upgrade(data: bytes) -> bytes:
    """The first bytes of a request with an `Upgrade` in its head made a header that means nothing.

    A server may stay with HTTP/1.1, but the parser believes what is asked for and reads no body:
    common clients ask for HTTP/2 so with their first request.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(_IGNORED, head) + end + rest


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with bounds; `with_settings` makes the class a server uses."""

    settings: ClassVar[Settings]
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True
    _is_lingering = False
    _linger_bytes = 0

    @classmethod
    def with_settings(cls, settings: Settings) -> "type[Connection]":
        """The protocol of a server with these bounds."""
        return type("Connection", (cls,), {"settings": settings})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client in, or refuse it when there are too many."""
        joining = Joining(transport, self.loop)
        super().connection_made(joining)  # type: ignore[arg-type]  # it does what a transport does
        if len(self.connections) > self.settings.connections_max:
            self._refuse(Busy("too many connections", hint="close some, or try again"))
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a client."""
        self._unwatch()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not keep up with its answer; told by the transport."""
        if self._unread is None:
            self._watch_reader()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads on."""
        self._is_read()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for long: close, and do not wait for a reader of the last answer."""
        if not self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._cut()
        super().timeout_keep_alive_handler()

    def _watch_reader(self) -> None:
        self._is_read()
        self._unread = self.loop.call_later(self.settings.answer_seconds, self._on_unread)

    def _on_unread(self) -> None:
        self._unread = None
        if not self._is_in_head:
            self._watch_reader()  # how long a body may take is bounded elsewhere
        elif not self.transport.is_closing():
            self._cut()

    def _cut(self) -> None:
        """End the connection and forget what was not read, in the system's buffers too."""
        peer = self.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the parser, counting those of a head."""
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._is_in_head and b"pgrade:" in data:
            data = without_upgrade(data)
        super().data_received(data)
        if self._is_lingering:
            self._linger_bytes += len(data)
            if self._linger_bytes > LINGER_BYTES:
                self.transport.close()
            return
        if not self._is_in_head or self.transport.is_closing():
            return
        if self._head_bytes > self.settings.header_bytes_max:
            self._refuse(self._too_large())
        elif self._timer is None and self._head_bytes > 0:
            # With none of the next head here, the request before is at work: as long as it likes.
            self._watch()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._unwatch()
        super().on_headers_complete()
        self._is_in_head = False

    def on_response_complete(self) -> None:
        """An answer is whole; what still comes of its request's body is passed over."""
        super().on_response_complete()
        if not self._is_in_head and not self.transport.is_closing():
            self._is_lingering = True
            self._timer = self.loop.call_later(self.settings.header_seconds, self.transport.close)

    def on_message_complete(self) -> None:
        """A request is whole; the next head may begin."""
        if self._is_lingering:
            self._unwatch()
            self._is_lingering = False
            self._linger_bytes = 0
        if self._unread is not None:
            self._watch_reader()  # many send all of a body before they read
        self._is_in_head = True
        self._head_bytes = 0
        self.scope[WHOLE] = True  # type: ignore[literal-required]  # for who reads the body
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's words are not ours
        """Tell a client that does not speak HTTP, or whose path is too long for the parser."""
        if self._is_in_head and self._head_bytes > self.settings.header_bytes_max:
            self._refuse(self._too_large())
            return
        self._refuse(InvalidRequest("this is not an HTTP/1.1 request", hint="use an HTTP client"))

    def _too_large(self) -> HeadTooLarge:
        maximum = self.settings.header_bytes_max
        return HeadTooLarge(
            f"the headers are larger than {maximum:,} bytes",
            hint="send a long search as a POST",
            bytes_max=maximum,
        )

    def _watch(self) -> None:
        self._timer = self.loop.call_later(self.settings.header_seconds, self._on_slow)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_slow(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._watch()  # a head sent ahead waits for the answer before it
            return
        if self._head_bytes == 0:
            self.transport.close()
            return
        seconds = self.settings.header_seconds
        self._refuse(
            SlowHead(f"the headers were not whole after {seconds:g} seconds", hint="send faster")
        )

    def _refuse(self, error: DocstoreError) -> None:
        cycle = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # anything more would read as part of the answer before
            return
        response = problem_response(error, "")
        response.headers["connection"] = "close"
        status = http.HTTPStatus(response.status_code)
        head = [b"HTTP/1.1 %d %b" % (status, status.phrase.encode())]
        head += [b"%b: %b" % pair for pair in response.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(response.body)]))
        self.transport.close()
