"""Writes and reads that take several requests, as conversations; pure, whoever sends them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from docstore.client.calls import PAGE, CollectionCalls, Result
from docstore.client.wire import Call, Conversation
from docstore.deleting import Deletions, check_narrowed
from docstore.merge_patch import merge_patch
from docstore.operations import Delete, Put, check_conditions, several
from docstore.queries.request import check_limit, positions_of
from docstore.types import (
    BatchResult,
    Change,
    DeleteResult,
    Document,
    FailedWrite,
    Key,
    Position,
    WriteResult,
)
from indexing.errors import DocstoreError, NotFound, VersionConflict

D = TypeVar("D")
E = TypeVar("E")

BATCH_LINES = 1_000
"""Lines of one request: at this size its own cost is lost among its documents."""
BATCH_BYTES = 1024 * 1024
BATCH_DELETED = 5_000
"""Documents that one request deletes: about a second's work."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a batch: the places and keys of its documents."""

    places: list[int]
    keys: list[Key]
    call: Call[list[Result]]


def write_many(
    calls: CollectionCalls[Any], operations: Iterable[Put | Delete]
) -> Conversation[BatchResult]:
    """Carry out writes in requests of bounded size; one result per write."""
    batch = Batch(calls)
    for step in batch.steps(operations):
        try:
            results = yield step.call
        except DocstoreError as error:
            batch.failed(step, error)
        else:
            batch.done(step, results)
    return batch.result()


def one(calls: CollectionCalls[Any], operation: Put | Delete) -> Conversation[WriteResult]:
    """Carry out one write; raises what refuses it. A seq travels in batches only."""
    if operation.if_seq is not None:
        (result,) = yield from write_many(calls, [operation])
        if isinstance(result, FailedWrite):
            raise result.error
        return result
    asked = operation.if_version, operation.if_present, operation.op_id
    written: WriteResult
    if isinstance(operation, Delete):
        written = yield calls.delete(operation.key, *asked)
    else:
        if_version, if_present, op_id = asked
        conditions = if_version, operation.if_absent, if_present
        written = yield calls.put(operation.document, operation.key, *conditions, op_id)
    return written


def get_many(calls: CollectionCalls[D], wanted: Iterable[Key]) -> Conversation[list[D | None]]:
    """Documents by key, a page of keys at a time."""
    found: list[D | None] = []
    left = iter(several(wanted, "get_many"))
    while some := list(islice(left, PAGE)):
        found += yield calls.get_many(some)
    return found


def patch(
    calls: CollectionCalls[Any], key: Key, change: Any, if_version: int | None, op_id: str | None
) -> Conversation[WriteResult]:
    """Change some fields of a document, checked by the model when there is one.

    The server knows the schema only, so a model's documents are read, merged and put under the
    version that was read, again when somebody was faster: what the embedded store does.
    """
    if not calls.has_model:
        result: WriteResult = yield calls.patch(key, change, if_version, op_id)
        return result
    check_conditions(if_version)
    while True:
        found = yield calls.stored(key)
        if found is None:
            raise NotFound(f"there is no document {key!r}", hint="put it first", key=key)
        version, tag, document = found
        expected = version if if_version is None else if_version
        merged = merge_patch(document, change)
        only = tag if version == expected else None
        try:
            result = yield calls.put(merged, key, expected, False, False, op_id, only)
        except VersionConflict:
            if if_version is not None:
                raise
        else:
            return result


def delete_by_query(
    calls: CollectionCalls[Any], question: dict[str, Any], max_documents: int | None
) -> Conversation[DeleteResult]:
    """Delete what matches, some of it with each request."""
    check_narrowed(question["q"], question["filter"], question["query"])
    done = Deletions(max_documents)
    while most := done.next(BATCH_DELETED):
        done.add((yield calls.delete_by_query(question, most)))
    return done.result()


