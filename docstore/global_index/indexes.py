"""The global indexes of one collection: declared, dropped, asked, checked, rebuilt.

Invariants: `indexes.json` names the indexes that exist, replaced as a whole; everything beside it
is derived, and what it does not name is removed on opening. A base write never waits for an index.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from docstore import files, keys
from docstore.catalog import Definition
from docstore.global_index import lookups
from docstore.global_index.ages import Ages
from docstore.global_index.bounds import bounded
from docstore.global_index.candidates import Candidates
from docstore.global_index.checking import check
from docstore.global_index.comparing import Scatter, settle
from docstore.global_index.declaring import (
    INDEXES_DIRECTORY,
    read_definitions,
    remove_strays,
    stamp_of,
    write_definitions,
)
from docstore.global_index.definition import GlobalIndex, check_name
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.lookups import IndexAnswer
from docstore.global_index.offers import Offer
from docstore.global_index.term_moving import TermChange, salt, tidy
from docstore.global_index.updater import Updater
from docstore.global_index.verifying import check_rate
from docstore.global_index.wanted import Asked, Condition, Wanted
from docstore.shard import Shard
from docstore.types import Freshness, Position, Violation
from indexing.errors import (
    AlreadyExists,
    Closed,
    Corruption,
    InvalidQuery,
    NotFound,
    Unavailable,
)

LOG_ENTRIES_HELD_MAX = 1_000_000
"""Entries of one shard that the log is kept for an index that does not apply them: some 100 MB.
Beyond, the index is filled again when it can be."""


class GlobalIndexes:
    """Safe to use from many threads. Read-only, it reads what the writing process keeps."""

    def __init__(
        self,
        directory: Path,
        definition: Definition,
        numbers: Callable[[], Sequence[int]],
        shard_of: Callable[[int], Shard],
        scatter: Scatter,
        *,
        read_only: bool,
    ) -> None:
        self._directory = directory
        self._definition = definition
        self._numbers = numbers
        self._shard_of = shard_of
        self._read_only = read_only
        self._changing = threading.Lock()
        self._settling = threading.Lock()
        self._live: dict[str, LiveIndex] = {}
        self._scatter = scatter
        self._ages = Ages(shard_of)
        self._updater = Updater(lambda: list(self._live.values()), numbers, shard_of, self._settle)
        self._stamp = stamp_of(directory)
        declared = read_definitions(directory)
        if not read_only:
            remove_strays(directory, declared)
        self._live = {each.name: self._opened(each) for each in declared}
        if not read_only:
            for live in self._live.values():
                live.suit(numbers())
                tidy(live, partial(self._write, live))

    def _opened(self, index: GlobalIndex) -> LiveIndex:
        directory = self._directory / INDEXES_DIRECTORY / index.name
        schema = self._definition.schema
        return LiveIndex(directory, index, schema, self._shard_of, read_only=self._read_only)

    def create(self, index: GlobalIndex) -> None:
        """Declare an index; it is filled from the documents while everything goes on.

        Raises AlreadyExists, InvalidSchema, Unavailable on a read-only store.
        """
        self._check_writable()
        index.check_fits(self._definition.schema)
        with self._changing:
            if index.name in self._live:
                raise AlreadyExists(
                    f"there is an index {index.name!r}", hint="drop it, or give another name="
                )
            self._publish({**self._live, index.name: self._opened(self._bounded(index))})
        self.wake()

    def _bounded(self, index: GlobalIndex) -> GlobalIndex:
        return bounded(index, self._definition.schema, map(self._shard_of, self._numbers()))

    def _look(self) -> bool:
        """Take up the maps that the writing process has written since; whether there are any."""
        if not self._read_only or stamp_of(self._directory) == self._stamp:
            return False
        with self._changing:
            self._stamp = stamp_of(self._directory)
            known = {live.definition: live for live in self._live.values()}
            declared = read_definitions(self._directory)
            self._live = {each.name: known.get(each) or self._opened(each) for each in declared}
            for definition in known.keys() - set(declared):
                known[definition].close()
        return True

    def _write(self, of: LiveIndex, changed: GlobalIndex) -> None:
        """Write down another map of one index."""
        live = self._live.values()
        written = [changed if each is of else each.definition for each in live]
        write_definitions(self._directory, written)

    def salt(self, name: str, value: Any, fan: int) -> TermChange:
        """Spread the postings of a value over `fan` index partitions; 1 gathers them again.

        A lookup of it asks all of them then, of other values one. Raises NotFound, InvalidRequest
        for a fan that is none, Unavailable while the index is filled.
        """
        self._check_writable()
        with self._changing:
            live = self._named(name)
            return salt(live, partial(self._write, live), value, fan)

    def _publish(self, live: dict[str, LiveIndex]) -> None:
        write_definitions(self._directory, [each.definition for each in live.values()])
        self._live = live

    def drop(self, name: str) -> None:
        """Remove an index; documents are untouched. Who is reading it is answered first."""
        self._check_writable()
        with self._changing:
            dropped = self._named(name)
            self._publish({each: kept for each, kept in self._live.items() if each != name})
            self._updater.errors.pop(name, None)
            dropped.close(is_whole=False)
            files.remove_directory(self._directory / INDEXES_DIRECTORY / name)

    def rename(self, name: str, to: str) -> None:
        """Give an index another name; its content stays. Raises NotFound, AlreadyExists."""
        self._check_writable()
        check_name(to)
        with self._changing:
            renamed = self._named(name)
            if to in self._live:
                raise AlreadyExists(f"there is an index {to!r}", hint="drop it first")
            directory = self._directory / INDEXES_DIRECTORY
            renamed.close()
            # Between these lines nothing is named so: a crash makes the index empty, and filled.
            files.rename_directory(directory / name, directory / to)
            definition = renamed.definition.changed(name=to)
            self._updater.errors.pop(name, None)
            opened = self._opened(definition)
            live = [opened if kept is renamed else kept for kept in self._live.values()]
            self._publish({each.definition.name: each for each in live})
        self.wake()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._live)

    def __iter__(self) -> Iterator[GlobalIndex]:
        """What is declared, in the order of declaration."""
        return iter([each.definition for each in self._live.values()])

    def _named(self, name: str) -> LiveIndex:
        found = self._live.get(name)
        if found is None:
            raise self._unknown(name)
        return found

    def _unknown(self, name: str) -> NotFound:
        return NotFound(
            f"there is no index {name!r}", hint=f"indexes: {', '.join(self._live) or 'none'}"
        )

    # Asking

    def offers(self) -> tuple[Offer, ...]:
        """What every index could answer from, as it is now, in the order of declaration."""
        self._look()
        numbers = self._numbers()
        heads = {number: self._shard_of(number).head for number in numbers} if self._live else {}
        return tuple(
            Offer(
                live,
                live.state(numbers),
                *live.files.sizes,
                *live.lag(heads, self._ages),
                live.overlay,
                None if (error := self._updater.errors.get(name)) is None else str(error),
            )
            for name, live in self._live.items()
        )

    def wanted(self, name: str, asked: Sequence[Asked]) -> Wanted:
        """What to look for under the leading fields; raises NotFound, InvalidQuery."""
        return self._named(name).extractor.wanted(asked)

    def candidates(
        self,
        name: str,
        wanted: Wanted,
        conditions: Sequence[Condition] = (),
        *,
        sort: str | None = None,
        descending: bool = False,
        freshness: Freshness = "current",
        after: Sequence[Position] = (),
    ) -> Candidates:
        """The documents with a wanted value that meet all conditions on covered fields.

        `current` are the documents as of a moment after the call began; `any` those of what is
        digested; `after` includes at least some positions. Raises NotFound, InvalidQuery, and
        Unavailable while the index is filled.
        """
        self._look()
        live = self._named(name)
        needed = lookups.needed_of(freshness, after)
        numbers = self._numbers()
        try:
            found = live.find(wanted, conditions, numbers, needed, sort, descending=descending)
        except Closed as error:
            if self._live.get(name) is live:
                raise
            raise self._unknown(name) from error  # dropped meanwhile, or made anew
        except Corruption as error:
            if self._read_only:
                raise
            live.empty()
            self.wake()
            raise Unavailable(
                f"the index {name!r} was damaged and is being filled again: {error}",
                hint="search without it, or ask again later",
                retryable=True,
            ) from error
        if self._look():
            raise Unavailable(f"the map of {name!r} has changed", hint="ask again", retryable=True)
        return found

    def lookup(
        self,
        name: str,
        *values: Any,
        where: Sequence[Condition] = (),
        sort: str | None = None,
        descending: bool = False,
        offset: int = 0,
        limit: int = 10,
        freshness: Freshness = "current",
        **bounds: Any,
    ) -> IndexAnswer:
        """The documents with one of `values`, or in a range (gt, gte, lt, lte), or with a prefix.

        Answered from the index alone. `current` sees every write acknowledged before; `any` is as
        old as the index's lag. `where` are conditions on covered fields. Sorted by a covered field,
        equal values by key; without `sort` by key. Raises NotFound, InvalidQuery, Unavailable.
        """
        if any(type(each) is not int or each < 0 for each in (offset, limit)):
            raise InvalidQuery(f"page {offset!r}, {limit!r}", hint="use whole numbers from 0")
        lookups.check_conditions(where)
        live = self._named(name)
        wanted = self.wanted(name, lookups.asked_of(values, bounds, len(live.definition.fields)))
        found = self.candidates(
            name, wanted, where, sort=sort, descending=descending, freshness=freshness
        )
        lag = live.lag({n: self._shard_of(n).head for n in self._numbers()}, self._ages)
        return lookups.answer_of(found, self._definition.key, offset, limit, lag)

    # Keeping

    def _settle(self, index: LiveIndex) -> None:
        """Compare an index that was filled, and let it be asked or fill it again."""
        with self._settling:
            settle(index, self._numbers(), self._scatter)

    def catch_up(self) -> None:
        """Apply everything acknowledged before the call and write it, in the calling thread."""
        self._check_writable()
        numbers, indexes = tuple(self._numbers()), list(self._live.values())
        ends = {number: self._shard_of(number).head for number in numbers}
        for index in indexes:
            while (state := index.state(numbers)) != "ready":
                if state == "comparing":
                    self._settle(index)
                else:
                    index.fill(numbers)
        self._updater.follow(ends, indexes)
        for index in indexes:
            index.digest(ends)
            index.flush(is_last=True)

    def check(self, only: str | None = None) -> Iterator[Violation]:
        """Every divergence between the indexes, or one, and the documents, after catching up."""
        live = self._live if only is None else {only: self._named(only)}
        if self._read_only or not live:
            return
        self.catch_up()
        for name, index in live.items():
            for rule, detail, shard, key in check(index, self._numbers()):
                shown = keys.decode(self._definition.key, key)
                yield Violation(
                    self._definition.name, shard, rule, f"index {name!r}: {detail}", shown
                )

    def rebuild(self, name: str, partition: int | None = None) -> None:
        """Fill an index, or one of its partitions, again; it cannot be asked meanwhile.

        Raises NotFound.
        """
        self._check_writable()
        with self._changing:
            index = self._named(name)
            lookups.check_partition(index.definition, partition)
            index.empty(partition)
            if partition is None and index.definition.by == "range":
                # Documents have come since its bounds were chosen.
                index.close(is_whole=False)
                anew = self._opened(self._bounded(index.definition))
                self._publish({**self._live, name: anew})
        self.wake()

    def throttle(self, documents_per_second: float | None) -> None:
        """Bound how fast indexes are filled from the documents; None for as fast as it goes."""
        check_rate(documents_per_second)
        self._updater.fill_rate = documents_per_second

    def verify(self, documents_per_second: float | None) -> None:
        """Go on comparing documents with the indexes at some rate while there is time; None: stop.

        `verification` tells what came of it.
        """
        check_rate(documents_per_second)
        self._check_writable()
        self._updater.verifier.rate = documents_per_second
        self.wake()

    @property
    def verification(self) -> dict[str, Any]:
        """`rate`, documents `verified`, `divergent` ones, `rounds` over all, `last` in words."""
        return self._updater.verifier.gauge()

    def stats(self) -> list[dict[str, Any]]:
        """For each index its definition and where it stands.

        `lag` in entries and `lag_ms`, `overlay` documents in memory only, shards still `filling`,
        `state`, `documents`, `postings`, `terms`, `error`.
        """
        numbers = self._numbers()
        return [offer.to_json(numbers) for offer in self.offers()]

    def wake(self, *, is_write: bool = False) -> None:
        """Have the indexes brought up to the logs soon; returns at once."""
        if self._live and not self._read_only:
            self._updater.wake(is_write=is_write)

    def log_floor(self, number: int) -> int:
        """Up to which seq of a shard's log every index is done with it, or is given up."""
        floor = min((each.files.floor(number) for each in self._live.values()), default=2**63)
        return max(floor, self._shard_of(number).head - LOG_ENTRIES_HELD_MAX)

    def adopt(self, targets: Mapping[int, int], sources: Mapping[int, int]) -> None:
        """Follow the new shards of a split from the seqs their logs begin after.

        `sources` are the seqs that the split shards had when copying began: whoever has applied
        them has seen all that the new shards hold; who has not reads these as unknown ones.
        """
        for index in self._live.values():
            index.adopt(targets, sources)

    def forget(self, sources: Sequence[int]) -> None:
        """Stop following shards that are no more."""
        for index in self._live.values():
            index.forget(sources)

    def _check_writable(self) -> None:
        if self._read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")

    def close(self) -> None:
        """Stop the updater and close the files; what is not applied stays in the logs."""
        self._updater.stop()
        for index in self._live.values():
            index.close()
