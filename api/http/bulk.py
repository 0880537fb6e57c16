"""Many documents in one request: NDJSON in, one result line per line out, while it goes on.

Invariants: a result says 200 or 201 only when the document is durable; results come in the order of
the lines; memory is bounded by two batches and one line, however long the body. A body that is cut
off leaves what was acknowledged and nothing else that counts: its rest is not written. When the
collection is dropped meanwhile each line from then on says that it is gone, also where another was
made under its name: nobody who began the request could mean that one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.http import body, models
from api.http.collections import ONE
from api.http.conditions import op_id_of, operation_of
from api.http.ndjson import Line, Lines
from api.http.problems import problem
from api.http.queries import parameters
from api.http.refusals import TooLarge
from api.http.routing import Call, Operation
from api.http.settings import Settings
from api.http.spool import Spool
from api.http.write_lines import WriteLine, written_line
from api.json_text import json_bytes
from api.load import generated_key_field
from api.whole_numbers import check_whole_numbers
from docstore import (
    BatchResult,
    Closed,
    DocstoreError,
    FailedWrite,
    InvalidDocument,
    Put,
    WriteResult,
)

W = TypeVar("W")

BATCH_LINES = 5_000
"""Lines of one commit: its own cost is lost among them; with 2,000 a document costs 7 % more."""
BATCH_BYTES = 4 * 1024 * 1024
PAUSE_SECONDS = 0.02
"""When nothing came for so long, what there is of a batch is written: the client may be waiting for
its results before it sends more, or have nothing more to send for hours."""

_PARAMETERS = {"if_absent": {"type": "boolean", "description": "Refuse documents that exist."}}


async def bulk(call: Call) -> Response:
    """Store many documents, one to a line."""
    given = parameters(call.request, _PARAMETERS)
    body.check_type(call.request, body.NDJSON)
    if_absent = given.get("if_absent", False)
    collection, settings = call.served.collection, call.service.settings
    op_id = op_id_of(call.request)
    if op_id is None:
        return await streamed(
            call,
            Writer(
                settings,
                lambda _, document: document,
                lambda documents: collection.put_many(documents, if_absent=if_absent),
            ),
        )
    field = generated_key_field(collection)

    def read(number: int, document: dict[str, Any]) -> Put:
        # Each line is an operation of its own: sent again, those that were written answer as then.
        operation = operation_of(op_id, number)
        needs_key = field is not None and document.get(field) is None
        key = operation if needs_key else None
        return Put(document, key, if_absent=if_absent, op_id=operation)

    return await streamed(call, Writer(settings, read, collection.write_many))


async def write(call: Call) -> Response:
    """Carry out many writes of any kind, one to a line, each with its own conditions."""
    parameters(call.request, {})
    body.check_type(call.request, body.NDJSON)
    collection, op_id = call.served.collection, op_id_of(call.request)
    read = partial(written_line, collection, op_id)
    return await streamed(call, Writer(call.service.settings, read, collection.write_many))


async def streamed(call: Call, writer: "Writer[Any]") -> Response:
    """The results of a body's lines, while it comes."""
    return await _Feeding(call, writer).response()


@dataclass(frozen=True, slots=True)
class Batch(Generic[W]):
    """Some lines by their numbers: the writes they are, in order, and why others are none."""

    numbers: list[int]
    writes: list[W]
    refused: dict[int, DocstoreError]


