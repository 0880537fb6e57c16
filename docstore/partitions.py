"""The shards of one collection under one partition map, and the ways to ask all of them.

Invariants: every key has exactly one shard in the map; the map of a Partitions never changes, so
whoever asks one object from begin to end sees each document once. A changed map is another object
over the same open shards (`live_map`).
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from docstore import keys
from docstore.bounds import bound_shown
from docstore.catalog import Definition
from docstore.global_index.indexes import GlobalIndexes
from docstore.hot_keys.traffic import Traffic
from docstore.key_parts import KeyParts
from docstore.map_changes.reshaping import Lineage
from docstore.queries.field_readers import Readers
from docstore.queries.questions import Questions
from docstore.resources import Resources
from docstore.shards.local_follower import LocalFollower
from docstore.shards.open_shards import OpenShards
from docstore.shards.records import Record
from docstore.shards.shard import Shard
from docstore.shards.shard_stats import ShardStats
from docstore.types import Key, Position
from indexing.errors import (
    Corruption,
    DocstoreError,
    InvalidDocument,
    InvalidRequest,
    NotFound,
    Unavailable,
)
from indexing.local_index import View

BULK_WRITES = 100
"""Writes to one shard at once that make a writer a bulk writer."""
BULK_TAIL = 25_000
"""Entries a bulk writer indexes in one commit: enough that the commit's cost is lost in them."""
WATCHED_TAIL = 2_000
WATCHED_SECONDS = 2.0
"""The same, and for how long, when a search had to wait for a tail."""


