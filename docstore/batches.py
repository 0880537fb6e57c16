"""A batch of writes on its way through the shards, and back to one result per document."""

from collections.abc import Callable

from docstore.shards.apply import Outcome, Write
from docstore.shards.records import Answer
from docstore.types import BatchResult, FailedWrite, Key, Position, WriteResult
from indexing.errors import DocstoreError

Placed = tuple[int, Write]
"""A write, and its place in the batch."""


class WriteBatch:
    """Writes that remember their places; what was refused keeps its place too."""

    def __init__(self) -> None:
        self._answers: list[tuple[int, Answer] | None] = []
        self._refused: dict[int, tuple[Key | None, DocstoreError]] = {}
        self._failed: dict[int, tuple[bytes, DocstoreError]] = {}
        self._last: dict[int, int] = {}
        self.pending: list[Placed] = []
        """What no shard has answered yet."""

    def add(self, write: Write) -> None:
        """The next document."""
        self.pending.append((len(self._answers), write))
        self._answers.append(None)

    def refuse(self, key: Key | None, error: DocstoreError) -> None:
        """The next document, which cannot be written."""
        self._refused[len(self._answers)] = (key, error)
        self._answers.append(None)

    def by_shard(self, number_of: Callable[[bytes], int]) -> dict[int, list[Placed]]:
        """What is pending, by the shard that owns it, in order."""
        routed: dict[int, list[Placed]] = {}
        for placed in self.pending:
            number = number_of(placed[1].key)
            found = routed.get(number)
            if found is None:
                found = routed[number] = []
            found.append(placed)
        return routed

    def answered(self, number: int, writes: list[Placed], outcomes: list[Outcome]) -> None:
        """What a shard said to some writes, in order."""
        for (place, write), outcome in zip(writes, outcomes, strict=True):
            if isinstance(outcome, Answer):
                self._answers[place] = (number, outcome)
                if outcome.origin is None:
                    self._last[number] = max(self._last.get(number, 0), outcome.seq)
            else:
                self._failed[place] = (write.key, outcome)

    def failed(self, writes: list[Placed], error: DocstoreError) -> None:
        """Some writes that a shard did not take."""
        for place, write in writes:
            self._failed[place] = (write.key, error)

    def result(
        self, key_of: Callable[[bytes], Key], position: Callable[[int, int], Position]
    ) -> BatchResult:
        """One result per document."""
        failed = {
            place: FailedWrite(place, key, error) for place, (key, error) in self._refused.items()
        }
        for place, (encoded, error) in self._failed.items():
            failed[place] = FailedWrite(place, key_of(encoded), error)

        # A result may be kept for long, so it refers to nothing but what it tells.
        lasts = {number: position(number, seq) for number, seq in sorted(self._last.items())}

        def result_of(answer: tuple[int, Answer]) -> WriteResult:
            number, (key, version, seq, created, deleted, origin) = answer
            at = Position(*((number, lasts[number].epoch) if origin is None else origin), seq)
            return WriteResult(key_of(key), version, at, created, deleted)

        return BatchResult(self._answers, failed, tuple(lasts.values()), result_of)
