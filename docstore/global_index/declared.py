"""Which global indexes a collection has: declared, opened, dropped, renamed, exchanged.

Invariants: `indexes.json` names the indexes that exist, replaced as a whole, and that is the moment
of every change; what it does not name is removed on opening. A process that reads only finds the
file replaced at its next question.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from docstore import files
from docstore.catalog import Definition
from docstore.global_index.applying_apart import Applier
from docstore.global_index.bounds import bounded
from docstore.global_index.declaring import (
    directory_of,
    read_definitions,
    remove_strays,
    stamp_of,
    write_definitions,
)
from docstore.global_index.definition import GlobalIndex, check_new_name
from docstore.global_index.healing import healed
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.lookups import check_partition
from docstore.global_index.shadows import Shadows
from docstore.global_index.term_moving import TermChange, salt, tidy
from docstore.shards.shard import Shard
from indexing.errors import AlreadyExists, Closed, NotFound


class Declared:
    """Safe to use from many threads."""

    def __init__(
        self,
        directory: Path,
        definition: Definition,
        numbers: Callable[[], Sequence[int]],
        shard_of: Callable[[int], Shard],
        applier: Applier,
        *,
        read_only: bool,
    ) -> None:
        self._directory = directory
        self._schema = definition.schema
        self._numbers = numbers
        self._shard_of = shard_of
        self._applier = applier
        self._read_only = read_only
        self._changing = threading.Lock()
        self._is_closed = False
        self._shadows = Shadows(self._opened)
        self._stamp = stamp_of(directory)
        declared = read_definitions(directory)
        if not read_only:
            remove_strays(directory, declared)
        self._live = {each.name: self._opened(each) for each in declared}
        if not read_only:
            for live in self._live.values():
                with healed(live):
                    live.suit(numbers())
                    tidy(live, partial(self._write, live))

    def _opened(self, index: GlobalIndex) -> LiveIndex:
        directory = directory_of(self._directory, index)
        return LiveIndex(
            directory,
            index,
            self._schema,
            self._shard_of,
            self._applier,
            read_only=self._read_only,
        )

    @property
    def live(self) -> dict[str, LiveIndex]:
        """The indexes by name, in the order of declaration; never changed, only replaced."""
        return self._live

    def look(self) -> bool:
        """Take up what the writing process has declared since; whether there is any."""
        if not self._read_only or stamp_of(self._directory) == self._stamp:
            return False
        with self._changing:
            stamp = stamp_of(self._directory)
            declared = read_definitions(self._directory)
            known = {live.definition: live for live in self._live.values()}
            for definition in known.keys() - set(declared):
                known[definition].close()  # first: a process must not have a file open twice
            self._live = {each.name: known.get(each) or self._opened(each) for each in declared}
            self._stamp = stamp
        return True

    def followers(self) -> list[LiveIndex]:
        """All that is kept up to the logs: indexes, and those made to take the place of some."""
        return [*self._live.values(), *self._shadows.by_name.values()]

    def made_anew(self, name: str) -> LiveIndex | None:
        """What is being made to take an index's place, if anything is."""
        return self._shadows.by_name.get(name)

    def named(self, name: str) -> LiveIndex:
        """An index; raises NotFound, Closed."""
        if self._is_closed:
            raise Closed("the store is closed", hint="open it again")
        live = self.live
        found = live.get(name)
        if found is None:
            hint = f"indexes: {', '.join(live) or 'none'}"
            raise NotFound(f"there is no index {name!r}", hint=hint)
        return found

    def create(self, index: GlobalIndex) -> None:
        """Declare an index; raises InvalidSchema, AlreadyExists."""
        index.check_fits(self._schema)
        with self._changing:
            if index.name in self._live:
                raise AlreadyExists(
                    f"there is an index {index.name!r}", hint="drop it, or give another name="
                )
            self._publish({**self._live, index.name: self._opened(self._bounded(index))})

    def _bounded(self, index: GlobalIndex) -> GlobalIndex:
        return bounded(index, self._schema, map(self._shard_of, self._numbers()))

    def _write(self, of: LiveIndex, changed: GlobalIndex) -> None:
        """Write down another map of one index."""
        live = self._live.values()
        written = [changed if each is of else each.definition for each in live]
        write_definitions(self._directory, written)

    def salt(self, name: str, value: Any, fan: int) -> TermChange:
        """Spread the postings of a value; see `term_moving`."""
        with self._changing:
            live = self.named(name)
            self._shadows.drop(name)
            return salt(live, partial(self._write, live), value, fan)

    def _publish(self, live: dict[str, LiveIndex]) -> None:
        write_definitions(self._directory, [each.definition for each in live.values()])
        self._live = live

    def drop(self, name: str) -> None:
        """Remove an index and its files; raises NotFound."""
        with self._changing:
            dropped = self.named(name)
            self._publish({each: kept for each, kept in self._live.items() if each != name})
            self._shadows.drop(name)
            dropped.remove()

    def rename(self, name: str, to: str) -> None:
        """Give an index another name; raises NotFound, AlreadyExists, InvalidSchema."""
        check_new_name(to)
        with self._changing:
            renamed = self.named(name)
            if to in self._live:
                raise AlreadyExists(f"there is an index {to!r}", hint="drop it first")
            self._shadows.drop(name)
            renamed.close()
            try:
                self._rename(renamed, renamed.definition.changed(name=to))
            except BaseException:
                reopened = self._opened(renamed.definition)
                self._live = self._with(renamed, reopened)
                raise

    def _rename(self, renamed: LiveIndex, definition: GlobalIndex) -> None:
        """Take up a closed index under another name; if that fails its files are as before."""
        was = directory_of(self._directory, renamed.definition)
        becomes = directory_of(self._directory, definition)
        opened: LiveIndex | None = None
        try:
            # Between these lines nothing is named so: a crash makes the index empty, and filled.
            files.rename_directory(was, becomes)
            opened = self._opened(definition)
            self._publish(self._with(renamed, opened))
        except BaseException:
            if opened is not None:
                opened.close()
            if becomes.exists() and not was.exists():
                files.rename_directory(becomes, was)
            raise

    def _with(self, replaced: LiveIndex, by: LiveIndex) -> dict[str, LiveIndex]:
        """The indexes by name, one in another's place."""
        live = [by if kept is replaced else kept for kept in self._live.values()]
        return {each.definition.name: each for each in live}

    def rebuild(self, name: str, partition: int | None) -> None:
        """Empty an index or one partition, to be filled again; raises NotFound."""
        with self._changing:
            index = self.named(name)
            check_partition(index.definition, partition)
            self._shadows.drop(name)
            if partition is not None or index.definition.by == "hash":
                index.empty(partition)
                return
            # Documents have come since its bounds were chosen.
            becomes, changed = index.definition, self._bounded(index.definition)
            index.remove()
            try:
                self._write(index, changed)
                becomes = changed
            finally:
                self._live = {**self._live, name: self._opened(becomes)}

    # Making anew what is cut badly

    def review(self, index: LiveIndex) -> None:
        """Begin to make an index anew beside itself if it is cut badly; cheap."""
        self.exchange(index)  # where the last try failed
        if self._shadows.is_due(index):
            with self._if_free() as is_free:
                if is_free and self._live.get(index.definition.name) is index:
                    self._shadows.begin(index)

    @contextmanager
    def _if_free(self) -> Iterator[bool]:
        """Change what is declared unless somebody does, who may take long: the updater goes on."""
        is_free = self._changing.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._changing.release()

    def exchange(self, made: LiveIndex) -> None:
        """Have an index that was made beside another asked in its place, if it is such a one."""
        name, numbers = made.definition.name, self._numbers()
        if self._shadows.by_name.get(name) is not made or made.state(numbers) != "ready":
            return
        with self._if_free() as is_free:
            if not is_free or self._shadows.by_name.get(name) is not made:
                return
            # What was seen before is seen afterwards.
            made.digest({number: self._shard_of(number).head for number in numbers})
            replaced = self._live[name]
            del self._shadows.by_name[name]
            self._publish({**self._live, name: made})
            replaced.remove()

    def forget_made(self) -> None:
        """Give up what is being made: the shards that it is made from change."""
        with self._changing:
            for name in list(self._shadows.by_name):
                self._shadows.drop(name)

    def close(self) -> None:
        """Close everything; what is not applied stays in the logs."""
        self._is_closed = True
        for index in self.followers():
            index.close()
