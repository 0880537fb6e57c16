"""Writes of concurrent requests, committed together: while commits sync, the next ones gather.

Invariants: a write is answered only when it is durable; the writes of one shard are committed in
the order they came, one commit at a time. The queues are as long as the requests that wait in them.
A lone write waits for nobody but those that came in the same turn of the loop.

Each shard has a queue, and a thread that is free takes the queue that has waited longest, and more
of them while they are short. What a write costs is mostly its share of a commit (the disk is told
twice, and the interpreter is taken a dozen times), so a commit is put off until somebody has time
for it, and holds all that came until then. A thread that has written takes the next by itself: the
loop, which answers what was written, would find time for it only when all before it is done.
Another thread helps only where the disk or the processors are slow, so that writes would wait for
long: two on a fast disk make twice as many commits of half the size.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docstore import Closed, Collection, Delete, DocstoreError, FailedWrite, Put, WriteResult

BATCH_MAX = 1_000
"""Writes handed over at once: bounds how long the first of them waits for the last."""
SHORT = 4
"""Short queues are written together up to so many writes, or the loop is told of each."""
TURNS = 16
"""Batches after which a thread goes back to its pool, where other collections may wait for it."""
PATIENCE_SECONDS = 0.008
"""How long writes wait for a thread that is at work before another one helps: a few commits."""
_ANY_SHARD = -1
"""Stands for the shard of documents whose key is not known before they are encoded."""

Outcome = WriteResult | FailedWrite
Waiting = tuple[Put | Delete, "asyncio.Future[Outcome]"]


class WriteQueue:
    """The writes of one collection, carried out by a number of threads at once.

    Used on the event loop only; what its threads share with the loop is kept under a lock.
    """

    def __init__(
        self,
        collection: Collection[dict[str, Any]],
        pool: ThreadPoolExecutor,
        counted: Callable[[int], None],
        threads: int,
    ) -> None:
        self._collection = collection
        self._pool = pool
        self._counted = counted
        self._lock = threading.Lock()
        self._free = threads
        self._waiting: dict[int, list[Waiting]] = {}
        self._since: dict[int, float] = {}
        self._under_way: set[int] = set()
        self._is_handing_over = False
        self._unanswered = 0
        self._idle = asyncio.Event()

    async def write(self, operation: Put | Delete) -> WriteResult:
        """Carry out one write; raises what refused it."""
        key = operation.key
        shard = _ANY_SHARD if key is None else self._collection.partitions.owner_of(key)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        self._unanswered += 1
        with self._lock:
            waiting = self._waiting.get(shard)
            if waiting is None:
                waiting = self._waiting[shard] = []
                self._since[shard] = loop.time()
            waiting.append((operation, answer))
            is_thread_free, is_at_work = self._free > 0, bool(self._under_way)
        if is_thread_free and not self._is_handing_over:
            self._is_handing_over = True
            if is_at_work:
                loop.call_later(PATIENCE_SECONDS, self._hand_over, loop)
            else:
                # Not before this turn of the loop is over: what others ask in it comes along.
                loop.call_soon(self._hand_over, loop)
        outcome = await answer
        if isinstance(outcome, FailedWrite):
            if outcome.key is not None:
                outcome.error.data.setdefault("key", outcome.key)
            raise outcome.error
        return outcome

    async def drained(self) -> None:
        """Wait until nothing waits to be written."""
        while self._unanswered:
            self._idle.clear()
            await self._idle.wait()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have a thread write what waits, and another one what has waited for long."""
        self._is_handing_over = False
        with self._lock:
            oldest = min(
                (at for shard, at in self._since.items() if shard not in self._under_way),
                default=None,
            )
            if oldest is None or not self._free:
                return
            patience = oldest + PATIENCE_SECONDS - loop.time() if self._under_way else 0
            taken = None if patience > 0 else self._taken()
            self._free -= taken is not None
        if taken is not None:
            self._begin(loop, *taken)
        else:
            self._is_handing_over = True
            loop.call_later(patience, self._hand_over, loop)

    def _begin(
        self, loop: asyncio.AbstractEventLoop, shards: set[int], batch: list[Waiting]
    ) -> None:
        """Have a thread write a batch, and what follows it."""
        try:
            self._pool.submit(self._write, loop, shards, batch)
        except RuntimeError as error:  # the pool was shut down
            with self._lock:
                self._free += 1
                self._under_way -= shards
            closed = Closed("the server is stopping", hint="write again when it is back")
            closed.__cause__ = error
            self._answer(batch, closed)

    def _write(
        self, loop: asyncio.AbstractEventLoop, shards: set[int], batch: list[Waiting]
    ) -> None:
        """Write a batch, and then what waits by then; runs in a thread."""
        for turn in range(TURNS):
            outcomes = self._written([operation for operation, _ in batch])
            with self._lock:
                self._under_way -= shards
                taken = self._taken()
                if taken is None:
                    self._free += 1
            loop.call_soon_threadsafe(self._answer, batch, outcomes)
            if taken is None:
                return
            shards, batch = taken
            if turn == TURNS - 1:
                loop.call_soon_threadsafe(self._begin, loop, shards, batch)

    def _taken(self) -> tuple[set[int], list[Waiting]] | None:
        """The next writes and their shards: all of the queue that waited longest, or of several."""
        shards: set[int] = set()
        batch: list[Waiting] = []
        for shard in [shard for shard in self._waiting if shard not in self._under_way]:
            queue = self._waiting[shard]
            if batch and len(batch) + len(queue) > SHORT:
                break
            del self._waiting[shard]
            since = self._since.pop(shard)
            if len(queue) > BATCH_MAX:
                self._waiting[shard] = queue[BATCH_MAX:]
                self._since[shard] = since
            batch += queue[:BATCH_MAX]
            shards.add(shard)
        self._under_way |= shards
        return (shards, batch) if batch else None

    def _written(self, operations: list[Put | Delete]) -> list[Outcome] | BaseException:
        """Write some operations, or tell why nobody knows what became of them."""
        try:
            return list(self._collection.write_many(operations))
        except DocstoreError as error:
            return [FailedWrite(index, None, error) for index in range(len(operations))]
        except BaseException as error:  # noqa: BLE001  whoever waits for the writes is told
            return error

    def _answer(self, batch: list[Waiting], outcomes: list[Outcome] | BaseException) -> None:
        """Tell whoever waits what became of a batch."""
        self._counted(len(batch))
        if isinstance(outcomes, BaseException):
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(outcomes)
        else:
            for (_, answer), outcome in zip(batch, outcomes, strict=True):
                if not answer.done():
                    answer.set_result(outcome)
        self._unanswered -= len(batch)
        if not self._unanswered:
            self._idle.set()
