"""The changes of a collection as a stream: NDJSON or server-sent events, ended or followed.

Invariants: a reader that passes on what it saw last misses nothing; a slow reader holds up nothing
but its own stream; an idle stream shows that it lives by a heartbeat. A stream ends when the client
goes or the server stops; when the log has forgotten what comes next, or the key was revoked, its
last line tells.
"""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.http import body, models
from api.http.answers import POSITION_HEADER, change_json, position_text
from api.http.collections import ONE
from api.http.problems import problem
from api.http.queries import parameters
from api.http.refusals import Busy, NotAcceptable
from api.http.routing import Call, Operation
from api.http.service import Service
from api.json_text import json_bytes
from docstore import Change, Collection, DocstoreError, Position
from docstore.queries.request import positions_of

BATCH = 256
LOOK_SECONDS = 0.1
"""How often an idle stream looks at the logs' heads, which are numbers in memory."""
EVENT_STREAM = "text/event-stream"
NOW = "now"

_PARAMETERS: dict[str, Any] = {
    "after": {
        "type": "string",
        "description": "Positions seen last, with spaces between them, or `now`.",
    },
    "limit": {"type": "integer", "minimum": 0},
    "follow": {
        "type": "boolean",
        "description": "Whether to wait for more; without it, events do and NDJSON does not.",
    },
}


async def changes(call: Call) -> Response:
    """The writes since a position: which operation, key and version each was.

    `document` is what the log still holds of a put: null when a later write of the same document,
    which follows in the same feed, has replaced it. A reader passes such a change over.
    """
    given = parameters(call.request, _PARAMETERS)
    is_events = _wants_events(call.request)
    collection = call.served.bytes
    after = call.request.headers.get("last-event-id") or given.get("after")
    begin: tuple[Position, ...] = ()
    if after is not None:
        begin = collection.position() if after == NOW else positions_of(after)
    if call.service.streams >= call.service.settings.change_streams_max:
        raise Busy("too many read the changes already", hint="close a stream you do not need")
    # Before anything is waited for, or all that ask in one moment would be let in.
    call.service.streams += 1
    try:
        # Tells a wrong or forgotten position while there is still a status to tell it with.
        await call.service.run(lambda: collection.changes(begin, 0))
    except BaseException:
        call.service.streams -= 1
        raise
    return _Stream(
        call.service,
        collection,
        begin,
        lambda: call.service.gate.grant_of(call.request).check("read", call.name),
        call.told,
        is_events=is_events,
        follows=given.get("follow", is_events),
        limit=given.get("limit"),
    )


def _wants_events(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*").lower()
    kinds = [each.partition(";")[0].strip() for each in accepted.split(",")]
    if EVENT_STREAM in kinds:
        return True
    if {"*/*", "application/*", *body.NDJSON} & set(kinds):
        return False
    raise NotAcceptable(
        "changes come as NDJSON or as server-sent events",
        hint=f"accept {body.NDJSON[0]} or {EVENT_STREAM}",
    )


def _line(value: Any) -> bytes:
    return json_bytes(value) + b"\n"


class _Stream(Response):
    """One reader's stream; gives its place among the streams back when it ends."""

    def __init__(
        self,
        service: Service,
        collection: Collection[bytes],
        begin: tuple[Position, ...],
        check: Callable[[], None],
        told: Callable[[DocstoreError], DocstoreError],
        *,
        is_events: bool,
        follows: bool,
        limit: int | None,
    ) -> None:
        kind = EVENT_STREAM if is_events else body.NDJSON[0]
        super().__init__(None, 200, {POSITION_HEADER: position_text(begin)}, kind)
        del self.headers["content-length"]
        self._service = service
        self._collection = collection
        self._check = check
        self._told = told
        self._is_events = is_events
        self._follows = follows
        self._left = limit
        self._seen = {each.partition: each for each in begin}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send changes until the stream's end."""
        self._service.metrics.streams.inc()
        gone = asyncio.create_task(_gone(receive))
        try:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            await self._send_all(gone, send)
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self._service.streams -= 1
            self._service.metrics.streams.dec()

    async def _send_all(self, gone: asyncio.Task[None], send: Send) -> None:
        try:
            while not gone.done() and not self._service.stopping.is_set() and self._left != 0:
                self._check()
                batch = await self._service.run(self._next)
                if batch:
                    await _sent(send, b"".join(map(self._form, batch)))
                elif not self._follows or not await self._more(gone, send):
                    return
        except DocstoreError as error:
            await _sent(send, self._problem(self._told(error)))

    def _next(self) -> list[Change[bytes]]:
        most = BATCH if self._left is None else min(BATCH, self._left)
        return list(islice(self._collection.changes(self._seen.values()), most))

    async def _more(self, gone: asyncio.Task[None], send: Send) -> bool:
        """Wait for another change, with a heartbeat now and then; False when there is no use."""
        loop = asyncio.get_running_loop()
        beat = loop.time() + self._service.settings.heartbeat_seconds
        stopping = asyncio.create_task(self._service.stopping.wait())
        try:
            while not self._has_more():
                done, _ = await asyncio.wait((gone, stopping), timeout=LOOK_SECONDS)
                if done:
                    return False
                self._check()  # a key that was revoked ends what it began
                if loop.time() >= beat:
                    await _sent(send, self._heartbeat())
                    beat = loop.time() + self._service.settings.heartbeat_seconds
        finally:
            stopping.cancel()
        return True

    def _has_more(self) -> bool:
        seen = self._seen
        if not any(
            head.seq > (seen[head.partition].seq if head.partition in seen else 0)
            for head in self._collection.position()
        ):
            return False
        try:
            # A partition that came of a split has a head, but perhaps nothing of its own yet.
            return next(self._collection.changes(seen.values(), 1), None) is not None
        except DocstoreError:
            return True  # reading it will tell

    def _form(self, change: Change[bytes]) -> bytes:
        self._seen[change.position.partition] = change.position
        if self._left is not None:
            self._left -= 1
        data = _line(change_json(change))
        if not self._is_events:
            return data
        seen = position_text(self._seen.values()).encode()
        return b"id: %b\nevent: %b\ndata: %b\n" % (seen, change.operation.encode(), data)

    def _heartbeat(self) -> bytes:
        if self._is_events:
            return b": still here\n\n"
        return _line({"heartbeat": True, "position": [str(each) for each in self._seen.values()]})

    def _problem(self, error: DocstoreError) -> bytes:
        data = _line(problem(error))
        return b"event: problem\ndata: %b\n" % data if self._is_events else data


async def _gone(receive: Receive) -> None:
    """Returns when the client went away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _sent(send: Callable[[Any], Any], data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


OPERATIONS = (
    Operation(
        "GET",
        ONE + "/changes",
        changes,
        "read",
        "Read or follow the changes",
        models.Change,
        answer_type=body.NDJSON[0],
        parameters=_PARAMETERS,
        refusals=(406, 410),
    ),
)
