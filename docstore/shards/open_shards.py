"""The shards of one collection that are open, each with its local index, whatever map names them.

Invariant: a shard is open once in a process. Shards open when first used, so opening a store costs
the same whatever the number of partitions. Which of them are in use is the map's business.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from docstore import keys
from docstore.catalog import Definition
from docstore.forks import INHERITED, forget_in_children
from docstore.resources import Resources
from docstore.shards.inherited import INHERITED_FILE, Inherited
from docstore.shards.local_follower import LocalFollower
from docstore.shards.shard import Shard
from indexing.errors import Closed

T = TypeVar("T")


class OpenShards:
    """Opens shards by number; safe to use from many threads.

    `log_floor` tells up to which seq of a shard's log other followers are done with it.
    `_opening` guards what is open, and is held for moments. Whoever opens an index, which may have
    to be made again from all documents, holds only the lock of its shard (`_indexing`); `close`
    waits for that.
    """

    def __init__(
        self,
        directory: Path,
        definition: Definition,
        resources: Resources,
        log_floor: Callable[[int], int],
        *,
        read_only: bool,
    ) -> None:
        self.directory = directory
        self._schema = definition.schema
        self._spec = definition.key
        self._resources = resources
        self._log_floor = log_floor
        self._read_only = read_only
        self._opening = threading.Lock()
        self._shards: dict[int, Shard] = {}
        self._followers: dict[int, LocalFollower] = {}
        self._indexing: dict[int, threading.Lock] = {}
        self._inherited: dict[int, Inherited] = {}
        self._held: dict[int, int] = {}
        self._closed = False
        self._is_inherited = False
        forget_in_children(self)
        self.moving: dict[str, Any] | None = None
        """How far the change of the partitions is that is under way."""

    @property
    def opened(self) -> list[int]:
        """The numbers of the shards that are open, sorted."""
        return sorted(self._shards)

    @property
    def is_closed(self) -> bool:
        """Whether `refuse` or `close` was called."""
        return self._closed

    def shard(self, number: int, *, draft: bool = False) -> Shard:
        """The shard of a number; raises Corruption when it is missing, unless it is to be made."""
        shard = self._shards.get(number)
        if shard is not None:
            return shard
        with self._opening:
            self.check_open()
            shard = self._shards.get(number)
            if shard is None:
                directory = self.directory / str(number)
                shard = Shard(
                    directory, number, read_only=self._read_only, create=draft, draft=draft
                )
                shard.log_floor = partial(self._floor, number)
                if not self._read_only:
                    shard.trimmed = partial(self._drop_history, shard)
                    self._drop_history(shard)
                self._shards[number] = shard
            return shard

    def _floor(self, number: int) -> int:
        """Up to which seq nobody needs a shard's log; once closed nobody can be asked."""
        if self._closed:
            return 0
        return min(self._log_floor(number), self._held.get(number, 2**63))

    def _drop_history(self, shard: Shard) -> None:
        """Remove what a shard has of its ancestors once nobody can read on from there to its log.

        Who reads it now keeps it open to the end.
        """
        path = shard.directory / INHERITED_FILE
        if path.exists() and not shard.has_whole_log:
            self._inherited.pop(shard.number, None)
            with suppress(OSError):  # the next look removes it
                path.unlink()
                path.with_name(f"{path.name}-lock").unlink(missing_ok=True)

    def look(self, number: int, look: Callable[[Shard], T]) -> T:
        """What is to be seen of a shard, which is left closed if it is; raises as `shard` does."""
        with self._opening:
            self.check_open()
            if number not in self._shards:
                shard = Shard(self.directory / str(number), number, read_only=True)
                try:
                    return look(shard)
                finally:
                    shard.close()
        return look(self.shard(number))

    def if_open(self, number: int) -> Shard | None:
        """The shard of a number, if it was used."""
        return self._shards.get(number)

    def inherited(self, number: int, *, draft: bool = False) -> Inherited | None:
        """The entries that a shard has of its ancestors; None when it has none."""
        found = self._inherited.get(number)
        if found is None:
            directory = self.directory / str(number)
            with self._opening:
                self.check_open()
                found = self._inherited.get(number)
                if found is None and (draft or (directory / INHERITED_FILE).exists()):
                    found = Inherited(directory, read_only=self._read_only, draft=draft)
                    self._inherited[number] = found
        return found

    def made_inherited(self, number: int) -> Inherited:
        """The same of a shard that is being made."""
        return self._inherited[number]

    def hold_log(self, number: int, seq: int | None) -> None:
        """Keep a shard's log after a seq until told otherwise (None)."""
        if seq is None:
            self._held.pop(number, None)
        else:
            self._held[number] = seq

    def follower_if_open(self, number: int) -> LocalFollower | None:
        """The local index of a shard, if it was used."""
        return self._followers.get(number)

    def follower(self, number: int) -> LocalFollower:
        """The local index of a shard."""
        follower = self._followers.get(number)
        if follower is not None:
            return follower
        shard = self.shard(number)
        with self._opening:
            self.check_open()
            indexing = self._indexing.setdefault(number, threading.Lock())
        with indexing:
            self.check_open()
            follower = self._followers.get(number)
            if follower is None:
                follower = LocalFollower(
                    shard,
                    self._schema,
                    lambda key: keys.key_text(self._spec, key),
                    self._resources.budget,
                    self._resources.open_indexes,
                    read_only=self._read_only,
                )
                self._followers[number] = follower
            return follower

    def refuse(self) -> None:
        """Open nothing any more; what is open stays usable until `close`."""
        with self._opening:
            self._closed = True

    def forget(self) -> None:
        """Open no more in a forked child, where nobody lets go of what others held."""
        self._opening = threading.Lock()
        self._indexing = {}
        self._is_inherited = True

    def check_open(self) -> None:
        """Refuse to go on after `refuse` or `close`; raises Closed."""
        if self._is_inherited:
            raise Closed(INHERITED, hint="open it in each process that uses it")
        if self._closed:
            raise Closed("the collection is closed", hint="open the store again")

    def discard(self, numbers: Iterable[int]) -> None:
        """Close some shards that nobody asks any more, their indexes as they are."""
        for number in numbers:
            with self._opening:
                indexing = self._indexing.pop(number, threading.Lock())
            with indexing, self._opening:
                follower = self._followers.pop(number, None)
                shard = self._shards.pop(number, None)
                inherited = self._inherited.pop(number, None)
                self._held.pop(number, None)
            if follower is not None:
                self._resources.background.forget([follower])
                follower.close(refresh=False)
            if shard is not None:
                shard.close()
            if inherited is not None:
                inherited.close()

    def close(self, *, refresh: bool) -> None:
        """Bring every index in use up to its log unless told not to, and close all.

        Every file is closed whatever an index raises.
        """
        self.refuse()
        for indexing in list(self._indexing.values()):
            with indexing:
                pass  # whoever opens an index is done; nobody begins to any more
        with self._opening:
            followers, shards = list(self._followers.values()), list(self._shards.values())
            inherited = list(self._inherited.values())
            self._followers.clear()
            self._shards.clear()
            self._inherited.clear()
        self._resources.background.forget(followers)
        with ExitStack() as closing:
            for history in inherited:
                closing.callback(history.close)
            for each in shards:
                closing.callback(each.close)
            for follower in followers:
                closing.callback(follower.close, refresh=refresh)
