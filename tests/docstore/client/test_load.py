"""Many callers at once: more than the server takes, and more than there are connections."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from docstore import Closed, WriteResult, aconnect, connect
from docstore.client.sending import CONNECTIONS_MAX
from tests.api.http.conftest import Serve

CALLERS = 32


def test_callers_who_are_sent_away_come_again_until_they_are_answered(serve: Serve) -> None:
    running = serve(expensive_searches_max=1, threads=2, answer_cache_bytes=0)
    with connect(running.url) as store, ThreadPoolExecutor(CALLERS) as pool:
        things = store.create_collection("things")
        things.put_many({"n": number % 7, "t": "word"} for number in range(3_000))
        things.refresh()

        def counted(_: int) -> Any:
            return things.search("word", facets={"n": 7}, limit=0).facets["n"]

        found = list(pool.map(counted, range(CALLERS)))
    assert all(each == found[0] for each in found)
    assert sum(each.documents for each in found[0]) == 3_000


def test_callers_share_a_bounded_number_of_connections_that_are_kept(serve: Serve) -> None:
    running = serve()
    callers = 3 * CONNECTIONS_MAX // 2
    together = threading.Barrier(callers)
    with connect(running.url) as store, ThreadPoolExecutor(callers) as pool:
        things = store.create_collection("things")
        things.put({"id": "one"})

        def read(_: int) -> bool:
            together.wait(60)
            return all(things.exists("one") for _ in range(3))

        assert all(pool.map(read, range(callers)))
        first = running.connections
        assert all(pool.map(read, range(callers)))
        assert 1 < len(first) <= CONNECTIONS_MAX
        assert running.connections & first


def test_what_was_sent_is_answered_before_a_store_is_closed(serve: Serve) -> None:
    running = serve()

    async def closed_meanwhile() -> list[Any]:
        store = aconnect(running.url)
        things = await store.create_collection("things")
        puts = [asyncio.create_task(things.put({"id": str(each)})) for each in range(40)]
        await things.count()
        await store.close()
        assert all(each.done() for each in puts)
        with pytest.raises(Closed):
            await things.count()
        await store.close()
        return await asyncio.gather(*puts, return_exceptions=True)

    outcomes = asyncio.run(closed_meanwhile())
    assert any(isinstance(each, WriteResult) for each in outcomes)
    assert all(isinstance(each, WriteResult | Closed) for each in outcomes)
    # A connection that were left open would be reported when it is forgotten.


def test_more_callers_than_connections_are_all_answered(serve: Serve) -> None:
    running = serve(connections_max=120)

    async def all_written() -> int:
        async with aconnect(running.url) as store:
            things = await store.create_collection("things")
            many = range(300)
            await asyncio.gather(*(things.put({"id": str(each)}) for each in many))
            read = await asyncio.gather(*(things.get(str(each)) for each in many))
            assert [each and each["id"] for each in read] == [str(each) for each in many]
            return await things.count()

    assert asyncio.run(all_written()) == 300
