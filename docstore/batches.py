"""A batch of writes on its way through the shards, and back to one result per document."""

from collections.abc import Callable

from docstore.apply import Outcome, Write
from docstore.records import Answer
from docstore.types import BatchResult, FailedWrite, Key, Position, WriteResult
from indexing.errors import DocstoreError


class WriteBatch:
    """Writes grouped by shard that remember their places; what was refused keeps its place too."""

    def __init__(self) -> None:
        self.by_shard: dict[int, list[Write]] = {}
        self._places: dict[int, list[int]] = {}
        self._answers: list[tuple[int, Answer] | None] = []
        self._failed: dict[int, tuple[bytes | Key | None, DocstoreError]] = {}
        self._last: dict[int, int] = {}

    def add(self, number: int, write: Write) -> None:
        """The next document, for a shard."""
        writes = self.by_shard.get(number)
        if writes is None:
            writes = self.by_shard[number] = []
            self._places[number] = []
        writes.append(write)
        self._places[number].append(len(self._answers))
        self._answers.append(None)

    def refuse(self, key: Key | None, error: DocstoreError) -> None:
        """The next document, which cannot be written."""
        self._failed[len(self._answers)] = (key, error)
        self._answers.append(None)

    def answered(self, number: int, outcomes: list[Outcome]) -> None:
        """What a shard said to its writes, in order."""
        for place, outcome in zip(self._places[number], outcomes, strict=True):
            if isinstance(outcome, Answer):
                self._answers[place] = (number, outcome)
                self._last[number] = max(self._last.get(number, 0), outcome.seq)
            else:
                self._failed[place] = (None, outcome)

    def failed(self, number: int, error: DocstoreError) -> None:
        """A shard that took none of its writes."""
        for place in self._places[number]:
            self._failed[place] = (None, error)

    def result(
        self, key_of: Callable[[bytes], Key], position: Callable[[int, int], Position]
    ) -> BatchResult:
        """One result per document."""
        written = {
            place: write.key
            for number, places in self._places.items()
            for place, write in zip(places, self.by_shard[number], strict=True)
            if place in self._failed
        }
        failed = {
            place: FailedWrite(place, key_of(written[place]) if place in written else key, error)
            for place, (key, error) in self._failed.items()
        }

        def result_of(answer: tuple[int, Answer]) -> WriteResult:
            number, (key, version, seq, created, deleted) = answer
            return WriteResult(key_of(key), version, position(number, seq), created, deleted)

        positions = tuple(position(number, seq) for number, seq in sorted(self._last.items()))
        return BatchResult(self._answers, failed, positions, result_of)
