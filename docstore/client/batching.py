"""Many documents in requests of bounded size, and their results put together; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from docstore.client.calls import CollectionCalls, Result
from docstore.client.wire import Answer, Call
from docstore.types import BatchResult, FailedWrite, Key, Position, WriteResult
from indexing.errors import DocstoreError, NotFound

BATCH_LINES = 1_000
"""Lines of one request: at this size its own cost is lost among its documents."""
BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a batch: the places and keys of its documents."""

    places: list[int]
    keys: list[Key]
    call: Call[list[Result]]


class Batch:
    """What became of documents, as it becomes known. Holds one request and all results."""

    def __init__(self, calls: CollectionCalls[Any]) -> None:
        self._calls = calls
        self._results: dict[int, Result] = {}

    def puts(self, documents: Iterable[Any], *, if_absent: bool) -> Iterator[Step]:
        """The requests that store documents; refused ones are in the result and not sent."""
        places: list[int] = []
        keys: list[Key] = []
        lines: list[bytes] = []
        size = 0
        for place, document in enumerate(documents):
            try:
                key, body = self._calls.encoded(document)
            except DocstoreError as error:
                self._results[place] = FailedWrite(place, None, error)
                continue
            if _has_bytes(key):
                # A line has no other key than the document's fields, and JSON no bytes.
                yield _single(
                    place, key, self._calls.put(document, key, None, if_absent, False, None)
                )
                continue
            places.append(place)
            keys.append(key)
            lines.append(body)
            size += len(body)
            if len(lines) >= BATCH_LINES or size >= BATCH_BYTES:
                yield Step(places, keys, self._calls.bulk(places, keys, lines, if_absent))
                places, keys, lines, size = [], [], [], 0
        if lines:
            yield Step(places, keys, self._calls.bulk(places, keys, lines, if_absent))

    def deletes(self, wanted: Iterable[Key]) -> Iterator[Step]:
        """The requests that remove documents, one each."""
        for place, key in enumerate(wanted):
            try:
                call = self._calls.delete(key, None, None)
            except DocstoreError as error:
                self._results[place] = FailedWrite(place, key, error)
                continue
            yield _single(place, key, call)

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


def _single(place: int, key: Key, call: Call[WriteResult]) -> Step:
    def read(answer: Answer) -> list[Result]:
        return [call.read(answer)]

    one = Call(call.method, call.path, read, call.body, call.headers, key=call.key)
    return Step([place], [key], one)


def _has_bytes(key: Key) -> bool:
    return any(isinstance(part, bytes) for part in (key if isinstance(key, tuple) else (key,)))
