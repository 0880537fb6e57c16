"""Moving documents from some shards into new ones beside the traffic, up to changing the map.

Invariants: a source is read in short steps and never changed; what is written to it meanwhile
follows through its log, so once a source's log is followed to its end the targets hold exactly its
documents, each with its version and seq; every document that was touched so has a MOVED entry in
its target's log, for the followers of that log; nothing here is in any map, so a crash leaves
directories that nobody owns. Deliberately absent: stopping writers and changing the map (`live_map`
does), and what lies in the copies (`carrying`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from heapq import merge

from docstore import files
from docstore.giving_way import Pace, giving_way
from docstore.keys import KeySpec
from docstore.map_changes import carrying
from docstore.map_changes.carrying import COPY_BATCH, Touched, in_batches
from docstore.map_changes.reshaping import Lineage
from docstore.partitioning import PartitionMap
from docstore.shards.inherited import Held
from docstore.shards.open_shards import OpenShards
from docstore.shards.records import Entry, Operation, pack_document
from docstore.shards.shard import LOG_ENTRIES_KEPT, Shard

SHORT_TAIL = 32
"""Entries that may be left to follow while writers wait: one small transaction per new shard."""
LONG_TAIL = 2_000
"""Entries of a bulk load's batch."""
INDEXED_TAIL, INDEXED_TAIL_MAX = 500, 30_000
"""Entries that are worth a commit of an index beside the traffic. Fewer are left to whoever
searches first, as after any write; more are a bulk load's, of which as many would come meanwhile,
so that nothing ever caught up: they are indexed afterwards, as any bulk load is."""
ENDLESS_TAIL = 2 * LONG_TAIL
"""Below it, a tail that is no shorter than the one before will not be: writers wait for it then."""
ROUNDS_MAX = 20
"""Times that the logs are followed before writers wait all the same: each time what is left is much
shorter, unless writers are faster than the copy."""

Progress = Callable[[str, int, int], None]
"""Told the phase, how much of it is done and how much there is."""