class Writer(Generic[W]):
    """Reads and writes batches of lines and says what became of each; runs in threads.

    `read` makes a write of a line's number and object, `commit` makes writes durable.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[int, dict[str, Any]], W],
        commit: Callable[[list[W]], BatchResult],
    ) -> None:
        self._read = read
        self.commit = commit
        self._line_bytes_max = settings.line_bytes_max
        self._document_bytes_max = settings.document_bytes_max

    def read(self, lines: list[Line]) -> "Batch[W]":
        """The writes of some lines, and what is no write."""
        numbers = [line.number for line in lines]
        writes: list[W] = []
        refused: dict[int, DocstoreError] = {}
        for line in lines:
            try:
                writes.append(self._read(line.number, self._object(line)))
            except DocstoreError as error:
                refused[line.number] = error
        return Batch(numbers, writes, refused)

    def _object(self, line: Line) -> dict[str, Any]:
        if line.data is None or len(line.data) > self._line_bytes_max:
            raise TooLarge(
                f"the line is longer than {self._line_bytes_max:,} bytes",
                hint="one document to a line, each line ended",
                bytes_max=self._line_bytes_max,
            )
        if len(line.data) > self._document_bytes_max:
            raise TooLarge(
                f"the document has more than {self._document_bytes_max:,} bytes",
                hint="store large content elsewhere and keep a reference",
                bytes_max=self._document_bytes_max,
            )
        try:
            document = orjson.loads(line.data)
        except orjson.JSONDecodeError as error:
            raise InvalidDocument(
                f"not JSON: {error.msg.partition(':')[0]} at column {error.colno}",
                hint="one JSON object per line",
                column=error.colno,
            ) from error
        if not isinstance(document, dict):
            raise InvalidDocument(
                f"a JSON {type(document).__name__}, not an object", hint="one JSON object per line"
            )
        check_whole_numbers(document, line.data)
        return document


def result_lines(batch: Batch[Any], written: BatchResult, gone: DocstoreError | None) -> bytes:
    """The result lines of a batch; `gone` is what to say of writes that found all closed."""
    outcomes = iter(written)

    def outcome_of(number: int) -> WriteResult | FailedWrite | DocstoreError:
        if number in batch.refused:
            return batch.refused[number]
        outcome = next(outcomes)
        if gone is not None and isinstance(outcome, FailedWrite) and _is_closed(outcome):
            return replace(outcome, error=gone)
        return outcome

    return b"".join(_result_line(number, outcome_of(number)) for number in batch.numbers)


def _is_closed(failed: FailedWrite) -> bool:
    return type(failed.error) is Closed


def _result_line(number: int, result: WriteResult | FailedWrite | DocstoreError) -> bytes:
    if isinstance(result, WriteResult):
        # Put together by hand: there is one for every document, and only the key varies in kind.
        at = result.position
        return b'{"line":%d,"status":%d,"key":%b,"version":%d,"position":"%d@%d:%d"%b}\n' % (
            number,
            201 if result.created else 200,
            json_bytes(result.key),
            result.version,
            at.partition,
            at.epoch,
            at.seq,
            b',"deleted":true' if result.deleted else b"",
        )
    error = result.error if isinstance(result, FailedWrite) else result
    members = problem(error)
    answer: dict[str, Any] = {"line": number, "status": members["status"]}
    if isinstance(result, FailedWrite) and result.key is not None:
        answer["key"] = result.key
    return json_bytes({**answer, "error": members}) + b"\n"


class _Feeding:
    """One bulk request: reads lines into batches, writes them, and spools the results."""

    def __init__(self, call: Call, writer: Writer[Any]) -> None:
        self._request = call.request
        self._told = call.told
        self._service = call.service
        self._settings = call.service.settings
        self._writer = writer
        self._lines = Lines(self._settings.line_bytes_max)
        self._spool = Spool()
        self._is_answering = False
        self._under_way: asyncio.Task[bytes] | None = None

    async def response(self) -> Response:
        """The streamed answer; what fails before there is a result is an error of its own."""
        feeder = asyncio.create_task(self._feed())
        first = asyncio.create_task(self._spool.read())
        await asyncio.wait((feeder, first), return_when=asyncio.FIRST_COMPLETED)
        if feeder.done() and (error := feeder.exception()) is not None:
            await first
            self._spool.close()
            raise error
        return _Streamed(feeder, first, self._spool)

    async def _feed(self) -> None:
        try:
            await self._read()
        except DocstoreError as error:
            if not self._is_answering:
                raise
            self._answer(_result_line(self._lines.number + 1, self._told(error)))
        finally:
            if self._under_way is not None and not self._under_way.done():
                await asyncio.wait((self._under_way,))
            self._spool.end()

    async def _read(self) -> None:
        batch: list[Line] = []
        size = 0
        seconds = self._settings.body_seconds
        try:
            async for chunk in body.chunks(self._request, seconds, PAUSE_SECONDS):
                for line in self._lines.feed(chunk):
                    batch.append(line)
                    size += len(line.data or b"")
                    if len(batch) >= BATCH_LINES or size >= BATCH_BYTES:
                        # Before it is submitted: what failed must not be tried again below.
                        full, batch, size = batch, [], 0
                        await self._submit(full)
                if not chunk:
                    some, batch, size = batch, [], 0
                    await self._submit(some)
                    await self._written()
            batch += self._lines.end()
        finally:
            # Also of a body that was cut off: its whole lines were sent to be written.
            await self._submit(batch)
            await self._written()

    async def _submit(self, batch: list[Line]) -> None:
        """Read a batch while the one before is written, and write it after that one."""
        if not batch:
            return
        read = await self._service.endure(lambda: self._writer.read(batch))
        await self._written()
        self._under_way = asyncio.create_task(self._results(read))

    async def _results(self, batch: Batch[Any]) -> bytes:
        """The result lines of a batch, which is durable before they are made."""
        written = await self._service.endure(lambda: self._writer.commit(batch.writes))
        closed = next(filter(_is_closed, written.errors), None)
        # Asked here and not in the thread: what is served is known to the event loop.
        gone = None if closed is None else self._told(closed.error)
        return await self._service.endure(lambda: result_lines(batch, written, gone))

    async def _written(self) -> None:
        if self._under_way is not None:
            task, self._under_way = self._under_way, None
            self._answer(await task)

    def _answer(self, results: bytes) -> None:
        self._is_answering = True
        self._spool.write(results)


class _Streamed(Response):
    """Sends what is spooled as it comes."""

    def __init__(
        self, feeder: asyncio.Task[None], first: asyncio.Task[bytes], spool: Spool
    ) -> None:
        super().__init__(None, 200, None, body.NDJSON[0])
        self._feeder, self._first, self._spool = feeder, first, spool
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer; the body of the request is read by the feeder meanwhile."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await send(start)
            data = await self._first
            while data:
                await send({"type": "http.response.body", "body": data, "more_body": True})
                data = await self._spool.read()
            await self._feeder  # its failure must not look like the end of the results
            await send({"type": "http.response.body", "body": b""})
        finally:
            await asyncio.wait((self._feeder,))
            self._spool.close()
            if not self._feeder.cancelled():
                self._feeder.exception()


OPERATIONS = (
    Operation(
        "POST",
        ONE + "/documents:bulk",
        bulk,
        "write",
        "Store many documents",
        models.LineResult,
        models.AnyDocument,
        body.NDJSON,
        answer_type=body.NDJSON[0],
        parameters=_PARAMETERS,
        headers=("Idempotency-Key",),
        refusals=(408,),
    ),
    Operation(
        "POST",
        ONE + "/documents:write",
        write,
        "write",
        "Carry out many writes",
        models.LineResult,
        WriteLine,
        body.NDJSON,
        answer_type=body.NDJSON[0],
        headers=("Idempotency-Key",),
        refusals=(408,),
    ),
)