class Partitions:
    """Routes to and refreshes a collection's shards; safe to use from many threads."""

    def __init__(
        self,
        definition: Definition,
        shards: OpenShards,
        resources: Resources,
        indexes: GlobalIndexes,
        traffic: Traffic,
        *,
        read_only: bool,
    ) -> None:
        self.definition = definition
        self.shards = shards
        self.indexes = indexes
        self._resources = resources
        self._read_only = read_only
        self.readers = Readers(definition.schema)
        self.key_parts = KeyParts(definition.schema, definition.key, self._holds)
        self.questions = Questions()
        self.traffic = traffic
        self.recorder = resources.recorder
        self.lineage = Lineage(definition.partition_map)
        self._searched = -WATCHED_SECONDS
        self._shard_stats = ShardStats(shards, resources.background)

    @property
    def search_pool(self) -> ThreadPoolExecutor:
        """The threads that heavy searches may use beside the caller's."""
        return self._resources.search_pool

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all partitions, in the order of their bounds."""
        return self.definition.partition_map.numbers

    @property
    def is_closed(self) -> bool:
        """Whether the shards were closed, by closing the store or dropping the collection."""
        return self.shards.is_closed

    @property
    def moving(self) -> dict[str, Any] | None:
        """How far the change of the partitions is that is under way; None when none is."""
        return self.shards.moving

    @property
    def made_with(self) -> int:
        """How many partitions there were at first."""
        of = self.definition.partition_map
        return of.next_number - sum(len(change.targets) for change in of.history)

    def number_of(self, key: bytes) -> int:
        """The partition that owns an encoded key."""
        return self.definition.partition_map.owner_of(self.definition.key, key)

    def owner_of(self, key: Key) -> int:
        """The partition that owns a key as a caller writes it; raises InvalidDocument."""
        return self.number_of(keys.encode(self.definition.key, self.key_parts.key(key)))

    def shard(self, number: int) -> Shard:
        """The shard of a partition."""
        return self.shards.shard(number)

    def follower(self, number: int) -> LocalFollower:
        """The local index of a partition."""
        return self.shards.follower(number)

    def key_text(self, key: bytes) -> str:
        """An encoded key as the text that indexes hold."""
        return keys.key_text(self.definition.key, key)

    def written(self, counts: Mapping[int, int]) -> None:
        """Have the indexes brought up to what was just written, so many documents to each shard.

        An index that cannot follow now is tried again in the background: the writes are safe.
        """
        self.indexes.wake(is_write=True)
        for number, count in counts.items():
            try:
                follower = self.follower(number)
            except DocstoreError:
                continue  # whoever searches will be told
            self._resources.background.mark(follower, is_bulk=count >= BULK_WRITES)
        if sum(counts.values()) >= BULK_WRITES:
            with suppress(DocstoreError):
                self._index_longest_tail()

    def _index_longest_tail(self) -> None:
        """A bulk writer indexes its own writes: two threads would take turns at the interpreter.

        One tail at a time, so that one index digests what it took while the next writes are made
        durable; a tail is long unless somebody searches meanwhile and would wait for it.
        """
        opened = map(self.shards.follower_if_open, self.numbers)
        followers = [follower for follower in opened if follower is not None]
        if not followers:
            return  # none can be opened, which whoever searches is told
        is_watched = time.monotonic() - self._searched < WATCHED_SECONDS
        tail = WATCHED_TAIL if is_watched else BULK_TAIL
        begun = sum(each.documents > 0 for each in followers)
        due = tail * tails_due(len(followers), begun)
        if sum(each.tail for each in followers) >= due:
            max(followers, key=lambda each: each.tail).refresh_soon(self._resources.commit_pool)

    def record(self, key: bytes) -> Record | None:
        """A document by encoded key."""
        self.traffic.reads.note(key)
        if self.recorder.into is not None:
            self.recorder.into.by_key(self.definition, "get", key)
        return self.shard(self.number_of(key)).get(key)

    def read(self, wanted: Sequence[bytes]) -> list[Record | None]:
        """Documents by encoded key, in the order asked; one transaction per shard."""
        return self.read_from(wanted)[0]

    def read_from(self, wanted: Sequence[bytes]) -> tuple[list[Record | None], int]:
        """The same, and from how many shards they were read."""
        by_shard: dict[int, list[int]] = {}
        for index, key in enumerate(wanted):
            by_shard.setdefault(self.number_of(key), []).append(index)
        found: list[Record | None] = [None] * len(wanted)
        for number, indexes in by_shard.items():
            shard = self.shard(number)
            if len(indexes) == 1:  # as most are, of a page over many shards
                found[indexes[0]] = shard.get(wanted[indexes[0]])
                continue
            records = shard.get_many([wanted[index] for index in indexes])
            for index, record in zip(indexes, records, strict=True):
                found[index] = record
        return found, len(by_shard)

    def _holds(self, part: Any) -> bool:
        """Whether some document's key begins with a part."""
        try:
            lower, upper = keys.prefix_range(self.definition.key, (part,))
        except InvalidDocument:
            return False
        return self.has_keys(self.overlapping(lower, upper), lower, upper)

    def has_keys(self, numbers: Iterable[int], lower: bytes, upper: bytes | None) -> bool:
        """Whether one of some partitions has a document with lower <= key < upper."""
        return any(self.shard(number).has_keys(lower, upper) for number in numbers)

    def overlapping(self, lower: bytes, upper: bytes | None) -> tuple[int, ...]:
        """The partitions of keys in [lower, upper); hashed keys must begin with the same part."""
        partition_map = self.definition.partition_map
        if partition_map.is_range:
            return partition_map.overlapping(lower, upper)
        return partition_map.owners_of(keys.partition_bytes(self.definition.key, lower))

    def count(self) -> int:
        """How many documents there are, whatever is indexed of them."""
        return sum(self.shard(number).count() for number in self.numbers)

    def document_estimate(self, number: int) -> int:
        """About how many documents a shard holds: as of its last refresh, if it had one."""
        follower = self.shards.follower_if_open(number)
        return self.shard(number).count() if follower is None else follower.documents

    def rebuild(self, number: int | None) -> None:
        """Make the local index of one partition, or of all, again."""
        if self._read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")
        if number is not None and number not in self.numbers:
            raise NotFound(
                f"there is no partition {number}",
                hint=f"partitions: {', '.join(map(str, self.numbers))}",
            )
        for each in self.numbers if number is None else (number,):
            self.follower(each).rebuild()

    def stats(self) -> dict[str, Any]:
        """Documents, bytes, log and index of every partition, and their sums.

        What this process has not used is left closed; of it counts since opening are 0.
        """
        spec = self.definition.key
        partitions = [
            {
                **self._shard_stats.of(each.number),
                "lower": bound_shown(spec, each.lower),
                "upper": bound_shown(spec, each.upper),
            }
            for each in self.definition.partition_map.partitions
        ]
        return {
            "collection": self.definition.name,
            "documents": sum(each["documents"] for each in partitions),
            "bytes": sum(each["document_bytes"] + each["index_bytes"] for each in partitions),
            "lag": sum(each["lag"] for each in partitions),
            "epoch": self.definition.partition_map.epoch,
            "partitions": partitions,
            "indexes": self.indexes.stats(),
            "verification": self.indexes.verification,
        }

    def position(self, number: int, seq: int) -> Position:
        """Where an entry of a shard's log stands."""
        found = self.definition.partition_map.partition(number)
        return Position(number, (found or self.lineage.ancestors[number]).epoch, seq)

    def views(
        self, numbers: Iterable[int], after: tuple[Position, ...] | None, *, current: bool
    ) -> dict[int, View]:
        """A view of each shard, as fresh as asked: of now, after some positions, or of any age."""
        numbers = list(numbers)
        needed = dict.fromkeys(numbers, 0)
        if current:
            needed = {number: self.shard(number).head for number in numbers}
        for position in after or ():
            self.check_position(position)
            if position.partition in needed:
                needed[position.partition] = max(needed[position.partition], position.seq)
            for heir in self.lineage.heirs(position.partition) & needed.keys():
                needed[heir] = max(needed[heir], self.shard(heir).base)
        followers = {number: self.follower(number) for number in numbers}
        behind = [
            (follower, needed[number])
            for number, follower in followers.items()
            if follower.checkpoint < needed[number]
        ]
        if behind:
            self._searched = time.monotonic()
            try:
                self._catch_up(behind)
            except Corruption:
                self.shards.check_open()  # dropped meanwhile: no wonder that its files are missing
                raise
        if self._read_only:
            for follower in followers.values():
                follower.poll()
        return {number: follower.view() for number, follower in followers.items()}

    def _catch_up(self, behind: list[tuple[LocalFollower, int]]) -> None:
        """Refresh followers up to a seq each; commits mostly wait for the disk, so side by side."""
        short = [pair for pair in behind if pair[0].lag < BULK_WRITES]
        if len(short) > 1:
            list(self._resources.pool.map(lambda pair: pair[0].refresh(pair[1]), short))
        if not self._read_only:
            # One after another takes its tail here while those before it are committed.
            for follower, _ in behind[:-1]:
                if follower.lag >= BULK_WRITES and not follower.is_filling:
                    follower.refresh_soon(self._resources.commit_pool)
        for follower, seq in behind:
            follower.refresh(seq)

    def field_paths(self, *, current: bool) -> frozenset[str]:
        """Every path that a query may name: those of the schema, and those that documents hold."""
        views = self.views(self.numbers, None, current=current).values()
        return frozenset(self.definition.schema.paths).union(*(v.layout.by_path for v in views))

    def is_indexed(self, number: int, seq: int) -> bool:
        """Whether a shard's index is open and covers a seq, so that a view of it is there at once.

        Never for a store another process writes: its index must be looked at first.
        """
        follower = self.shards.follower_if_open(number)
        return follower is not None and not self._read_only and follower.checkpoint >= seq

    def indexed_state(self) -> tuple[int, ...] | None:
        """The epoch and the heads of all shards while every index covers its own, else None.

        What a search finds can only change when this does.
        """
        heads = tuple(self.shard(number).head for number in self.numbers)
        covered = all(map(self.is_indexed, self.numbers, heads))
        return (self.definition.partition_map.epoch, *heads) if covered else None

    def check_position(self, position: Position) -> None:
        """Refuse a position that no write to this collection returned; raises InvalidRequest.

        One of a partition that is no more stands for what became of it, which holds it.
        """
        number, ancestors = position.partition, self.lineage.ancestors
        partition = self.definition.partition_map.partition(number)
        if partition is not None:
            epoch, last = partition.epoch, self.shard(number).head
        elif number in ancestors:
            epoch, last = ancestors[number].epoch, ancestors[number].last
        elif 0 <= number < self.definition.partition_map.next_number:
            return  # of so long ago that the map forgot it
        else:
            epoch, last = -1, 0
        if position.epoch != epoch:
            raise InvalidRequest(
                f"position {position} names a partition this collection does not have",
                hint="pass a position that a write to this collection returned",
            )
        if position.seq > last:
            raise InvalidRequest(
                f"position {position} is beyond the log's end",
                hint="pass a position that a write to this collection returned",
            )


def tails_due(indexes: int, begun: int) -> float:
    """How many tails' length of entries, over all indexes, make the longest one due.

    Where each has an n-th of a tail more than the next, these are (n + 1) / 2, and the longest is a
    whole one. Of n indexes that all begin empty the k-th is due at k / n, so that they come apart.
    """
    begun = min(begun, indexes - 1)
    return (begun + 1) * (2 * indexes - begun) / (2 * indexes)
