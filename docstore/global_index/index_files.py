"""The partitions of one index on disk, and how far each has applied each shard's log.

Invariant: `applied` never says more than a partition's file does. A partition that is damaged is
emptied, and one that cannot be used now (a full disk; to who only reads, a damaged one) counts as
empty until it can: both show as shards it has to be filled from. One caller at a time changes
partitions; who may be asked what is known, by any thread, gets it without a file.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from heapq import nlargest
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from docstore import files
from docstore.global_index.applying_apart import Applier
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.index_partition import IndexPartition
from docstore.global_index.partition_changes import Changes, Checkpoint
from docstore.global_index.wanted import Wanted
from indexing.errors import Closed, Corruption, DocstoreError

HEAVIEST_MAX = 16
"""Terms of each partition that could be hot: what has less than a sixteenth of it is not."""
FREQUENCIES_MAX = 256
"""Counts that are remembered while nothing is written: those of a range are many reads."""


class Frequencies(NamedTuple):
    """Documents by what was asked for, as of one state of an index."""

    of: GlobalIndex
    applied: list[dict[int, Checkpoint]]
    found: dict[Wanted, int]


class IndexFiles:
    """Opens the partitions; `sizes` are (documents, postings, terms) of all of them."""

    def __init__(
        self, directory: Path, definition: GlobalIndex, applier: Applier, *, read_only: bool
    ) -> None:
        self.definition = definition
        self._directory = directory
        self._applier = applier
        self._read_only = read_only
        self._is_closed = False
        self.trouble: DocstoreError | None = None
        """Why a partition was empty, or could not be used, when it was looked at last."""
        self.is_unknown = False
        """Whether one could not be used then, and may hold anything."""
        self.partitions = [self._partition(place) for place in range(definition.partitions)]
        self.applied: list[dict[int, Checkpoint]] = []
        self._floors: tuple[list[dict[int, Checkpoint]], dict[int, int]] = [], {}
        self._frequencies = Frequencies(definition, [], {})
        self._heaviest: tuple[int, list[bytes]] | None = None
        self._compared: list[bool] = []
        self._sizes: list[tuple[int, int, int]] = []
        self.look()

    def _partition(self, place: int) -> IndexPartition:
        return IndexPartition(self._directory / str(place), read_only=self._read_only)

    def look(self) -> bool:
        """Read what the files say; whether it is something else than before."""
        self.trouble, self.is_unknown = None, False
        is_other = False
        if self._read_only:
            is_other = True in [each.follow_file() for each in self.partitions]
        found = [self._looked_at(place) for place in range(len(self.partitions))]
        applied = [checkpoints for checkpoints, _ in found]
        compared = [is_compared for _, is_compared in found]
        if not is_other and (applied, compared) == (self.applied, self._compared):
            return False
        self.applied, self._compared = applied, compared
        self._sizes = [self._sized(place) for place in range(len(self.partitions))]
        return True

    def _looked_at(self, place: int) -> tuple[dict[int, Checkpoint], bool]:
        try:
            try:
                return self.partitions[place].checkpoints()
            except Corruption as error:
                self.trouble = error
                if self._read_only:
                    raise
                self._renew(place)
                return self.partitions[place].checkpoints()
        except DocstoreError as error:
            self.trouble, self.is_unknown = error, True
            return {}, False

    def _sized(self, place: int) -> tuple[int, int, int]:
        try:
            return self.partitions[place].sizes()
        except DocstoreError as error:
            self.trouble = error
            return 0, 0, 0

    def _renew(self, place: int) -> None:
        """Begin a partition's file anew; raises Closed."""
        if self._is_closed:
            raise Closed("the index was closed", hint="ask again")
        self.partitions[place].close()
        self.partitions[place] = self._partition(place)
        directory = self._directory / str(place)
        if directory.exists():
            files.remove_directory(directory)

    @property
    def is_compared(self) -> bool:
        """Whether every partition was found right after it was filled."""
        return all(self._compared)

    @property
    def shards(self) -> set[int]:
        """The shards that any partition has begun with."""
        return set().union(*self.applied)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Documents (counted in each partition they are in), postings and terms."""
        documents, postings, terms = (sum(each) for each in zip(*self._sizes, strict=True))
        return documents, postings, terms

    def followed(self, shard: int) -> tuple[int, int] | None:
        """The least and the last seq applied, once every partition has read the shard whole."""
        known = [each[shard] for each in self.applied if shard in each]
        if len(known) < len(self.partitions) or any(each.filled is not None for each in known):
            return None
        return min(each.seq for each in known), max(each.seq for each in known)

    def newest(self, shard: int) -> int | None:
        """What no document of a shard that is in any partition is newer than, if it is known."""
        found = 0
        for applied in self.applied:
            if shard not in applied or (newest := applied[shard].newest) is None:
                return None
            found = max(found, newest, applied[shard].seq)
        return found

    def floor(self, shard: int) -> int:
        """Up to which seq of a shard's log every partition is done."""
        return self.floors().get(shard, 2**63)

    def floors(self) -> Mapping[int, int]:
        """The same of every shard that any partition has begun with; found once for each state."""
        applied, found = self._floors
        # What is applied is replaced, never changed: the same objects are the same state.
        if applied != self.applied:
            applied, found = list(self.applied), {}
            for each in applied:
                for shard, checkpoint in each.items():
                    found[shard] = min(checkpoint.seq, found.get(shard, checkpoint.seq))
            self._floors = applied, found
        return found

    def apply(self, place: int, changes: Changes, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Store changes and checkpoints in a partition, durably."""
        if self._is_closed:
            raise Closed("the index was closed", hint="ask again")
        partition = self.partitions[place]
        directory, only = self._directory / str(place), partition.identity
        if only is None or not self._applier.apply(directory, only, changes, checkpoints):
            partition.apply(changes, checkpoints)
        self.applied[place] = {**self.applied[place], **checkpoints}
        self._sizes[place] = self.partitions[place].sizes()

    def promote(self) -> None:
        """Note that all partitions were compared and found right."""
        for each in self.partitions:
            each.promote()
        self._compared = [True] * len(self.partitions)

    def adopt(self, targets: Mapping[int, int], sources: Mapping[int, int]) -> list[int]:
        """Begin to follow shards from a seq on, where their sources were followed far enough.

        Returns the partitions that have not, and cannot know what they missed.
        """
        behind = []
        self.forget(list(targets))
        begun = {number: Checkpoint(seq, None) for number, seq in targets.items()}
        for place, applied in enumerate(self.applied):
            if all(
                (known := applied.get(number)) is not None
                and known.filled is None
                and known.seq >= seq
                for number, seq in sources.items()
            ):
                self.apply(place, {}, begun)
            else:
                behind.append(place)
        return behind

    def unaware(self, gone: Set[int], numbers: Sequence[int]) -> list[int]:
        """The partitions that hold documents of shards that are gone, but not all that came of it.

        They did not adopt what a change of the map made: what the last entries of such a shard
        removed is not known there, and cannot be any more.
        """
        return [
            place
            for place, applied in enumerate(self.applied)
            if applied.keys() & gone and not applied.keys() >= set(numbers)
        ]

    def forget(self, shards: Collection[int]) -> None:
        """Drop the checkpoints of shards."""
        for place, partition in enumerate(self.partitions):
            partition.forget(shards)
            self.applied[place] = {
                number: each for number, each in self.applied[place].items() if number not in shards
            }

    def empty(self, places: Sequence[int]) -> None:
        """Remove what some partitions hold."""
        for each in places:
            self._renew(each)
        self.look()

    def remove(self) -> None:
        """Remove what was closed."""
        files.remove_directory(self._directory)

    def frequency(self, wanted: Wanted) -> int:
        """About how many documents have a wanted term: exact for terms."""
        definition, known = self.definition, self._frequencies
        # What is applied is replaced, never changed: the same objects are the same state.
        if known.of is not definition or known.applied != self.applied:
            known = self._frequencies = Frequencies(definition, list(self.applied), {})
        found = known.found.get(wanted)
        if found is not None:
            return found
        found = sum(
            self.partitions[place].frequency(definition.named(term))
            for term in wanted.terms
            for place in definition.places_of(term)
        )
        for lower, upper in wanted.ranges:
            for place in definition.partitions_between(lower, upper):
                found += self.partitions[place].frequency_between(lower, upper)
        if len(known.found) >= FREQUENCIES_MAX:
            known.found.clear()
        known.found[wanted] = found
        return found

    def heaviest(self) -> list[bytes]:
        """Names of the postings of most documents, HEAVIEST_MAX of each partition.

        All are counted anew only when a fiftieth of the postings has come or gone.
        """
        postings = self.sizes[1]
        if self._heaviest is None or abs(postings - self._heaviest[0]) * 50 > postings:
            names = [
                name
                for partition in self.partitions
                for name, _ in nlargest(HEAVIEST_MAX, partition.counted(), key=itemgetter(1))
            ]
            self._heaviest = postings, names
        return self._heaviest[1]

    def close(self) -> None:
        """Close every partition, for good."""
        self._is_closed = True
        for each in self.partitions:
            each.close()
