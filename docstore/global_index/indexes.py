"""The global indexes of one collection: declared, dropped, asked, checked, rebuilt.

Invariants: everything here is derived from the documents and their logs; a base write never waits
for an index.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docstore.catalog import Definition
from docstore.global_index import lookups
from docstore.global_index.ages import Ages
from docstore.global_index.applying_apart import Applier
from docstore.global_index.candidates import Candidates
from docstore.global_index.comparing import Scatter, settle
from docstore.global_index.declared import Declared
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.healing import asked, bring_up, healed, violations
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.lookups import IndexAnswer
from docstore.global_index.offers import Offer
from docstore.global_index.term_moving import TermChange
from docstore.global_index.updater import Updater
from docstore.global_index.verifying import check_rate
from docstore.global_index.wanted import Asked, Condition, Wanted
from docstore.shards.shard import Shard
from docstore.types import Freshness, Position, Violation
from indexing.errors import (
    Closed,
    InvalidQuery,
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
        applier: Applier,
        *,
        read_only: bool,
    ) -> None:
        self._definition = definition
        self._numbers = numbers
        self._shard_of = shard_of
        self._read_only = read_only
        self._settling = threading.Lock()
        self._scatter = scatter
        self._ages = Ages(shard_of)
        self._declared = Declared(
            directory, definition, numbers, shard_of, applier, read_only=read_only
        )
        self._updater = Updater(
            self._declared.followers, numbers, shard_of, self._settle, self._declared.review
        )

    @property
    def _live(self) -> dict[str, LiveIndex]:
        return self._declared.live

    def create(self, index: GlobalIndex) -> None:
        """Declare an index; it is filled from the documents while everything goes on.

        Raises AlreadyExists, InvalidSchema, Unavailable on a read-only store.
        """
        self._check_writable()
        self._declared.create(index)
        self.wake()

    def salt(self, name: str, value: Any, fan: int) -> TermChange:
        """Spread the postings of a value over `fan` index partitions; 1 gathers them again.

        A lookup of it asks all of them then, of other values one. Raises NotFound, InvalidRequest
        for a fan that is none, Unavailable while the index is filled.
        """
        self._check_writable()
        return self._declared.salt(name, value, fan)

    def drop(self, name: str) -> None:
        """Remove an index; documents are untouched. Who is reading it is answered first."""
        self._check_writable()
        self._declared.drop(name)
        self._updater.forget(name)

    def rename(self, name: str, to: str) -> None:
        """Give an index another name; its content stays. Raises NotFound, AlreadyExists."""
        self._check_writable()
        self._declared.rename(name, to)
        self._updater.forget(name)
        self.wake()

    def __len__(self) -> int:
        """How many there are."""
        self._declared.look()
        return len(self._live)

    def __iter__(self) -> Iterator[GlobalIndex]:
        """What is declared, in the order of declaration."""
        self._declared.look()
        return iter([each.definition for each in self._live.values()])

    # Asking

    def offers(self, only: str | None = None) -> tuple[Offer, ...]:
        """What every index, or one, could answer from, as it is now, in the order of declaration.

        Raises NotFound.
        """
        self._declared.look()
        live = self._live if only is None else {only: self._declared.named(only)}
        numbers, shard_of = self._numbers(), self._shard_of
        heads = {number: shard_of(number).head for number in numbers} if live else {}
        errors = self._updater.errors
        return tuple(
            [
                Offer.now(
                    each,
                    numbers,
                    heads,
                    self._ages,
                    errors.get(name),
                    self._declared.made_anew(name),
                )
                for name, each in live.items()
            ]
        )

    def wanted(self, name: str, asked: Sequence[Asked]) -> Wanted:
        """What to look for under the leading fields; raises NotFound, InvalidQuery."""
        return self._declared.named(name).extractor.wanted(asked)

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
        self._declared.look()
        live = self._declared.named(name)
        needed = lookups.needed_of(freshness, after)
        numbers = self._numbers()
        try:
            with asked(live, self._declared.named):
                found = live.find(wanted, conditions, numbers, needed, sort, descending=descending)
        except Unavailable:
            self.wake()  # it may have to be filled
            raise
        if self._declared.look():
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
        self._declared.look()
        live = self._declared.named(name)
        wanted = self.wanted(name, lookups.asked_of(values, bounds, len(live.definition.fields)))
        found = self.candidates(
            name, wanted, where, sort=sort, descending=descending, freshness=freshness
        )
        lag = live.place.lag({n: self._shard_of(n).head for n in self._numbers()}, self._ages)
        with asked(live, self._declared.named):
            return lookups.answer_of(found, self._definition.key, offset, limit, lag)

    # Keeping

    def _settle(self, index: LiveIndex) -> None:
        """Compare an index that was filled, and let it be asked or fill it again."""
        with self._settling:
            settle(index, self._numbers(), self._scatter)
        self._declared.exchange(index)

    def catch_up(self) -> None:
        """Apply everything acknowledged before the call and write it, in the calling thread."""
        self._check_writable()
        while True:
            indexes = list(self._live.values())
            try:
                self._catch_up(indexes)
            except Closed:
                if indexes == list(self._live.values()):
                    raise
            else:
                return

    def _catch_up(self, indexes: Sequence[LiveIndex]) -> None:
        ends = {number: self._shard_of(number).head for number in self._numbers()}
        bring_up(indexes, ends, self._settle, self._updater.follow)

    def check(self, only: str | None = None) -> Iterator[Violation]:
        """Every divergence between the indexes, or one, and the documents, after catching up."""
        if only is not None:
            self._declared.named(only)
        done: set[str] = set()
        while not self._read_only:
            # Looked up anew each time: one may be made, or renamed, while another is checked.
            left = [name for name in self._live if name not in done and only in (None, name)]
            if not left:
                break
            done.add(left[0])
            yield from self._violations(left[0])
        self.wake()

    def _violations(self, name: str) -> Iterator[Violation]:
        """Of one index, also when it is exchanged meanwhile; nothing when it is no more."""
        while (index := self._live.get(name)) is not None:
            try:
                yield from violations(
                    index, self._definition, self._numbers(), lambda each: self._catch_up([each])
                )
            except Closed:
                if self._live.get(name) is index:
                    raise
            else:
                return

    def rebuild(self, name: str, partition: int | None = None) -> None:
        """Fill an index, or one of its partitions, again; it cannot be asked meanwhile.

        Raises NotFound.
        """
        self._check_writable()
        self._declared.rebuild(name, partition)
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
        `state`, `documents`, `postings`, `terms`, `error`; `made_anew`, while another is made to
        take its place because it is cut badly: its `state`, shards still `filling`, `documents`.
        """
        numbers = self._numbers()
        return [offer.to_json(numbers) for offer in self.offers()]

    def wake(self, *, is_write: bool = False) -> None:
        """Have the indexes brought up to the logs soon; returns at once."""
        if self._live and not self._read_only:
            self._updater.wake(is_write=is_write)

    def log_floor(self, number: int) -> int:
        """Up to which seq of a shard's log every index is done with it, or is given up."""
        followers = self._declared.followers()
        floor = min((each.files.floor(number) for each in followers), default=2**63)
        return max(floor, self._shard_of(number).head - LOG_ENTRIES_HELD_MAX)

    def adopt(self, targets: Mapping[int, int], sources: Mapping[int, int]) -> None:
        """Follow the new shards of a split from the seqs their logs begin after.

        `sources` are the seqs that the split shards had when copying began: whoever has applied
        them has seen all that the new shards hold; who has not reads these as unknown ones.
        """
        self._declared.forget_made()
        for index in self._live.values():
            with healed(index):
                index.adopt(targets, sources)

    def forget(self, sources: Sequence[int]) -> None:
        """Stop following shards that are no more."""
        numbers = self._numbers()
        for index in self._live.values():
            with healed(index):
                index.forget(set(sources), numbers)

    def _check_writable(self) -> None:
        if self._read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")

    def close(self) -> None:
        """Stop the updater and close the files; what is not applied stays in the logs."""
        self._updater.stop()
        self._declared.close()
