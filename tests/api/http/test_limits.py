"""Limits of a server's work: time per request, dear searches at once."""

import asyncio
import select
import threading
from pathlib import Path

import httpx2 as httpx
import pytest

from api.http.refusals import Busy
from api.http.service import Service
from api.http.settings import Settings
from docstore import DeadlineExceeded, Store
from tests.api.http.conftest import Serve


def test_work_that_takes_too_long_is_told_so_and_goes_on(tmp_path: Path) -> None:
    finished = threading.Event()
    allowed = threading.Event()

    def work() -> None:
        allowed.wait(10)
        finished.set()

    async def ask() -> None:
        service = Service(Store.open(tmp_path), Settings())
        with pytest.raises(DeadlineExceeded):
            await service.run_dear(0.01, work)
        assert service.dear == 1
        allowed.set()
        await service.close()
        assert service.dear == 0

    asyncio.run(ask())
    assert finished.is_set()


def test_work_that_nobody_waits_for_any_more_is_not_begun(tmp_path: Path) -> None:
    allowed = threading.Event()
    begun: list[str] = []

    async def ask() -> None:
        service = Service(Store.open(tmp_path), Settings(threads=1))
        first = asyncio.create_task(service.run(lambda: allowed.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            await service.run_dear(0.01, lambda: begun.append("late"))
        async with asyncio.timeout(5):
            while service.dear:
                await asyncio.sleep(0)
        allowed.set()
        assert await first
        assert await service.run_dear(10, lambda: True)
        await service.close()

    asyncio.run(ask())
    assert begun == []


def test_only_so_many_dear_searches_run_at_once(tmp_path: Path) -> None:
    allowed = threading.Event()

    async def ask() -> None:
        service = Service(Store.open(tmp_path), Settings(expensive_searches_max=1))
        first = asyncio.create_task(service.run_dear(10, lambda: allowed.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await service.run_dear(10, lambda: True)
        allowed.set()
        assert await first
        assert await service.run_dear(10, lambda: True)
        await service.close()

    asyncio.run(ask())


@pytest.mark.parametrize("kind", ["documents", "changes"])
def test_a_client_that_does_not_read_its_answer_is_let_go(serve: Serve, kind: str) -> None:
    server = serve(answer_seconds=0.2)
    cars = f"{server.url}/v1/collections/cars"
    httpx.put(cars, json={})
    for number in range(8):
        httpx.put(f"{cars}/documents/{number}", json={"text": "x" * 2_000_000})
    with server.connection() as connection:
        connection.sendall(
            f"GET /v1/collections/cars/{kind} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
        )
        ended = select.poll()
        ended.register(connection, select.POLLHUP | select.POLLERR)
        assert ended.poll(20_000)
    assert httpx.get(f"{cars}/documents/1", timeout=20).json()["id"] == "1"


def test_a_client_may_send_all_of_a_body_before_it_reads(serve: Serve) -> None:
    server = serve(answer_seconds=1)
    httpx.put(f"{server.url}/v1/collections/cars", json={})
    lines = b"[]\n" * 20_000  # each is refused in a hundred times as many bytes
    with server.connection() as connection:
        connection.sendall(
            b"POST /v1/collections/cars/documents:bulk HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
            b"%x\r\n%b\r\n" % (len(lines), lines)
        )
        ended = select.poll()
        ended.register(connection, select.POLLHUP | select.POLLERR)
        assert not ended.poll(1_500)
        connection.sendall(b"0\r\n\r\n")
        seen = b""
        while b'"line":20000,' not in seen:
            part = connection.recv(1 << 20)
            assert part, "the answer was cut off"
            seen = seen[-100:] + part
