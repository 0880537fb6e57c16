"""Loading lines of JSON into a collection, batch by batch, able to go on where it was stopped.

Invariants: a batch is acknowledged before its lines are noted as done; a line that cannot be a
document is reported and stops nothing else, a store that cannot write stops the load; an interrupt
waits for the batch under way. Deliberately absent: how progress and reports look.
"""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from types import FrameType
from typing import Any, NamedTuple

import orjson

from api.lines import LINE_BYTES_MAX, Line
from api.load_progress import LoadProgress, Mark
from api.whole_numbers import check_whole_numbers
from docstore import Collection, DocstoreError, InvalidDocument, InvalidRequest
from indexing.schema import Kind

BATCH_BYTES = 16 * 1024 * 1024
"""A batch ends here even when it has fewer documents than asked: memory stays bounded."""


class Refused(NamedTuple):
    """A line that was not loaded, and why."""

    line: Line
    error: DocstoreError


class Stopped(Exception):
    """The load stops at its first refused line, as it was asked to."""


@dataclass
class Tally:
    """What a load has done: documents acknowledged, lines refused, keys generated.

    `refused_before` are lines that the load refused before it was stopped and went on.
    """

    loaded: int = 0
    refused: int = 0
    refused_before: int = 0
    generated: int = 0
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self.began

    @property
    def rate(self) -> float:
        """Documents per second."""
        return self.loaded / max(self.seconds, 1e-9)


class Interrupts:
    """Makes Ctrl-C wait for a guarded piece of work; a second Ctrl-C does not wait.

    Only the main thread may use it, as the signal module asks.
    """

    def __init__(self) -> None:
        self._is_guarding = False
        self._is_asked = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Take over SIGINT, and give it back."""
        previous = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_guarding or self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Hold an interrupt back until the body is done."""
        self._is_guarding = True
        try:
            yield
        finally:
            self._is_guarding = False
        if self._is_asked:
            raise KeyboardInterrupt


class Loader:
    """Puts batches of lines into one collection and notes how far it has come."""

    def __init__(
        self,
        collection: Collection[Any],
        progress: LoadProgress,
        tally: Tally,
        report: Callable[[Refused], None],
        *,
        stop_on_error: bool,
    ) -> None:
        self._collection = collection
        self._progress = progress
        self._report = report
        self._stop_on_error = stop_on_error
        self.generates_for = generated_key_field(collection)
        self._tally = tally

    def load(self, batch: list[Line]) -> None:
        """Put a batch, report what was refused, note its lines as done.

        Raises Stopped at a refused line when asked to, and what a store raises that cannot write.
        Lines after one that is not JSON are then not put; those of the batch after a document that
        the store refuses are.
        """
        documents, lines, refused = self._parsed(batch)
        failures = self._collection.put_many(documents).errors
        for failed in failures:
            if not isinstance(failed.error, InvalidRequest):
                raise failed.error  # not the document's fault: the next ones would fare no better
            refused.append(Refused(lines[failed.index], failed.error))
        self._tally.loaded += len(documents) - len(failures)
        if not refused:
            self._note(batch, [])
            return
        at = {id(line): place for place, line in enumerate(batch)}  # lines can be large: no hashing
        refused.sort(key=lambda each: at[id(each.line)])
        if self._stop_on_error:
            first = refused[0]
            self._tally.refused += 1
            self._report(first)
            self._note(batch[: at[id(first.line)]], [])
            raise Stopped
        self._tally.refused += len(refused)
        for each in refused:
            self._report(each)
        self._note(batch, refused)

    def _parsed(self, batch: list[Line]) -> tuple[list[Any], list[Line], list[Refused]]:
        """The documents, the line of each, and the lines that are not JSON."""
        documents: list[Any] = []
        lines: list[Line] = []
        refused: list[Refused] = []
        generates_for = self.generates_for
        for line in batch:
            try:
                document = parsed(line)
            except InvalidDocument as error:
                refused.append(Refused(line, error))
                if self._stop_on_error:
                    break
                continue
            if generates_for is not None and document.get(generates_for) is None:
                document[generates_for] = line.source.key_of(line.number)
                self._tally.generated += 1
            documents.append(document)
            lines.append(line)
        return documents, lines, refused

    def _note(self, done: list[Line], refused: list[Refused]) -> None:
        last = {line.source.identity: line.number for line in done}
        counts: dict[str | None, int] = {}
        for each in refused:
            identity = each.line.source.identity
            counts[identity] = counts.get(identity, 0) + 1
        self._progress.note(
            {
                identity: Mark(
                    number, self._progress.mark_of(identity).refused + counts.get(identity, 0)
                )
                for identity, number in last.items()
                if identity is not None
            }
        )


def parsed(line: Line) -> dict[str, Any]:
    """A line's JSON object; raises InvalidDocument that says what is wrong with it."""
    if line.is_cut:
        raise InvalidDocument(
            f"the line is longer than {LINE_BYTES_MAX:,} bytes",
            hint="one document per line, each line ended",
        )
    try:
        document = orjson.loads(line.data)
    except orjson.JSONDecodeError as error:
        hint = "one JSON object per line"
        if line.data.lstrip()[:1] == b"[":
            hint = "a JSON list is not JSON lines: jq -c '.[]' makes lines of it"
        raise InvalidDocument(
            f"not JSON: {error.msg} at column {error.colno}", hint=hint, column=error.colno
        ) from error
    if not isinstance(document, dict):
        raise InvalidDocument(
            f"a JSON {type(document).__name__}, not an object", hint="one JSON object per line"
        )
    check_whole_numbers(document, line.data)
    return document


def generated_key_field(collection: Collection[Any]) -> str | None:
    """The field for which keys are generated: a key of one string at the top; None otherwise."""
    if len(collection.key_fields) != 1:
        return None
    (field_name,) = collection.key_fields
    kinds = {path: leaf.kind for path, leaf in collection.schema.leaves()}
    is_text = kinds.get(field_name, Kind.STRING) in (Kind.STRING, Kind.TEXT, Kind.KEYWORD)
    return field_name if is_text and "." not in field_name else None


def batches(lines: Iterable[Line], documents_max: int) -> Iterator[list[Line]]:
    """Lines in batches of at most `documents_max` and about BATCH_BYTES.

    When reading fails, what was read before comes first and then the error.
    """
    remaining = iter(lines)
    failure: DocstoreError | None = None
    while failure is None:
        batch: list[Line] = []
        size = 0
        try:
            for line in islice(remaining, documents_max):
                batch.append(line)
                size += len(line.data)
                if size >= BATCH_BYTES:
                    break
        except DocstoreError as error:
            failure = error
        if batch:
            yield batch
        elif failure is None:
            return
    raise failure
