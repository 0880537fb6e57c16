"""Writes of concurrent requests: what is committed together, in which order, and how it ends."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.http.write_queue import BATCH_MAX, WriteQueue
from docstore import Closed, Delete, Put, Store, VersionConflict, WriteResult


class Queued:
    """A queue over a collection of some partitions; notes how many writes each thread got."""

    def __init__(self, path: Path, partitions: int = 4, threads: int = 2) -> None:
        self.store = Store.open(path)
        self.collection = self.store.create_collection("things", partitions=partitions)
        self.pool = ThreadPoolExecutor(threads)
        self.groups: list[int] = []
        self.queue = WriteQueue(self.collection, self.pool, self.groups.append, threads)

    def close(self) -> None:
        self.pool.shutdown()
        self.store.close()


@pytest.fixture
def queued(tmp_path: Path) -> Queued:
    return Queued(tmp_path / "store")


def test_writes_that_come_in_one_turn_are_committed_together(queued: Queued) -> None:
    async def run() -> None:
        await asyncio.gather(*(queued.queue.write(Put({"n": n}, f"k{n}")) for n in range(200)))

    asyncio.run(run())
    commits = sum(queued.collection.partitions.shard(n).commit_counts[0] for n in range(4))
    assert commits == 4
    assert sum(queued.groups) == 200
    assert queued.collection.count() == 200
    queued.close()


def test_writes_under_one_key_keep_their_order_while_commits_are_under_way(queued: Queued) -> None:
    async def run() -> list[int]:
        writes = []
        for n in range(50):
            writes.append(asyncio.create_task(queued.queue.write(Put({"n": n}, "same"))))
            if n % 7 == 0:
                await writes[-1]
        return [result.version for result in await asyncio.gather(*writes)]

    assert asyncio.run(run()) == list(range(1, 51))
    assert queued.collection.get("same") == {"id": "same", "n": 49}
    queued.close()


def test_a_refused_write_reaches_its_own_caller_only(queued: Queued) -> None:
    async def run() -> list[object]:
        writes = [
            queued.queue.write(Put({"n": 1}, "a")),
            queued.queue.write(Put({"n": 2}, "a", if_absent=True)),
            queued.queue.write(Delete("a", if_version=1)),
        ]
        return await asyncio.gather(*writes, return_exceptions=True)

    made, refused, deleted = asyncio.run(run())
    assert isinstance(made, WriteResult)
    assert isinstance(refused, VersionConflict)
    assert isinstance(deleted, WriteResult)
    assert refused.data == {"current": 1, "seq": made.position.seq, "key": "a"}
    assert (made.version, deleted.deleted) == (1, True)
    queued.close()


def test_short_queues_of_many_shards_share_a_thread_and_long_ones_are_cut(tmp_path: Path) -> None:
    spread = Queued(tmp_path / "spread", partitions=32, threads=1)

    async def run(keys: list[str]) -> None:
        await asyncio.gather(*(spread.queue.write(Put({}, key)) for key in keys))

    asyncio.run(run([f"k{n}" for n in range(16)]))
    assert len(spread.groups) < 10
    spread.groups.clear()
    asyncio.run(run(["same"] * (BATCH_MAX + 1)))
    assert spread.groups == [BATCH_MAX, 1]
    spread.close()


def test_what_waits_is_written_before_the_queue_is_drained(queued: Queued) -> None:
    async def run() -> int:
        writes = [asyncio.create_task(queued.queue.write(Put({}, f"k{n}"))) for n in range(100)]
        await asyncio.sleep(0)
        await queued.queue.drained()
        await queued.queue.drained()
        assert len(await asyncio.gather(*writes)) == 100
        return queued.collection.count()

    assert asyncio.run(run()) == 100
    queued.close()


def test_a_server_that_stopped_refuses_writes(queued: Queued) -> None:
    queued.pool.shutdown()

    async def run() -> None:
        await queued.queue.write(Put({}, "late"))

    with pytest.raises(Closed):
        asyncio.run(run())
    queued.close()


def test_another_thread_helps_when_writes_would_wait_for_long(queued: Queued) -> None:
    partitions = queued.collection.partitions
    held = partitions.owner_of("held")
    other = next(f"k{n}" for n in range(100) if partitions.owner_of(f"k{n}") != held)

    async def run() -> None:
        async with asyncio.timeout(20):
            with partitions.shard(held).alone():
                waits = asyncio.create_task(queued.queue.write(Put({}, "held")))
                for _ in range(2):  # it is asked in the first turn, and handed over in the second
                    await asyncio.sleep(0)
                assert (await queued.queue.write(Put({}, other))).created
                assert not waits.done()
            assert (await waits).created

    asyncio.run(run())
    queued.close()


def test_a_collection_that_is_written_all_the_time_leaves_the_threads_to_others(
    tmp_path: Path,
) -> None:
    busy = Queued(tmp_path / "busy", threads=1)
    calm = busy.store.create_collection("calm")
    other = WriteQueue(calm, busy.pool, busy.groups.append, 1)

    async def run() -> None:
        is_done = False

        async def writing(number: int) -> None:
            while not is_done:
                await busy.queue.write(Put({}, f"k{number}"))

        writers = [asyncio.create_task(writing(number)) for number in range(16)]
        async with asyncio.timeout(20):
            for number in range(3):
                await other.write(Put({}, f"{number}"))
        is_done = True
        await asyncio.gather(*writers)

    asyncio.run(run())
    assert calm.count() == 3
    busy.close()
