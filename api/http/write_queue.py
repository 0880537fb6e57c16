"""Writes of concurrent requests, committed together: while commits sync, the next ones gather.

Invariants: a write is answered only when it is durable; the writes of one shard are committed in
the order they came, one commit at a time. The queues are as long as the requests that wait in them.
A lone write waits for nobody but those that came in the same turn of the loop.

Each shard has a queue, and whenever a thread is free it takes the queue that has waited longest,
and more of them while they are short. What a write costs is mostly its share of a commit (the disk
is told twice, and the interpreter is taken a dozen times), so a commit is put off until somebody
has time for it, and holds all that came until then.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from docstore import Closed, Collection, Delete, DocstoreError, FailedWrite, Put, WriteResult

BATCH_MAX = 1_000
"""Writes handed over at once: bounds how long the first of them waits for the last."""
SHORT = 4
"""Short queues are handed over together up to so many writes, or a thread is woken for each."""
_ANY_SHARD = -1
"""Stands for the shard of documents whose key is not known before they are encoded."""

Outcome = WriteResult | FailedWrite
Waiting = tuple[Put | Delete, "asyncio.Future[Outcome]"]


class WriteQueue:
    """The writes of one collection, carried out by a number of threads at once.

    Used on the event loop only.
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
        self._free = threads
        self._waiting: dict[int, list[Waiting]] = {}
        self._under_way: set[int] = set()
        self._is_handing_over = False
        self._idle = asyncio.Event()

    async def write(self, operation: Put | Delete) -> WriteResult:
        """Carry out one write; raises what refused it."""
        key = operation.key
        shard = _ANY_SHARD if key is None else self._collection.partitions.owner_of(key)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.setdefault(shard, []).append((operation, answer))
        if self._free and not self._is_handing_over:
            # Not before this turn of the loop is over: what others ask in it comes along.
            self._is_handing_over = True
            loop.call_soon(self._hand_over, loop)
        outcome = await answer
        if isinstance(outcome, FailedWrite):
            if outcome.key is not None:
                outcome.error.data.setdefault("key", outcome.key)
            raise outcome.error
        return outcome

    async def drained(self) -> None:
        """Wait until nothing waits to be written."""
        while self._waiting or self._under_way:
            self._idle.clear()
            await self._idle.wait()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_handing_over = False
        while self._free and (taken := self._taken()):
            shards, batch = taken
            self._counted(len(batch))
            try:
                done = self._pool.submit(self._written, [operation for operation, _ in batch])
            except RuntimeError as error:  # the pool was shut down
                closed = Closed("the server is stopping", hint="write again when it is back")
                closed.__cause__ = error
                _answer(batch, closed)
                continue
            self._free -= 1
            self._under_way |= shards
            done.add_done_callback(partial(self._tell, loop, shards, batch))

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        shards: set[int],
        batch: list[Waiting],
        done: Future[list[Outcome]],
    ) -> None:
        """Have the loop look at what was written; runs in a thread."""
        loop.call_soon_threadsafe(self._take_back, loop, shards, batch, done)

    def _take_back(
        self,
        loop: asyncio.AbstractEventLoop,
        shards: set[int],
        batch: list[Waiting],
        done: Future[list[Outcome]],
    ) -> None:
        """Answer what a thread has written, and give it more."""
        self._free += 1
        self._under_way -= shards
        self._hand_over(loop)
        _answer(batch, done.exception() or done.result())
        if not self._waiting and not self._under_way:
            self._idle.set()

    def _taken(self) -> tuple[set[int], list[Waiting]] | None:
        """The next writes and their shards: all of the queue that waited longest, or of several."""
        shards: set[int] = set()
        batch: list[Waiting] = []
        for shard in [shard for shard in self._waiting if shard not in self._under_way]:
            queue = self._waiting[shard]
            if batch and len(batch) + len(queue) > SHORT:
                break
            del self._waiting[shard]
            if len(queue) > BATCH_MAX:
                self._waiting[shard] = queue[BATCH_MAX:]
            batch += queue[:BATCH_MAX]
            shards.add(shard)
        return (shards, batch) if batch else None

    def _written(self, operations: list[Put | Delete]) -> list[Outcome]:
        """Write some operations; runs in a thread."""
        try:
            return list(self._collection.write_many(operations))
        except DocstoreError as error:
            return [FailedWrite(index, None, error) for index in range(len(operations))]


def _answer(batch: list[Waiting], outcomes: list[Outcome] | BaseException) -> None:
    if isinstance(outcomes, BaseException):
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(outcomes)
        return
    for (_, answer), outcome in zip(batch, outcomes, strict=True):
        if not answer.done():
            answer.set_result(outcome)