class Moving:
    """One change of the map while it is prepared: from the sources of a cut into its targets."""

    def __init__(
        self,
        before: PartitionMap,
        after: PartitionMap,
        spec: KeySpec,
        old: OpenShards,
        progress: Progress,
        pace: Pace = giving_way,
    ) -> None:
        """`after` has one change more, whose sources end at the seqs where copying begins."""
        self._before = before
        self.after = after
        self._spec = spec
        self._old = old
        self._progress = progress
        self._pace = pace
        change = after.history[-1]
        self.began = {each.number: each.last for each in change.sources}
        self._epochs = {each.number: each.epoch for each in change.sources}
        self._followed = dict(self.began)
        self._new_numbers = change.targets
        self.sources = {number: old.shard(number) for number in self.began}
        self.targets: dict[int, Shard] = {}

    @property
    def log_begins(self) -> int:
        """The seq after which the logs of the targets begin."""
        return max(self.began.values())

    def make(self, new: OpenShards) -> None:
        """Make the targets, empty and not durable yet; what is there of them goes."""
        self._new = new
        for number in self._new_numbers:
            directory = new.directory / str(number)
            if directory.exists():
                files.remove_directory(directory)
            with files.usable(directory):
                directory.mkdir()
            target = new.shard(number, draft=True)
            target.carry(partial(carrying.begin, target, self.log_begins))
            new.inherited(number, draft=True)
            self.targets[number] = target

    def take(self, new: OpenShards, followed: Mapping[int, int]) -> None:
        """Go on with targets that were filled by others, up to some seqs of the sources' logs."""
        self._new = new
        self._followed = dict(followed)
        for number in self._new_numbers:
            self.targets[number] = new.shard(number)
            new.inherited(number)
            new.follower(number)

    def fill(self) -> Mapping[int, int]:
        """Do all that can be done beside the traffic; returns up to where the logs are followed."""
        self.copy_documents()
        self.copy_history()
        self.follow()
        self.index()
        self.settle()
        self.catch_up()
        return self._followed

    def _target_of(self, key: bytes) -> int:
        return self.after.owner_of(self._spec, key)

    def copy_documents(self) -> None:
        """Copy every document as it is when it is read."""
        done, total = 0, sum(shard.count() for shard in self.sources.values())
        scans = [shard.scan() for shard in self.sources.values()]
        found = scans[0] if len(scans) == 1 else merge(*scans, key=lambda pair: pair[0])
        for batch in in_batches(self._pace(found), COPY_BATCH):
            by_target: dict[int, list[tuple[bytes, bytes]]] = {}
            for key, record in self._pace(batch):
                by_target.setdefault(self._target_of(key), []).append((key, pack_document(*record)))
            for number, pairs in by_target.items():
                target = self.targets[number]
                target.carry(partial(carrying.put_documents, target, pairs))
            done += len(batch)
            # Some were put since they were counted.
            self._progress("copying documents", done, max(done, total))

    # What readers of changes and senders of retries may still ask for

    def copy_history(self) -> None:
        """Copy the sources' logs, what they inherited, and the answers to writes with an op_id."""
        lineage = Lineage(self._before)
        for number, source in self.sources.items():
            older = self._old.inherited(number)
            keeps_older = older is not None and older.count() <= LOG_ENTRIES_KEPT
            self._copy_answers(source, with_older=keeps_older)
            self._copy_own_log(source)
            for ancestor in lineage.ancestors.values():
                if number not in lineage.heirs(ancestor.number):
                    continue
                held = older.held(ancestor.number) if older and keeps_older else None
                self._begin(ancestor.number, held or Held(0, ancestor.last))
                if older and held:
                    for entries in in_batches(
                        older.entries(ancestor.number, held.floor), COPY_BATCH
                    ):
                        self._inherit(ancestor.number, entries)

    def _begin(self, ancestor: int, held: Held) -> None:
        for number in self.targets:
            self._new.made_inherited(number).begin(ancestor, held)

    def _copy_own_log(self, source: Shard) -> None:
        first, _ = source.log_range()
        end = self.began[source.number]
        after = floor = max(source.base, first - 1) if first else end
        self._begin(source.number, Held(source.base, floor))
        while after < end:
            tail = source.tail(after, COPY_BATCH)
            source.check_unbroken(after, tail)
            self._inherit(source.number, [entry for entry, _ in tail if entry.seq <= end])
            after = tail[-1][0].seq
            self._progress("copying the log", min(after, end) - floor, end - floor)

    def _inherit(self, number: int, entries: list[Entry]) -> None:
        by_target: dict[int, list[Entry]] = {}
        for entry in self._pace(entries):
            if entry.operation is not Operation.MOVED:
                by_target.setdefault(self._target_of(entry.key), []).append(entry)
        for target, own in by_target.items():
            self._new.made_inherited(target).add(number, own)

    def _copy_answers(self, source: Shard, *, with_older: bool) -> None:
        origin = (source.number, self._epochs[source.number])
        for batch in carrying.answers_of(source, origin):
            by_target: dict[int, carrying.Answers] = {}
            for op_id, answer in batch.items():
                if with_older or answer.origin == origin:
                    by_target.setdefault(self._target_of(answer.key), {})[op_id] = answer
            for number, answers in by_target.items():
                target = self.targets[number]
                target.carry(partial(carrying.put_answers, target, answers))

    # What is written meanwhile

    @property
    def behind(self) -> int:
        """Entries of the sources that the targets do not have yet."""
        return sum(shard.head - self._followed[n] for n, shard in self.sources.items())

    def follow(self) -> None:
        """Bring the targets up to what the sources' logs hold now."""
        for number, source in self.sources.items():
            begin, end = self._followed[number], source.head
            while self._followed[number] < end:
                self._follow_batch(source)
                followed = min(self._followed[number], end)  # a batch may hold later ones
                self._progress("following the log", followed - begin, end - begin)

    def _follow_batch(self, source: Shard) -> None:
        followed = self._followed[source.number]
        tail = source.tail(followed, COPY_BATCH)
        source.check_unbroken(followed, tail)
        self._inherit(source.number, [entry for entry, _ in tail])
        by_target: dict[int, Touched] = {}
        for entry, record in tail:
            by_target.setdefault(self._target_of(entry.key), []).append((entry, record))
        origin = (source.number, self._epochs[source.number])
        for number, touched in by_target.items():
            target = self.targets[number]
            answers = carrying.answers_to(source, touched, origin)
            target.carry(partial(carrying.touch, target, touched, answers))
        self._followed[source.number] = tail[-1][0].seq

    def index(self) -> None:
        """Make the targets' indexes from their documents, or bring them up to their logs."""
        for done, (number, target) in enumerate(self.targets.items()):
            self._progress("indexing", done, len(self.targets))
            self._new.follower(number).refresh(target.head)

    def catch_up(self) -> None:
        """Follow the logs until little is left, or no less than the last time."""
        before = ENDLESS_TAIL
        for _ in range(ROUNDS_MAX):
            behind = self.behind
            if before <= behind < ENDLESS_TAIL:
                return
            before = behind
            self.follow()
            lag = sum(self._new.follower(number).lag for number in self.targets)
            if behind < LONG_TAIL and INDEXED_TAIL <= lag < INDEXED_TAIL_MAX:
                self.index()
            elif behind <= SHORT_TAIL:
                return

    def lasts(self) -> Mapping[int, int]:
        """Where the sources' logs end; of use while their writers wait."""
        return {number: source.head for number, source in self.sources.items()}

    def settle(self) -> None:
        """Make all that was copied durable, and what is copied from now on."""
        for number, target in self.targets.items():
            target.environment.settle()
            self._new.made_inherited(number).settle()
            files.sync_directory(self._new.directory / str(number))
        files.sync_directory(self._new.directory)
