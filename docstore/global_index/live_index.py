"""One open global index: its partitions on disk and in memory, brought up to the shards' logs.

Invariants: `digested` says up to which entry of each shard the index is in memory, and what is read
is exactly that; partitions on disk follow, each with checkpoints of its own. A shard is first read
from its documents, beginning at the log's end of that moment, and then followed from there. A
partition that is damaged, or whose entries the log no longer holds, is emptied and filled again;
until it is, and was compared, the index is not asked.
"""

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

from docstore.global_index.applying_apart import Applier
from docstore.global_index.candidates import Candidates
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.extracting import Extractor, Rows
from docstore.global_index.filling import take_documents
from docstore.global_index.finding import found_in
from docstore.global_index.flushing import Flushing
from docstore.global_index.index_files import IndexFiles
from docstore.global_index.lacking import Lacking, refusal
from docstore.global_index.partition_changes import Checkpoint
from docstore.global_index.place import Place
from docstore.global_index.postings import is_damage
from docstore.global_index.renewing import renew
from docstore.global_index.resident import Resident
from docstore.global_index.tails import Tail, read_tail
from docstore.global_index.wanted import Condition, Wanted
from docstore.hot_keys.traffic import Traffic
from docstore.shards.records import Record, parsed
from docstore.shards.shard import Shard
from indexing.errors import DocstoreError, Unavailable
from indexing.schema import Schema

DIGEST_ENTRIES = 2000
"""Entries that a reader takes at once: a lock is held meanwhile."""
FILL_DOCUMENTS = 4000
"""Documents of all shards that one step of filling takes: a commit's cost is lost in them."""
T = TypeVar("T")
State = Literal["filling", "comparing", "ready"]