class Batch:
    """What became of documents, as it becomes known. Holds one request and all results."""

    def __init__(self, calls: CollectionCalls[Any]) -> None:
        self._calls = calls
        self._results: dict[int, Result] = {}

    def steps(self, operations: Iterable[Put | Delete]) -> Iterator[Step]:
        """The requests that carry writes out; refused ones are in the result and not sent."""
        places: list[int] = []
        keys: list[Key] = []
        lines: list[bytes] = []
        size = 0
        for place, operation in enumerate(operations):
            try:
                key, line = self._calls.line(operation)
            except DocstoreError as error:
                self._results[place] = FailedWrite(place, operation.key, error)
                continue
            places.append(place)
            keys.append(key)
            lines.append(line)
            size += len(line)
            if len(lines) >= BATCH_LINES or size >= BATCH_BYTES:
                yield Step(places, keys, self._calls.batch(places, keys, lines))
                places, keys, lines, size = [], [], [], 0
        if lines:
            yield Step(places, keys, self._calls.batch(places, keys, lines))

    def done(self, step: Step, results: list[Result]) -> None:
        """The answer to a request."""
        self._results.update(zip(step.places, results, strict=True))

    def failed(self, step: Step, error: DocstoreError) -> None:
        """A request that failed as a whole.

        Raises the error when it would be that of every other too and nothing was written yet;
        afterwards what was acknowledged must still be reported.
        """
        is_of_all = isinstance(error, NotFound) or "problem" in error.data
        if is_of_all and not any(isinstance(each, WriteResult) for each in self._results.values()):
            raise error
        for place, key in zip(step.places, step.keys, strict=True):
            self._results[place] = FailedWrite(place, key, error)

    def result(self) -> BatchResult:
        """One result per document, in the order of the documents."""
        answers = [self._results[place] for place in sorted(self._results)]
        failed = {each.index: each for each in answers if isinstance(each, FailedWrite)}
        last: dict[int, Position] = {}
        for each in answers:
            if isinstance(each, WriteResult):
                known = last.get(each.position.partition)
                if known is None or known.seq < each.position.seq:
                    last[each.position.partition] = each.position
        positions = tuple(last[number] for number in sorted(last))
        return BatchResult(answers, failed, positions, lambda answer: answer)


class Pages(Protocol[E]):
    """What is read page by page: `call` asks for the next one; None at the end."""

    call: Call[Any] | None

    def take(self, answer: Any) -> list[E]:
        """What a page holds."""


class ScanPages(Generic[D]):
    """The pages of a scan; raises InvalidRequest, InvalidDocument when made."""

    def __init__(
        self,
        calls: CollectionCalls[D],
        start: Key | None,
        end: Key | None,
        prefix: Key | None,
        limit: int | None,
        *,
        reverse: bool,
    ) -> None:
        check_limit(limit)
        self._calls, self._left = calls, limit
        self._bounds, self._reverse = (start, end, prefix), reverse
        first = self._next(None)
        self.call = None if limit == 0 else first

    def _next(self, cursor: str | None) -> Call[tuple[list[Document[D]], str | None]]:
        size = PAGE if self._left is None else min(PAGE, self._left)
        return self._calls.scan(*self._bounds, size, self._reverse, cursor)

    def take(self, answer: tuple[list[Document[D]], str | None]) -> list[Document[D]]:
        """The documents of a page."""
        found, cursor = answer
        self._left = None if self._left is None else self._left - len(found)
        self.call = None if cursor is None or self._left == 0 else self._next(cursor)
        return found


class ChangePages(Generic[D]):
    """The pages of the writes since some positions; raises InvalidRequest when made."""

    def __init__(self, calls: CollectionCalls[D], after: Any, limit: int | None) -> None:
        check_limit(limit)
        self._calls, self._left = calls, limit
        self._seen = {} if after is None else {each.partition: each for each in positions_of(after)}
        self.call = None if limit == 0 else self._next()

    def _size(self) -> int:
        return PAGE if self._left is None else min(PAGE, self._left)

    def _next(self) -> Call[list[Change[D]]]:
        return self._calls.changes(self._seen.values(), self._size())

    def take(self, found: list[Change[D]]) -> list[Change[D]]:
        """The writes of a page."""
        for change in found:
            self._seen[change.position.partition] = change.position
        is_last = len(found) < self._size()
        self._left = None if self._left is None else self._left - len(found)
        self.call = None if is_last or self._left == 0 else self._next()
        return found
