"""Writes of concurrent requests, committed together: while one commit syncs, the next one gathers.

Invariants: a write is answered only when it is durable; the writes of one shard are committed in
the order they came. A queue is as long as the requests that wait in it. A lone write is not held
back for company. Shards share as many queues as threads write: a queue for each shard makes more
and smaller commits, each of which wakes a thread, takes the interpreter a dozen times and waits for
the disk; with a single queue nothing is done while the disk is waited for.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docstore import Closed, Collection, Delete, DocstoreError, FailedWrite, Put, WriteResult

BATCH_MAX = 1_000
"""Writes in one commit: bounds how long the first of them waits for the last."""
_ANY_SHARD = 0
"""Stands for the shard of documents whose key is not known before they are encoded."""

Outcome = WriteResult | FailedWrite
Waiting = tuple[Put | Delete, "asyncio.Future[Outcome]"]


class WriteQueue:
    """The writes of one collection in a number of queues; used on the event loop only."""

    def __init__(
        self,
        collection: Collection[dict[str, Any]],
        pool: ThreadPoolExecutor,
        counted: Callable[[int], None],
        queues: int,
    ) -> None:
        self._collection = collection
        self._pool = pool
        self._counted = counted
        self._queues = queues
        self._waiting: dict[int, list[Waiting]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def write(self, operation: Put | Delete) -> WriteResult:
        """Carry out one write; raises what refused it."""
        key = operation.key
        shard = _ANY_SHARD if key is None else self._collection.partitions.owner_of(key)
        queue = shard % self._queues
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(queue, []).append((operation, answer))
        if queue not in self._tasks:
            self._tasks[queue] = asyncio.create_task(self._drain(queue))
        outcome = await answer
        if isinstance(outcome, FailedWrite):
            if outcome.key is not None:
                outcome.error.data.setdefault("key", outcome.key)
            raise outcome.error
        return outcome

    async def drained(self) -> None:
        """Wait until nothing waits to be written."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _drain(self, queue: int) -> None:
        try:
            while batch := self._waiting.pop(queue, None):
                await self._commit(batch[:BATCH_MAX])
                if rest := batch[BATCH_MAX:]:
                    self._waiting[queue] = rest + self._waiting.pop(queue, [])
        finally:
            del self._tasks[queue]

    async def _commit(self, batch: list[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        self._counted(len(batch))
        try:
            outcomes = await loop.run_in_executor(self._pool, self._written, batch)
        except RuntimeError as error:  # the pool was shut down
            closed = Closed("the server is stopping", hint="write again when it is back")
            closed.__cause__ = error
            outcomes = [FailedWrite(0, None, closed)] * len(batch)
        for (_, answer), outcome in zip(batch, outcomes, strict=True):
            if not answer.done():
                answer.set_result(outcome)

    def _written(self, batch: list[Waiting]) -> list[Outcome]:
        try:
            return list(self._collection.write_many([operation for operation, _ in batch]))
        except DocstoreError as error:
            return [FailedWrite(index, None, error) for index in range(len(batch))]
