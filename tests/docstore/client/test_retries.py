"""Answers that are lost, servers that are not there, and others that are no docstore."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.key_file import add_key
from docstore import (
    Closed,
    DocstoreError,
    InvalidRequest,
    Unavailable,
    aconnect,
    connect,
)
from docstore.client.problems import ERRORS
from docstore.client.retrying import Retries, retry_after
from tests.api.http.conftest import Serve
from tests.docstore.client.stores import LossyLine, Speaking


def test_a_write_whose_answer_was_lost_is_made_once(serve: Serve) -> None:
    running = serve()
    with connect(running.url) as direct:
        things = direct.create_collection("things")
        for number in range(3):
            line = LossyLine(running.url, drop=2)
            with connect(line.url) as store:
                result = [
                    lambda c: c.put({"id": "a", "n": 1}, if_absent=True),
                    lambda c: c.patch("a", {"n": 2}),
                    lambda c: c.delete("a"),
                ][number](_lossless(things, store))
            line.close()
            assert line.dropped == 2
            assert (result.created, result.deleted) == (number == 0, number == 2)
        assert len(list(things.changes())) == 3


def _lossless(known: Any, store: Any) -> Any:
    """The collection through another connection, described without asking over it."""
    return type(known)(store._sender, known._calls)


def test_a_batch_whose_answer_was_lost_is_made_once(serve: Serve) -> None:
    running = serve()
    with connect(running.url) as direct:
        things = direct.create_collection("things")
        line = LossyLine(running.url, drop=1)
        with connect(line.url) as store:
            batch = _lossless(things, store).put_many(({} for _ in range(100)), if_absent=True)
        line.close()
        assert line.dropped == 1
        assert batch.errors == []
        assert all(each.created for each in batch)
        assert things.count() == len(list(things.changes())) == 100


def test_a_collection_whose_making_was_not_heard_of_is_there(serve: Serve) -> None:
    line = LossyLine(serve().url, drop=1)
    with connect(line.url) as store:
        assert store.create_collection("things").count() == 0
    line.close()


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host?x=1", "http://[bad"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        connect(url)
    with pytest.raises(InvalidRequest):
        aconnect(url)


@pytest.mark.parametrize("address", ["localhost:8000", "10.0.0.1:80", "[::1]:8000"])
def test_an_address_without_its_scheme_makes_no_directory(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest) as caught:
        connect(address)
    assert f"http://{address}" in str(caught.value.hint)
    assert list(tmp_path.iterdir()) == []
    connect(f"./{address}").close()
    connect(address).close()  # there is such a directory now
    connect(Path(address)).close()


def test_a_key_for_a_directory_and_a_directory_for_an_event_loop_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidRequest):
        connect(tmp_path, api_key="k")
    with pytest.raises(InvalidRequest):
        aconnect(str(tmp_path))
    with pytest.raises(InvalidRequest):
        connect("http://host", api_key="a\nb")


def test_no_server_is_unavailable_after_the_deadline() -> None:
    gone = Speaking(b"")
    gone.close()
    with connect(gone.url, deadline=0.2) as store, pytest.raises(Unavailable) as caught:
        store.collections()
    assert caught.value.retryable
    assert caught.value.data["attempts"] > 1


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy",
        b"HTTP/1.1 503 Busy\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_docstore_is_unavailable(answer: bytes) -> None:
    server = Speaking(answer)
    with connect(server.url, deadline=0.1) as store, pytest.raises(Unavailable) as caught:
        store.collections()
    server.close()
    assert caught.value.hint


@pytest.mark.parametrize("is_async", [False, True])
def test_who_is_told_to_come_back_later_does(is_async: bool) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    done = b'{"collections": []}'
    server = Speaking(busy, b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(done), done))
    if is_async:

        async def listed() -> list[str]:
            async with aconnect(server.url) as store:
                return await store.collections()

        assert asyncio.run(listed()) == []
    else:
        with connect(server.url) as store:
            assert store.collections() == []
    first, second = server.asked_at
    assert 1 <= second - first < 20
    server.close()


def test_who_is_told_to_come_back_too_late_gives_up_at_once() -> None:
    server = Speaking(b"HTTP/1.1 503 Busy\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n")
    with connect(server.url, deadline=30) as store, pytest.raises(Unavailable) as caught:
        store.collections()
    server.close()
    assert caught.value.retryable
    assert len(server.asked_at) == 1


def test_a_wrong_key_is_told_and_not_tried_again(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    _, key = add_key(path, "me", ("read", "write", "admin"), ("*",))
    running = serve(api_key_file=path)
    with connect(running.url, api_key=key) as store:
        things = store.create_collection("things")
    for wrong in (None, "wrong"):
        with connect(running.url, api_key=wrong) as store:
            with pytest.raises(InvalidRequest) as caught:
                store.collections()
            assert caught.value.data["problem"] == "unauthorized"
            with pytest.raises(InvalidRequest):
                _lossless(things, store).put_many([{"a": 1}])


def test_a_closed_connection_says_so() -> None:
    store = connect("http://127.0.0.1:9")
    store.close()
    with pytest.raises(Closed):
        store.collections()


def test_every_class_of_the_tree_comes_back_as_itself() -> None:
    found, left = set(), [DocstoreError]
    while left:
        kind = left.pop()
        left += [each for each in kind.__subclasses__() if each.__module__ == "indexing.errors"]
        found.add(kind)
    assert set(ERRORS.values()) == found


@given(st.integers(1, 10_000), st.floats(0, 100), st.none() | st.floats(0, 100), st.floats(0, 1))
def test_waits_are_bounded_and_end_within_the_deadline(
    attempt: int, elapsed: float, asked: float | None, chance: float
) -> None:
    retries = Retries()
    wait = retries.wait(attempt, elapsed, asked, chance)
    if wait is not None:
        assert (asked or 0) <= wait <= (asked or 0) + retries.wait_max
        assert elapsed + wait < retries.deadline


def test_retry_after_is_seconds_or_nothing() -> None:
    texts = ("3", None, "soon", "", "²")
    assert [retry_after(text) for text in texts] == [3, None, None, None, None]


@pytest.mark.parametrize("op_id", ["", "x" * 65, "ä", "a\r\nb: c"])
def test_an_op_id_that_cannot_travel_is_refused(serve: Serve, op_id: str) -> None:
    with connect(serve().url) as store, pytest.raises(InvalidRequest):
        store.create_collection("things").put({"a": 1}, op_id=op_id)
