"""The thread that brings a collection's global indexes up to its shards' logs.

A write only wakes it. While writes are under way it takes a bounded share of the machine: after
each step it rests several times as long as the step computed; when they are over, or there are few,
it catches up. A tail is read and decoded once for all indexes. An error is kept for `stats` and
tried again after a pause that doubles; the logs keep what was not applied, so nothing is skipped.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum

from docstore.global_index.healing import noticed
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.tails import Tail, read_tail
from docstore.global_index.verifying import Verifier
from docstore.shard import Shard
from indexing.errors import Closed, DocstoreError

SHARE_KEEPING_UP, SHARE_BEHIND = 0.4, 0.12
"""Of the time while somebody writes: what it takes where that is enough, little where writers
take all there is and are to be slowed by less than a fifth."""
BACKLOG_MAX = 1000
"""Entries of all shards that tell the one from the other."""
WRITING_SECONDS = 0.5
"""Since the last write, for which writes count as under way: a bulk writer's batches are apart."""
REST_SECONDS = 0.004
"""Between two steps: worth more than one write's reading."""
REST_SECONDS_MAX = 0.05
"""However long a step took: what is read without `current` is not much older."""
BUSY_ENTRIES = 64
"""Entries of one step while writes are under way: a writer may wait for it."""
IDLE_ENTRIES = 2000
BUSY_FILLED, IDLE_FILLED = 256, 4000
"""Documents of one step of filling."""
IDLE_SECONDS = 0.05
"""Between two looks at whether what is in memory should be written."""
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 10.0


class Left(Enum):
    """What a step leaves to do: entries or documents to read, or only changes to write."""

    MUCH = 1
    UNWRITTEN = 2


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
        self._changed = threading.Condition()
        # Who follows in another thread would read and decode the same entries.
        self._following = threading.Lock()
        self._is_woken = False
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._pause = 0.0
        self._written = 0.0
        self._turn = 0
        self._backlog = 0
        self.fill_rate: float | None = None
        self.verifier = Verifier()
        self.errors: dict[str, DocstoreError] = {}

    def wake(self, *, is_write: bool = True) -> None:
        """Say that there is something to apply; returns at once."""
        if is_write:
            self._written = time.monotonic()
        if self._is_woken:
            return
        with self._changed:
            if self._is_stopped:
                return
            self._is_woken = True
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="docstore-global-index", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while self._may_go_on():
            spent_before = time.thread_time()
            is_writing = time.monotonic() - self._written < WRITING_SECONDS
            more = self.step(is_writing=is_writing)
            spent = time.thread_time() - spent_before
            if more or self.errors:
                self._is_woken = True
            if self.errors:
                self._rest(self._next_pause())
            elif is_writing:
                share = SHARE_KEEPING_UP if self._backlog < BACKLOG_MAX else SHARE_BEHIND
                rest = spent * (1 / share - 1)
                self._rest(min(max(rest, REST_SECONDS), REST_SECONDS_MAX))
            elif more is not Left.MUCH:
                self._rest(IDLE_SECONDS if more is Left.UNWRITTEN else REST_SECONDS)

    def step(self, *, is_writing: bool) -> "Left | None":
        """Follow, fill, compare and write a little for every index; what is left, if anything."""
        numbers, indexes = tuple(self._numbers()), list(self._indexes())
        more = self._follow(numbers, indexes, BUSY_ENTRIES if is_writing else IDLE_ENTRIES)
        for index in indexes:
            try:
                filling = self._fill(index, numbers, is_writing=is_writing)
                unwritten = index.flush_due(1 if is_writing else None)
                index.tend()
            except Closed:
                continue  # it was dropped, or the store is being closed
            except DocstoreError as error:
                self._failed(index, error)
                continue
            self.errors.pop(index.definition.name, None)
            more = more or filling or (Left.UNWRITTEN if unwritten else None)
        if not is_writing and not more:
            self._verify(numbers, indexes)
        return more

    def _verify(self, numbers: Sequence[int], indexes: Sequence[LiveIndex]) -> None:
        with suppress(DocstoreError):  # a shard that cannot be read says so to who reads it
            self.verifier.step(numbers, self._shard_of, indexes)

    def _follow(
        self, numbers: Sequence[int], indexes: Sequence[LiveIndex], room: int
    ) -> "Left | None":
        """Give the indexes about so many entries, of as many shards as that takes, all at once."""
        with self._following:
            return self._follow_alone(numbers, indexes, room)

    def _follow_alone(
        self, numbers: Sequence[int], indexes: Sequence[LiveIndex], room: int
    ) -> "Left | None":
        tails: list[Tail] = []
        for at in range(len(numbers)):
            # Begin where the last step ended, so that no shard waits for the others.
            number = numbers[(self._turn + at) % len(numbers)]
            following = [index for index in indexes if number in index.digested]
            try:
                tail = self._next_tail(number, following, room)
            except Closed:
                return None
            except DocstoreError as error:
                for index in following:
                    self.errors[index.definition.name] = error
                continue
            if tail is None:
                continue
            tails.append(tail)
            room -= tail.last - tail.after
            if room <= 0:
                self._turn = (self._turn + at) % len(numbers)
                break
        for index in indexes if tails else ():
            self._take(index, tails)
        if room > 0:
            self._backlog = 0
            return None
        with suppress(DocstoreError, KeyError):  # met by who follows; emptied meanwhile
            self._backlog = self._behind(numbers, indexes)
        return Left.MUCH

    def _take(self, index: LiveIndex, tails: Sequence[Tail]) -> None:
        try:
            index.take(tails)
        except DocstoreError as error:
            self._failed(index, error)

    def _failed(self, index: LiveIndex, error: DocstoreError) -> None:
        self.errors[index.definition.name] = error
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
                    with noticed(index):
                        index.flush_due(None)

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

    def _fill(self, index: LiveIndex, numbers: Sequence[int], *, is_writing: bool) -> "Left | None":
        state = index.state(numbers)
        if state == "ready":
            self._review(index)
            return None
        if state == "comparing":
            self._settle(index)
            return Left.MUCH
        began = time.monotonic()
        taken = index.fill(numbers, BUSY_FILLED if is_writing else IDLE_FILLED)
        if self.fill_rate is not None:
            self._rest(taken / self.fill_rate - (time.monotonic() - began))
        return Left.MUCH

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopped, seconds)

    def _next_pause(self) -> float:
        self._pause = min(PAUSE_SECONDS_MAX, max(PAUSE_SECONDS_FIRST, self._pause * 2))
        return self._pause

    def _may_go_on(self) -> bool:
        """Wait until there is something to do; False when stopped."""
        idle = None if self.verifier.rate is None else IDLE_SECONDS
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or self._is_stopped, idle)
            self._is_woken = False
            if not self.errors:
                self._pause = 0.0
            return not self._is_stopped

    def stop(self) -> None:
        """Stop after the step that is under way."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
