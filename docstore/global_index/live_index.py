"""One open global index: its partitions, and one step of bringing them up to the shards' logs.

Invariants: only `step` changes partitions, one caller at a time; every document is applied as it is
when read, so applying entries again, or late, changes nothing; a shard is first read from its
documents, beginning at the log's end of that moment, and then followed from there. A partition that
is damaged, or whose entries the log no longer holds, is emptied and filled again.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from docstore import files
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.postings import Change, Checkpoint, IndexPartition, Posting
from docstore.global_index.terms import TERM_BYTES_MAX, partition_of, term_of, values_at
from docstore.records import Record
from docstore.shard import SCAN_BATCH, Shard
from indexing.errors import Corruption
from indexing.schema import Kind, Schema

STEP_ENTRIES = 4000
"""Entries and documents of all shards that one step takes: a commit's cost is lost in them, and
memory stays bounded."""

Applied = tuple[bytes, int, Record | None]
"""A document's key, its shard, and what it is now."""


class LiveIndex:
    """The partitions of one index. `shard_of` opens the shards whose logs are followed."""

    def __init__(
        self,
        directory: Path,
        definition: GlobalIndex,
        schema: Schema,
        shard_of: Callable[[int], Shard],
        *,
        read_only: bool,
    ) -> None:
        self.definition = definition
        kinds = {path: leaf.kind for path, leaf in schema.leaves()}
        self.is_date = kinds.get(definition.field) is Kind.DATETIME
        self.shard_of = shard_of
        self._directory = directory
        self._read_only = read_only
        self._stepping = threading.Lock()
        self.partitions = [self._opened(number) for number in range(definition.partitions)]
        self._applied = [each.checkpoints() for each in self.partitions]

    def _opened(self, number: int) -> IndexPartition:
        directory = self._directory / str(number)
        try:
            return IndexPartition(directory, read_only=self._read_only)
        except Corruption:
            if self._read_only:
                raise
            files.remove_directory(directory)
            return IndexPartition(directory, read_only=False)

    def postings_of(self, key: bytes, shard: int, record: Record) -> dict[bytes, list[Posting]]:
        """The postings that a document has, by cut term."""
        document = orjson.loads(record.body)
        included: list[object] | None = None
        found: dict[bytes, list[Posting]] = {}
        whole: set[bytes] = set()
        for value in values_at(document, self.definition.field):
            term = term_of(value, is_date=self.is_date)
            if term is None or term in whole:
                continue
            whole.add(term)
            if included is None:
                included = [_included(document, path) for path in self.definition.include]
            posting = Posting(key, shard, record.version, value, included)
            found.setdefault(term[:TERM_BYTES_MAX], []).append(posting)
        return found

    def floor(self, shard: int) -> int:
        """Up to which seq of a shard's log every partition is done; asks no file."""
        known = [each[shard].seq for each in self._applied if shard in each]
        return min(known) if known else 2**63

    def _look(self) -> None:
        """Learn what the writing process has applied since."""
        if self._read_only:
            self._applied = [each.checkpoints() for each in self.partitions]

    def lag(self, numbers: Sequence[int]) -> int:
        """Entries not applied by the slowest partition, over all shards."""
        self._look()
        return sum(
            max(0, self.shard_of(number).head - min(self.floor(number), 2**62))
            for number in numbers
        )

    def unfilled(self, numbers: Sequence[int]) -> list[int]:
        """The shards whose documents are not all read yet."""
        self._look()
        return [
            number
            for number in numbers
            if any(number not in each or each[number].filled is not None for each in self._applied)
        ]

    def step(self, numbers: Sequence[int]) -> int:
        """Apply what some shards have new, at most STEP_ENTRIES; returns how much it was."""
        with self._stepping:
            room = STEP_ENTRIES
            documents: list[dict[bytes, Applied]] = [{} for _ in self.partitions]
            moved: list[dict[int, Checkpoint]] = [{} for _ in self.partitions]
            for number in numbers:
                if room <= 0:
                    break
                room -= self._fill(number, documents, moved)
                room -= self._follow(number, max(room, 1), documents, moved)
            for each, changed, checkpoints, applied in zip(
                self.partitions, self._changes(documents), moved, self._applied, strict=True
            ):
                if checkpoints:
                    each.apply(changed, checkpoints)
                    applied.update(checkpoints)
            return STEP_ENTRIES - room

    def _fill(
        self, number: int, documents: list[dict[bytes, Applied]], moved: list[dict[int, Checkpoint]]
    ) -> int:
        """Take the next documents of a shard for the partitions that have not read all of it."""
        shard = self.shard_of(number)
        begun: dict[int, Checkpoint] = {}
        for place, applied in enumerate(self._applied):
            known = applied.get(number)
            if known is None:
                known = Checkpoint(shard.head, b"")
            if known.filled is not None:
                begun[place] = known
        if not begun:
            return 0
        start = min(each.filled or b"" for each in begun.values())
        batch = shard.scan_batch(start)
        for place, (seq, filled) in begun.items():
            documents[place].update({key: (key, number, record) for key, record in batch})
            last = max(filled or b"", batch[-1][0]) if len(batch) == SCAN_BATCH else None
            moved[place][number] = Checkpoint(seq, last)
        return len(batch) + 1

    def _follow(
        self,
        number: int,
        most: int,
        documents: list[dict[bytes, Applied]],
        moved: list[dict[int, Checkpoint]],
    ) -> int:
        """Take the next entries of a shard's log for the partitions that have read all of it."""
        shard = self.shard_of(number)
        places = {
            place: applied[number].seq
            for place, applied in enumerate(self._applied)
            if number in applied
            and applied[number].filled is None
            and number not in moved[place]
            and applied[number].seq != shard.head
        }
        if not places:
            return 0
        after = min(places.values())
        tail = shard.tail(after, most)
        if not tail or tail[0][0].seq != after + 1:
            for place, seq in places.items():
                if seq == after:
                    self._empty(place)
                    documents[place].clear()
                    moved[place].clear()
            return 1
        now = {entry.key: (entry.key, number, record) for entry, record in tail}
        for place, seq in places.items():
            documents[place].update(now)
            moved[place][number] = Checkpoint(max(seq, tail[-1][0].seq), None)
        return len(tail)

    def _changes(self, documents: list[dict[bytes, Applied]]) -> list[list[Change]]:
        """What changes in each partition: it is given every document it must look at."""
        found: dict[tuple[bytes, int], list[dict[bytes, list[Posting]]]] = {}
        changes: list[list[Change]] = []
        for place, given in enumerate(documents):
            of_place: list[Change] = []
            for key, shard, record in given.values():
                seq = -1 if record is None else record.seq
                if (key, seq) not in found:
                    found[key, seq] = self._spread(key, shard, record)
                of_place.append(Change(key, found[key, seq][place]))
            changes.append(sorted(of_place))
        return changes

    def _spread(
        self, key: bytes, shard: int, record: Record | None
    ) -> list[dict[bytes, list[Posting]]]:
        spread: list[dict[bytes, list[Posting]]] = [{} for _ in self.partitions]
        if record is not None:
            for term, postings in self.postings_of(key, shard, record).items():
                spread[partition_of(term, len(spread))][term] = postings
        return spread

    def rebuild(self) -> None:
        """Empty every partition; steps fill them again."""
        with self._stepping:
            for place in range(len(self.partitions)):
                self._empty(place)

    def _empty(self, place: int) -> None:
        self._applied[place] = {}
        self.partitions[place].close()
        files.remove_directory(self._directory / str(place))
        self.partitions[place] = self._opened(place)

    def close(self) -> None:
        """Close every partition, after the step that is under way."""
        with self._stepping:
            for each in self.partitions:
                each.close()


def _included(document: object, path: str) -> object:
    """The value of a path: alone, a list of several, or None."""
    values = list(values_at(document, path))
    return values if len(values) > 1 else values[0] if values else None
