"""The thread that brings a collection's global indexes up to its shards' logs.

A write only wakes it. While writes are under way it takes a bounded share of the machine
(`pacing`): after each step it rests several times as long as the step computed; when they are over,
or there are few, it catches up. What it takes is in memory, which is what is read; another thread
writes it to disk, and fills indexes (`flusher`). A tail is read and decoded once for all indexes.
An error is kept for `stats` and tried again after a pause that doubles; the logs keep what was not
applied, so nothing is skipped.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from docstore.global_index.flusher import Flusher
from docstore.global_index.healing import noticed
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.pacing import (
    BUSY_FILLED,
    IDLE_ENTRIES,
    IDLE_FILLED,
    OVERLAY_MAX,
    REST_SECONDS,
    TAKEN_ENTRIES,
    Pacing,
    Turn,
)
from docstore.global_index.tails import Tail, in_parts, read_tail
from docstore.global_index.verifying import Verifier
from docstore.global_index.woken import Woken
from docstore.shards.shard import Shard
from indexing.errors import Closed, DocstoreError

IDLE_SECONDS = 0.05
"""Between two looks at whether documents should be compared."""


class Updater:
    """One thread for all indexes of a collection; it starts at the first `wake`.

    `settle` is called for an index that is filled but not yet compared, `review` for one that is
    ready. `fill_rate` bounds the documents that are read in a second to fill indexes; None does
    not.
    """

    def __init__(
        self,
        indexes: Callable[[], Iterable[LiveIndex]],
        numbers: Callable[[], Sequence[int]],
        shard_of: Callable[[int], Shard],
        settle: Callable[[LiveIndex], None],
        review: Callable[[LiveIndex], None],
    ) -> None:
        self._indexes = indexes
        self._numbers = numbers
        self._shard_of = shard_of
        self._settle = settle
        self._review = review
        self._thread = Woken("docstore-global-index", self._run)
        # Who follows in another thread would read and decode the same entries.
        self._following = threading.Lock()
        self._turn = 0
        self._pacing = Pacing()
        self._flusher = Flusher(indexes, self._pacing, self._fill, self._refilled)
        self.fill_rate: float | None = None
        self.verifier = Verifier()
        self._errors: dict[str, DocstoreError] = {}

    def wake(self, *, is_write: bool = True) -> None:
        """Say that there is something to apply; returns at once."""
        if is_write:
            self._pacing.note_write()
        self._thread.wake()

    def _run(self) -> None:
        while self._may_go_on():
            began, computed_before = time.perf_counter(), time.thread_time()
            is_writing = self._pacing.is_writing
            more = self._step(is_writing=is_writing)
            computed = time.thread_time() - computed_before
            if more or self._errors:
                self._thread.go_on()
            if self._errors:
                self._thread.rest_after_error()
            elif is_writing:
                self._thread.rest(self._pacing.rest(computed, time.perf_counter() - began))
            elif not more:
                self._thread.rest(REST_SECONDS)

    def step(self, *, is_writing: bool) -> None:
        """What both threads do: follow, then fill, compare and write a little of every index."""
        self._step(is_writing=is_writing)
        self._flusher.step(is_writing=is_writing)

    def _step(self, *, is_writing: bool) -> bool:
        """Whether there is more to read."""
        numbers, indexes = tuple(self._numbers()), list(self._indexes())
        more = self._follow(numbers, indexes, is_writing=is_writing)
        for index in indexes:
            try:
                if index.flushing.weight > OVERLAY_MAX:
                    index.flush_due()
            except Closed:
                continue  # it was dropped, or the store is being closed
            except DocstoreError as error:
                self._failed(index, error)
                continue
            self._errors.pop(index.definition.name, None)
        self._flusher.wake()
        if not is_writing and not more:
            self._verify(numbers, indexes)
        return more

    @property
    def errors(self) -> Mapping[str, DocstoreError]:
        """What keeping an index raised last, by name, until it succeeds."""
        return {**self._flusher.errors, **self._errors}

    def forget(self, name: str) -> None:
        """Forget the errors of an index that is no more."""
        self._errors.pop(name, None)
        self._flusher.errors.pop(name, None)

    def _verify(self, numbers: Sequence[int], indexes: Sequence[LiveIndex]) -> None:
        with suppress(DocstoreError):  # a shard that cannot be read says so to who reads it
            self.verifier.step(numbers, self._shard_of, indexes)

    def _follow(
        self, numbers: Sequence[int], indexes: Sequence[LiveIndex], *, is_writing: bool
    ) -> bool:
        """Give the indexes some entries, of as many shards as that takes; whether more is left."""
        computed_before = time.thread_time()
        turn = Turn(gives_way=is_writing and self._pacing.is_overwhelmed)
        with self._following:
            room = self._pacing.entries(is_writing=is_writing)
            tails, is_all = self._next_tails(numbers, indexes, room, turn)
            for some in in_parts(tails, TAKEN_ENTRIES if is_writing else room):
                for index in indexes:
                    self._take(index, some)
                    turn.give_way()
        taken, backlog = sum(tail.last - tail.after for tail in tails), 0
        if not is_all:
            with suppress(DocstoreError, KeyError):  # met by who follows; emptied meanwhile
                backlog = self._behind(numbers, indexes)
        self._pacing.note_step(taken, backlog, time.thread_time() - computed_before)
        return not is_all

    def _next_tails(
        self, numbers: Sequence[int], indexes: Sequence[LiveIndex], room: int, turn: Turn
    ) -> tuple[list[Tail], bool]:
        """About so many entries, and whether these are all there are."""
        tails: list[Tail] = []
        for at in range(len(numbers)):
            # Begin where the last step ended, so that no shard waits for the others.
            number = numbers[(self._turn + at) % len(numbers)]
            following = [index for index in indexes if number in index.digested]
            try:
                tail = self._next_tail(number, following, room)
            except Closed:
                return [], True
            except DocstoreError as error:
                for index in following:
                    self._errors[index.definition.name] = error
                continue
            if tail is None:
                continue
            turn.give_way()
            tails.append(tail)
            room -= tail.last - tail.after
            if room <= 0:
                self._turn = (self._turn + at) % len(numbers)
                return tails, False
        return tails, True

    def _take(self, index: LiveIndex, tails: Sequence[Tail]) -> None:
        try:
            index.take(tails)
        except DocstoreError as error:
            self._failed(index, error)

    def _failed(self, index: LiveIndex, error: DocstoreError) -> None:
        self._errors[index.definition.name] = error
        self._refilled(index, error)

    @staticmethod
    def _refilled(index: LiveIndex, error: DocstoreError) -> None:
        with suppress(DocstoreError):  # tried again with the next step
            index.refill(error)

    def _behind(self, numbers: Sequence[int], indexes: Sequence[LiveIndex]) -> int:
        """Entries of all shards that some index has not taken."""
        entries = 0
        for number in numbers:
            begins = [index.digested[number] for index in indexes if number in index.digested]
            if begins:
                entries += max(0, self._shard_of(number).head - min(begins))
        return entries

    def follow(self, ends: Mapping[int, int], indexes: Sequence[LiveIndex]) -> None:
        """Give the indexes every shard's entries up to a seq each, decoding them once."""
        for number, end in ends.items():
            following = [index for index in indexes if number in index.digested]
            while any(index.digested.get(number, end) < end for index in following):
                with self._following:
                    tail = self._next_tail(number, following, IDLE_ENTRIES)
                    if tail is None:
                        break
                    for index in following:
                        with noticed(index):
                            index.take([tail])
                for index in following:
                    if index.flushing.weight > OVERLAY_MAX:
                        with noticed(index):
                            index.flush_due()
                self._flusher.wake()  # it writes what is taken beside that

    def _next_tail(self, number: int, following: Sequence[LiveIndex], room: int) -> Tail | None:
        """The next entries of a shard that some index has not; None when there are none.

        An index is emptied whose next entries the log no longer holds.
        """
        shard = self._shard_of(number)
        begins = [index.digested.get(number, 0) for index in following]
        after = min(begins, default=shard.head)
        if shard.head <= after:
            return None
        tail = read_tail(shard, after, room)
        if tail is None:
            for index, begin in zip(following, begins, strict=True):
                if begin == after:
                    index.empty()
        return tail

    def _fill(self, index: LiveIndex, is_writing: bool) -> bool:
        """Fill or compare an index a little; whether that is not all."""
        numbers = tuple(self._numbers())
        state = index.state(numbers)
        if state == "ready":
            self._review(index)
            return False
        if state == "comparing":
            self._settle(index)
            return True
        began = time.monotonic()
        taken = index.fill(numbers, BUSY_FILLED if is_writing else IDLE_FILLED)
        if self.fill_rate is not None:
            self._thread.rest(taken / self.fill_rate - (time.monotonic() - began))
        return True

    def _may_go_on(self) -> bool:
        """Wait until there is something to do; False when stopped."""
        idle = None if self.verifier.rate is None else IDLE_SECONDS
        may_go_on = self._thread.may_go_on(idle)
        if not self._errors:
            self._thread.went_well()
        return may_go_on

    def stop(self) -> None:
        """Stop after the step that is under way."""
        self._thread.stop()
        self._flusher.stop()
