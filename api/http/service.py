"""What one running server holds: the store, its threads, its write queues and its counts.

Everything with a queue is bounded: threads by `threads`, dear searches by `expensive_searches_max`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from api.http.access_log import AccessLog
from api.http.answer_cache import AnswerCache
from api.http.conditions import MARK_CHARACTERS
from api.http.key_file import Gate
from api.http.metrics import Metrics
from api.http.refusals import Busy
from api.http.senders import Senders
from api.http.settings import Settings
from api.http.slow_searches import SlowSearches
from api.http.write_queue import WriteQueue
from docstore import Closed, Collection, DeadlineExceeded, NotFound, Store

T = TypeVar("T")


class Served:
    """One collection as it is served: documents as bytes for reading, its queue for writing."""

    def __init__(
        self,
        collection: Collection[dict[str, Any]],
        writers: ThreadPoolExecutor,
        threads: int,
        metrics: Metrics,
    ) -> None:
        self.collection = collection
        self.mark = collection.partitions.definition.identity[:MARK_CHARACTERS]
        self.bytes = collection.as_bytes()
        self.writes = WriteQueue(collection, writers, metrics.group.observe, threads)


class Service:
    """The state that all requests share. Used on the event loop only."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.pool = ThreadPoolExecutor(settings.threads, "docstore-http")
        senders = Senders((settings.host, *settings.trusted_hosts), settings.cors_origins)
        self.gate = Gate(settings.api_key_file, senders)
        # Apart from the pool above: a write must not queue behind dear searches.
        self.writers = ThreadPoolExecutor(settings.write_threads, "docstore-write")
        self.stopping = asyncio.Event()
        self.metrics = Metrics(store)
        self.slow = SlowSearches()
        self.log = AccessLog(is_on=settings.access_log)
        self.answers = AnswerCache(settings.answer_cache_bytes)
        self.dear = 0
        self.streams = 0
        self._served: dict[str, Served] = {}

    def served(self, name: str) -> Served:
        """A collection by name; raises NotFound, InvalidSchema for what is no name."""
        served = self._served.get(name)
        # One that was dropped may have been taken in again by a request that came just before, and
        # of one that another process drops nobody tells a reader.
        if served is None or self._is_gone(served.collection):
            collection = self.store.collection(name)
            served = Served(collection, self.writers, self.settings.write_threads, self.metrics)
            self._served[name] = served
        return served

    def _is_gone(self, collection: Collection[Any]) -> bool:
        """Whether a collection must be opened again: it was closed, dropped or made anew."""
        if not self.store.read_only:
            return collection.partitions.is_closed
        try:
            return collection.ask(lambda partitions: partitions.is_closed)
        except NotFound:
            return True

    def forget(self, name: str) -> None:
        """Let go of a collection that was dropped."""
        self._served.pop(name, None)

    async def run(self, work: Callable[[], T]) -> T:
        """Run something in a thread, for as long as a request may take.

        Raises DeadlineExceeded; work that began then goes on to its end and its result is dropped.
        """
        return await self.within(self.settings.request_seconds, work)

    async def run_dear(self, seconds: float, work: Callable[[], T]) -> T:
        """Run a dear search in a thread; raises Busy when as many as are allowed are under way."""
        if self.dear >= self.settings.expensive_searches_max:
            raise Busy(
                f"{self.dear} dear searches are under way", hint="try again, or narrow the search"
            )
        self.dear += 1
        self.metrics.searches.set(self.dear)
        running = self._submit(work)
        future = asyncio.wrap_future(running)
        future.add_done_callback(self._one_less)
        return await _awaited(running, future, seconds)

    async def endure(self, work: Callable[[], T]) -> T:
        """Run something in a thread for as long as it takes."""
        return await asyncio.wrap_future(self._submit(work))

    async def within(self, seconds: float, work: Callable[[], T]) -> T:
        """Run something in a thread; raises DeadlineExceeded when it takes longer."""
        running = self._submit(work)
        return await _awaited(running, asyncio.wrap_future(running), seconds)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        try:
            return self.pool.submit(work)
        except RuntimeError as error:
            raise Closed("the server is stopping", hint="ask again when it is back") from error

    def _one_less(self, _: object) -> None:
        self.dear -= 1
        self.metrics.searches.set(self.dear)

    def stop(self) -> None:
        """Tell endless streams to end."""
        self.stopping.set()

    async def close(self) -> None:
        """Wait for every write that was taken, then close the store."""
        self.stop()
        for served in self._served.values():
            await served.writes.drained()
        await asyncio.to_thread(self.pool.shutdown)
        await asyncio.to_thread(self.writers.shutdown)
        await asyncio.to_thread(self.store.close)
        self.log.flush()


async def _awaited(running: Future[T], future: asyncio.Future[T], seconds: float) -> T:
    done, _ = await asyncio.wait((future,), timeout=seconds)
    if not done:
        future.add_done_callback(_retrieved)
        # What nobody waits for any more must not keep a thread from those who still do.
        has_begun = not running.cancel()
        raise DeadlineExceeded(
            f"not answered within {seconds:g} seconds",
            hint="narrow the search or allow it more time"
            + ("; what it began goes on" if has_begun else ""),
            seconds=seconds,
        )
    return future.result()


def _retrieved(future: asyncio.Future[Any]) -> None:
    """Look at what nobody waits for any more, or the loop complains that nobody did."""
    if not future.cancelled():
        future.exception()