class LiveIndex:
    """Safe to use from many threads. `shard_of` opens the shards whose logs are followed."""

    def __init__(
        self,
        directory: Path,
        definition: GlobalIndex,
        schema: Schema,
        shard_of: Callable[[int], Shard],
        applier: Applier,
        *,
        read_only: bool,
    ) -> None:
        self.definition = definition
        self._schema = schema
        self.extractor = Extractor(definition, schema)
        self.shard_of = shard_of
        self._read_only = read_only
        self._stepping = threading.Lock()
        self._lock = threading.RLock()
        self._clock = itertools.count(1)
        self.files = IndexFiles(directory, definition, applier, read_only=read_only)
        self.traffic = Traffic(bytes)
        self.damage: DocstoreError | None = None
        """What it is being filled again for, until it may be asked."""
        self._begin()

    def _begin(self) -> None:
        """Take up what is on disk."""
        self.begun = next(self._clock)
        self._is_damaged = False
        self.place = Place()
        self.digested = self.place.digested
        self._lacking = Lacking()
        self._owed: set[int] = set()
        self._open_for: set[tuple[int, ...]] = set()
        self._residents = [
            Resident(each, self.extractor, self._clock) for each in self.files.partitions
        ]
        self.flushing = Flushing(self._lock, self.files, self._residents, self.place)
        for number in self.files.shards:
            self._follow_from(number)

    def _follow_from(self, number: int) -> None:
        """Follow a shard's log once every partition has read its documents."""
        followed = self.files.followed(number)
        if followed is not None:
            self.place.begin(number, followed[0], self.files.newest(number))
            # Documents were read later than that: only from the log's end on it is one moment.
            self._owed.add(number)
            self._open_for.clear()

    # How far it is

    def state(self, numbers: Sequence[int]) -> State:
        """Whether it is being filled, was filled but not compared, or may be asked."""
        if not self._read_only and tuple(numbers) in self._open_for:
            return "ready"
        self._look()
        if self._is_damaged or any(number not in self.digested for number in numbers):
            return "filling"
        return "ready" if self.files.is_compared else "comparing"

    @property
    def overlay(self) -> int:
        """Documents that are digested and not on disk: the most of any partition."""
        return self.flushing.overlay

    def _look(self) -> None:
        """Learn what the writing process has written since."""
        if self._read_only:
            with self._lock:
                if self.files.look():
                    self._begin()
                    self.damage = None

    # Following

    def take(self, tails: Iterable[Tail]) -> None:
        """Make documents in memory what they are after tails of their shards' logs."""
        with self._lock:
            try:
                found = self.place.changes(tails, self.extractor, self.shard_of)
                self._lacking.note(self.definition, found)
                for resident, rows in zip(self._residents, found, strict=True):
                    resident.take(rows)
                    self.traffic.writes.note_all(itertools.chain.from_iterable(rows.values()))
            except DocstoreError as error:
                self._suffer(error)  # what is in memory is of no moment any more
                raise

    def digest(self, needed: Mapping[int, int]) -> int:
        """Take shards' entries up to a seq each, in the calling thread; returns how many.

        Raises Unavailable when the log no longer holds them: the index is filled again.
        """
        taken = 0
        for number, seq in needed.items():
            while (after := self.digested.get(number, seq)) < seq:
                tail = read_tail(self.shard_of(number), after, DIGEST_ENTRIES)
                if tail is None:
                    self.empty()
                    raise self._unready()
                self.take([tail])
                taken += tail.last - after
        return taken

    def flush(self, places: Sequence[int] | None = None, *, is_last: bool = False) -> None:
        """Write what is digested to disk, of some partitions or of all."""
        with self._stepping:
            for place in range(self.definition.partitions) if places is None else places:
                self.flushing.write(place, is_last=is_last)

    def flush_due(self, *, is_writing: bool = False) -> bool:
        """Write the partitions whose time has come; whether anything is in memory only."""
        due, is_any_waiting = self.flushing.due(is_writing=is_writing)
        self.flush(due)
        return is_any_waiting

    # Filling

    def fill(self, numbers: Sequence[int], most: int = FILL_DOCUMENTS) -> int:
        """Read the next documents of shards that are not read whole; returns how many."""
        with self._stepping:
            self._look_again()
            # The numbers beyond are of shards that a change is making; those it made were adopted.
            self._drop_unaware({n for n in self.files.shards if n < max(numbers)}, numbers)
            documents: list[dict[bytes, Mapping[bytes, bytes]]] = [{} for _ in self._residents]
            moved: list[dict[int, Checkpoint]] = [{} for _ in self._residents]
            room = most
            for number in numbers:
                while room > 0 and number not in self.digested:
                    taken = take_documents(
                        self.files.applied, self.shard_of(number), self.rows_of, documents, moved
                    )
                    if taken is None:
                        break
                    room -= taken + 1
            for place, (rows, checkpoints) in enumerate(zip(documents, moved, strict=True)):
                if checkpoints:
                    self.files.apply(place, rows, checkpoints)
                    with self._lock:
                        self._residents[place].drop_blocks()
            with self._lock:
                for number in set().union(*moved):
                    self._follow_from(number)
            return most - room

    def _look_again(self) -> None:
        """Take up partitions that could not be used before; raises what still is the matter.

        To fill one that was full would leave in it what was deleted since.
        """
        if self.files.is_unknown:
            with self._lock:
                self.files.look()
                self._begin()
            if self.files.is_unknown and self.files.trouble is not None:
                raise self.files.trouble

    def promote(self, begun: int) -> None:
        """Let it be asked: what it has held since `begun` was filled and found right."""
        with self._stepping:
            if self.begun == begun:
                self.files.promote()
                self.damage = self.files.trouble = None
                with self._lock:
                    for each in self._residents:
                        each.drop_blocks()  # comparing has read them all; perhaps nobody else does

    def adopt(self, targets: Mapping[int, int], sources: Mapping[int, int]) -> None:
        """Follow shards made from others from a seq on, where those were followed far enough."""
        self.digest({n: seq for n, seq in sources.items() if n in self.digested})
        self.flush(is_last=True)
        with self._stepping, self._lock:
            behind = self.files.adopt(targets, sources)
            if behind:
                self.files.empty(behind)
                self._begin()
            for number in targets:
                self.digested.pop(number, None)
                self._follow_from(number)

    def forget(self, gone: Set[int], numbers: Sequence[int]) -> None:
        """Stop following shards that are no more; what they held is held by those there are now.

        A partition where it is not is filled again.
        """
        with self._stepping, self._lock:
            self._drop_unaware(gone, numbers)
            self.files.forget(gone)
            for number in gone:
                self.digested.pop(number, None)

    def _drop_unaware(self, shards: Set[int], numbers: Sequence[int]) -> None:
        unaware = self.files.unaware(shards - set(numbers), numbers)
        if unaware:
            with self._lock:
                self.files.empty(unaware)
                self._begin()

    def suit(self, numbers: Sequence[int]) -> None:
        """After opening: forget the shards that are gone."""
        gone = self.files.shards.difference(numbers)
        if gone:
            self.forget(gone, numbers)

    def empty(self, place: int | None = None) -> None:
        """Forget a partition or all: they are filled again from the documents."""
        with self._stepping, self._lock:
            try:
                self.files.empty(range(self.definition.partitions) if place is None else [place])
            finally:
                self._begin()

    def refill(self, error: DocstoreError) -> bool:
        """If an error is its own damage, be asked no more and, unless read-only, empty; whether."""
        if not (self._is_damaged or is_damage(error)):
            return False
        self._suffer(error)
        if not self._read_only:
            self.empty()
        return True

    def _suffer(self, damage: DocstoreError) -> None:
        with self._lock:
            self.damage, self._is_damaged = damage, True
            self._open_for.clear()

    # Reading

    def find(
        self,
        wanted: Wanted,
        conditions: Sequence[Condition],
        numbers: Sequence[int],
        needed: Mapping[int, int] | None,
        sort: str | None,
        *,
        descending: bool,
    ) -> Candidates:
        """The documents with a wanted value that meet all conditions.

        `needed` are seqs that the answer must include, None for every shard's last. Raises
        Unavailable while the index is not ready.
        """
        extractor = self.extractor
        tests = extractor.tests(conditions)
        self.traffic.reads.note_all(wanted.terms)
        if sort is not None:
            extractor.check_covers(sort)
        numbers = tuple(numbers)
        self._check_ready(numbers)
        if needed is None:
            shard_of, digested = self.shard_of, self.digested
            needed = {
                number: head
                for number in numbers
                if (head := shard_of(number).head) > digested.get(number, 0)
            }
        pending = self.digest(needed) if needed else 0
        with self._lock:
            if numbers not in self._open_for:
                raise self._unready()
            if (lacking := self._lacking.said(self._residents, self.definition)) is not None:
                raise refusal(self.definition.name, lacking)
            places, segments = found_in(self._residents, self.definition, wanted, tests)
            overlay = self.overlay
        return Candidates(segments, extractor, sort, descending, places, pending, overlay)

    def lacks(self) -> str | None:
        """Which documents it does not hold, so that it cannot answer; None for none known of."""
        if not self._lacking.may_be:
            return None
        with self._lock:
            return self._lacking.said(self._residents, self.definition)

    def remap(self, definition: GlobalIndex, *, is_spreading: bool = False) -> None:
        """Read, and from now on keep, postings where another map of the same index says."""
        with self._stepping, self._lock:
            self.definition = self.files.definition = definition
            self.extractor = Extractor(definition, self._schema, is_spreading=is_spreading)

    def change(self, step: Callable[[Sequence[Resident]], T]) -> T:
        """Run one short step over what is in memory, nothing else happening meanwhile."""
        with self._lock:
            return step(self._residents)

    def keys_under(self, wanted: Wanted) -> set[bytes]:
        """The keys of the documents with a wanted term, whatever the index's state."""
        with self._lock:
            _, segments = found_in(self._residents, self.definition, wanted, ())
        return {key for segment in segments for key in segment.all_keys()}

    def rows_of(self, key: bytes, shard: int, record: Record) -> Rows:
        """The postings that a document must have, of every partition."""
        return self.extractor.rows(parsed(record.body), key, shard, record)

    def _check_ready(self, numbers: tuple[int, ...]) -> None:
        if self._read_only or numbers not in self._open_for:
            if self.state(numbers) != "ready":
                raise self._unready()
            heads = {n: self.shard_of(n).visible_head for n in numbers if n in self._owed}
            for number, head in heads.items():
                followed = self.files.followed(number)
                if followed is None or followed[1] > head:
                    self.empty()  # the shard was restored from an older copy
                    raise self._unready()
            self.digest(heads)
            with self._lock:
                self._owed -= heads.keys()
                self._lacking.look(self.files)
                self._open_for.add(numbers)

    def tend(self) -> None:
        """Have blocks show what was taken, and make those anew of which much has changed."""
        for each in self._residents:
            renew(each, self._lock)

    def _unready(self) -> Unavailable:
        return Unavailable(
            f"the index {self.definition.name!r} is being filled from the documents",
            hint="search without it, or ask again later",
            retryable=True,
        )

    def close(self, *, is_whole: bool = True) -> None:
        """Write what is digested unless it is dropped, and close every partition."""
        if is_whole and not self._read_only:
            with suppress(DocstoreError):  # what is not written stays in the logs
                self.flush(is_last=True)
        with self._stepping:
            self.files.close()

    def remove(self) -> None:
        """Close it and remove its files."""
        self.close(is_whole=False)
        self.files.remove()
