"""The partition map of one collection as it is now, and its changes while everything goes on.

Invariants:
1. A question is put to one map from begin to end (`ask`): a map that is replaced meanwhile stays
   usable, with its shards, until nobody asks it any more.
2. A change is one replacement of collection.json. Before it, the new shards are whole but nobody's;
   after it, the old ones are. `moving.json` names both before the first of them is made, and what
   it names and no map owns is removed on opening. So a crash leaves the old map or the new one.
3. Writers of the shards that go wait while the last entries are copied and the map is replaced;
   then they ask the new map. No write is acknowledged by a shard that is going.
4. One change at a time.

A reading process finds a replaced collection.json at its next question and goes on with that.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from docstore import files, keys
from docstore.catalog import SHARDS_DIRECTORY, Definition, file_identity
from docstore.global_index.comparing import scatter_over
from docstore.global_index.indexes import GlobalIndexes
from docstore.growing.limits import AutoSplit
from docstore.growing.state import Growing
from docstore.hot_keys.traffic import Traffic
from docstore.map_changes import figures
from docstore.map_changes.figures import Figures
from docstore.partitioning import PartitionMap
from docstore.partitions import Partitions
from docstore.pinning import Pin, Pinned
from docstore.resources import Resources
from docstore.shards.open_shards import OpenShards
from docstore.shards.records import Record
from docstore.shards.shard import Moved
from docstore.types import PartitionChange
from docstore.working_apart import nobody_working
from indexing.errors import Closed, DocstoreError, NotFound, Unavailable

T = TypeVar("T")

MOVING_FILE = "moving.json"
_FORMAT = 1


class LiveMap:
    """One collection's current Partitions; safe to use from many threads."""

    def __init__(self, directory: Path, resources: Resources, *, read_only: bool) -> None:
        self._directory = directory
        self._resources = resources
        self.recorder = resources.recorder
        self._read_only = read_only
        self._file = file_identity(directory)
        definition = Definition.load(directory)
        if not read_only:
            _remove_unowned(directory, definition.partition_map)
        self._numbers = definition.partition_map.numbers
        self.shards = OpenShards(
            directory / SHARDS_DIRECTORY,
            definition,
            resources,
            lambda number: self.indexes.log_floor(number),  # noqa: PLW0108  made below
            read_only=read_only,
        )
        self.indexes = GlobalIndexes(
            directory,
            definition,
            lambda: self._numbers,
            self.shards.shard,
            scatter_over(
                lambda: self.ask(lambda of: of.views(of.numbers, None, current=True)),
                definition.key,
                resources.search_pool,
            ),
            resources.applier,
            read_only=read_only,
        )
        self.traffic = Traffic(partial(keys.partition_bytes, definition.key))
        self.growing = Growing(directory)
        self._figures = figures.load(directory)
        self._pinned = Pinned(self._partitions(definition))
        self._changing = threading.Lock()
        self._reloading = threading.Lock()
        self._listing = threading.Lock()
        self._unowned: set[int] = set()
        self._removing = threading.Lock()
        self._is_closed = False
        self._is_replaced = False
        self._is_doubtful = False
        self.indexes.wake()

    def _partitions(self, definition: Definition) -> Partitions:
        return Partitions(
            definition,
            self.shards,
            self._resources,
            self.indexes,
            self.traffic,
            read_only=self._read_only,
        )

    # Asking

    @property
    def current(self) -> Partitions:
        """The shards under the map of now; for what is asked of them at once only."""
        return self._pinned.current

    @property
    def epoch(self) -> int:
        """That of the current map."""
        return self.current.definition.partition_map.epoch

    def ask(self, question: Callable[[Partitions], T]) -> T:
        """The answer to a question under one map; asked again when that map went meanwhile."""
        while True:
            if self._read_only:
                self._follow_file()
            use = self._pinned.enter()
            try:
                return question(use.value)
            except Moved:
                self._check_certain()
            except DocstoreError:
                # A shard that was merely looked for too late is no error.
                if not self._read_only or self._file == file_identity(self._directory):
                    raise
            finally:
                self._pinned.unpin(use)

    def record(self, key: bytes) -> Record | None:
        """A document by encoded key.

        Without a pin, which costs half a microsecond: what an open shard holds is right for a
        moment after the call began, and one that was let go of meanwhile says that it is closed.
        """
        if not self._read_only:
            partitions = self.current
            shard = self.shards.if_open(partitions.number_of(key))
            if shard is not None:
                self.traffic.reads.note(key)
                if self.recorder.into is not None:
                    self.recorder.into.by_key(partitions.definition, "get", key)
                try:
                    return shard.get(key)
                except Closed:  # let go of meanwhile
                    return self._pinned_record(key)
        return self._pinned_record(key)

    def _pinned_record(self, key: bytes) -> Record | None:
        return self.ask(lambda partitions: partitions.record(key))

    def pin(self) -> Pin[Partitions]:
        """The current shards, usable until the pin is released or forgotten."""
        if self._read_only:
            self._follow_file()
        return self._pinned.pin()

    @property
    def is_replaced(self) -> bool:
        """Whether another process dropped the collection since, or made it anew."""
        if self._read_only:
            with contextlib.suppress(NotFound):
                self._follow_file()
        return self._is_replaced

    def _follow_file(self) -> None:
        """Read-only: go on with the map that the writing process made since."""
        if self._is_replaced:
            raise self._gone()
        if self._file == file_identity(self._directory):
            return
        with self._reloading:
            found = file_identity(self._directory)
            if found == self._file:
                return
            known = self.current.definition
            definition = None if found is None else Definition.load(self._directory)
            if definition is None or not _is_later(known, definition):
                self._is_replaced = True
                raise self._gone()
            gone = set(known.partition_map.numbers) - set(definition.partition_map.numbers)
            self._numbers = definition.partition_map.numbers
            self._pinned.replace(
                self._partitions(definition), lambda: self.shards.discard(sorted(gone))
            )
            self._file = found
            self.growing, self._figures = Growing(self._directory), figures.load(self._directory)

    def _gone(self) -> NotFound:
        return NotFound(
            f"collection {self.current.definition.name!r} was dropped, or made anew",
            hint="open it again with collection()",
        )

    def stats(self) -> dict[str, Any]:
        """What `Partitions.stats` tells, the change under way, those that were made, the policy."""
        found = self.ask(lambda partitions: partitions.stats())
        past = self.current.definition.partition_map.history[-figures.FIGURES_MAX :]
        return {
            **found,
            "moving": self.shards.moving,
            "history": figures.told(past, self._figures),
            "auto_split": self.growing.stats(),
        }

    def set_auto_split(self, limits: AutoSplit | None) -> None:
        """Have other limits at which partitions are split and merged unasked."""
        self._check_writable()
        self.growing.set(limits)

    def note(self, made: PartitionChange) -> None:
        """Keep what a change took, to be shown."""
        self._figures[made.epoch] = Figures(made.documents, made.seconds, made.pause_ms)
        figures.save(self._directory, self._figures)

    # Changing

    @contextlib.contextmanager
    def changing(self) -> Iterator[Partitions]:
        """The right to change the map, which one has at a time; raises Unavailable."""
        self._check_writable()
        if not self._changing.acquire(blocking=False):
            raise Unavailable(
                "the partitions are being changed already",
                hint="try again when that is done; stats show how far it is",
                retryable=True,
            )
        try:
            self._check_certain()
            yield self.current
        finally:
            self._changing.release()

    @property
    def is_changing(self) -> bool:
        """Whether a change of the map is under way."""
        return self._changing.locked()

    def publish(self, new: PartitionMap, let_go: Callable[[], None] = lambda: None) -> None:
        """Replace the map, durably, while `changing`.

        `let_go` is called when nobody asks the old one any more. When it raises, the map is the
        old one; when even that is uncertain, no change is made and no write taken until the store
        is opened again.
        """
        before = self.current.definition
        definition = replace(before, partition_map=new)
        try:
            definition.save(self._directory)
        except DocstoreError:
            self._is_doubtful = not self._is_on_disk(before)
            raise
        self._numbers = definition.partition_map.numbers
        self._pinned.replace(self._partitions(definition), let_go)

    def _is_on_disk(self, definition: Definition) -> bool:
        try:
            return Definition.load(self._directory) == definition
        except DocstoreError:
            return False

    @property
    def is_doubtful(self) -> bool:
        """Whether it is not known which map is on disk."""
        return self._is_doubtful

    def _check_writable(self) -> None:
        if self._read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")

    def _check_certain(self) -> None:
        if self._is_doubtful:
            raise Unavailable(
                "a change of the partitions could not be made durable, nor undone",
                hint="look after the disk and open the store again; what is acknowledged is safe",
            )

    # What no map owns

    @property
    def unowned(self) -> frozenset[int]:
        """The shards that are being made, or wait to be removed."""
        return frozenset(self._unowned)

    def will_not_own(self, numbers: Iterable[int]) -> None:
        """Write down shards that are about to be made or to go, before they are."""
        with self._listing:
            self._unowned.update(numbers)
            self._list_unowned()

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove shards that no map owns and nobody asks, with their files."""
        numbers = [number for number in numbers if number not in self.current.numbers]
        self.shards.discard(numbers)
        for number in numbers:
            directory = self.shards.directory / str(number)
            if directory.exists():
                files.remove_directory(directory)
        self.owns(numbers)

    def owns(self, numbers: Iterable[int]) -> None:
        """Take shards from the list of those that are to be removed."""
        with self._listing:
            self._unowned.difference_update(numbers)
            self._list_unowned()

    def _list_unowned(self) -> None:
        path = self._directory / MOVING_FILE
        if self._unowned:
            files.write_json(path, {"format": _FORMAT, "shards": sorted(self._unowned)})
        else:
            with files.usable(path):
                path.unlink(missing_ok=True)

    def remove_soon(self, numbers: Iterable[int]) -> None:
        """Remove shards in another thread; what fails is tried again when the store is opened."""
        numbers = tuple(numbers)

        def removed() -> None:
            with self._removing, contextlib.suppress(DocstoreError, OSError):
                if not self._is_closed:
                    self.indexes.forget(numbers)
                    self.remove(numbers)

        # At the end the pool takes nothing more; the next opening removes them.
        with contextlib.suppress(RuntimeError):
            self._resources.commit_pool.submit(removed)

    def refuse(self) -> None:
        """Open nothing any more; what is open stays usable until `close`."""
        self.shards.refuse()

    def close(self, *, refresh: bool = True) -> None:
        """Bring every opened index up to its log unless told not to, and close the shards.

        A change under way fails, and cleans up before this returns. The shards are closed whatever
        an index raises.
        """
        try:
            self.indexes.close()
        finally:
            with self._removing:
                self._is_closed = True
            self.refuse()
            with self._changing:
                self.shards.close(refresh=refresh)


def _remove_unowned(directory: Path, owned: PartitionMap) -> None:
    """Remove what a change of the map left when the process died: new shards, or old ones."""
    path = directory / MOVING_FILE
    if not path.exists():
        return
    form = files.read_json(path)
    files.check_format(path, form, _FORMAT)
    with nobody_working(directory, "docstore.map_changes.moving_apart"):
        for number in form["shards"]:
            shard = directory / SHARDS_DIRECTORY / str(number)
            if owned.partition(number) is None and shard.exists():
                files.remove_directory(shard)
        files.remove_leftovers(directory / SHARDS_DIRECTORY)
        with files.usable(path):
            path.unlink()


def _is_later(known: Definition, found: Definition) -> bool:
    """Whether a definition is of the same collection, later."""
    return (
        known.identity == found.identity
        and (known.key, known.schema) == (found.key, found.schema)
        and found.partition_map.epoch > known.partition_map.epoch
    )
