"""Threads that look after a store: an error ends none of them, is shown, and stops nothing else."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from docstore import AutoSplit, Closed, Corruption, DocstoreError, Key, Relief, Store, background
from docstore.growing import growth
from docstore.hot_keys.policy import Patience
from docstore.looking import Looking
from docstore.shards.environment import READERS_MAX
from tests.docstore.test_records import change

LONG = 30.0


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docstore.looking.PAUSE_SECONDS", 0.0)


def until(is_so: Callable[[], bool]) -> bool:
    """Whether something came to be so before long."""
    end = time.monotonic() + LONG
    while not is_so():
        if time.monotonic() > end:
            return False
    return True


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("error", [KeyError(9), Corruption("damaged")])
def test_an_error_is_kept_until_a_look_succeeds(error: Exception) -> None:
    errors: dict[str, DocstoreError] = {}
    found: list[DocstoreError | None] = []
    done = threading.Event()

    def look() -> None:
        found.append(errors.get("looks"))
        if len(found) == 2:
            raise error
        if len(found) == 4:
            done.set()

    looking = Looking("looks", look, lambda: 0.0, errors)
    looking.begin()
    looking.begin()
    assert done.wait(LONG)
    looking.stop()
    looking.join()
    first, second, third, fourth = found[:4]
    assert (first, second, fourth) == (None, None, None)
    assert third is not None
    assert error in (third, third.__cause__)
    assert errors == {}


def test_nothing_is_looked_at_when_stopped_or_closed() -> None:
    looks: list[str] = []
    stopped = Looking("stopped", lambda: looks.append("stopped"), lambda: 0.0, {})
    stopped.stop()
    stopped.begin()
    stopped.join()

    def closed() -> None:
        looks.append("closed")
        raise Closed("the store is closed")

    closing = Looking("closing", closed, lambda: 0.0, {})
    closing.begin()
    closing.join()
    assert looks == ["closed"]


def test_who_rests_for_ever_is_woken() -> None:
    looked = threading.Event()
    due: list[float] = []

    def look() -> None:
        due.clear()
        looked.set()

    looking = Looking("woken", look, lambda: due[0] if due else None, {})
    looking.begin()
    for _ in range(3):
        looked.clear()
        due.append(0.0)
        looking.wake()
        assert looked.wait(LONG)
    looking.stop()
    looking.join()


def test_a_collection_that_cannot_be_looked_at_keeps_no_other_from_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "LOOK_SECONDS", 0.01)
    small = AutoSplit(documents=100)
    with Store.open(tmp_path) as store:
        a, b = (
            store.create_collection(name, partitions=1, auto_split=small) for name in ("a", "b")
        )
        a.put({"id": "1"})
        environment = a.partitions.shard(0).environment
        with ExitStack() as reads:
            for _ in range(READERS_MAX):
                reads.enter_context(environment.read())
            assert until(lambda: a._live.growing.stats()["error"] is not None)
            assert "threads read one shard" in a._live.growing.stats()["error"]
            b.put_many({"id": str(number)} for number in range(150))
            assert until(lambda: len(b.partitions.numbers) == 2)
        assert until(lambda: a.stats()["auto_split"]["error"] is None)
        a.put_many({"id": str(number)} for number in range(150))
        assert until(lambda: len(a.partitions.numbers) == 2)


def test_a_shard_that_cannot_be_indexed_keeps_no_other_from_it(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for name in ("a", "b"):
            store.create_collection(name, partitions=1).put({"id": "1"})
    path = tmp_path / "a" / "shards" / "0" / "documents.mdb"
    # As after a crash: the log is longer than what the index has.
    change(path, "log", lambda stored: stored[:1] + b"\x09" + stored[2:])
    change(path, "meta", lambda stored: stored.replace(b'"seq":1', b'"seq":0'), b"index")
    store = Store.open(tmp_path)
    a, b = store.collection("a"), store.collection("b")
    a.put({"id": "2"})
    assert until(lambda: a.stats()["partitions"][0]["error"] is not None)
    assert "operation 9" in a.stats()["partitions"][0]["error"]
    b.put({"id": "2"})
    assert until(lambda: b.search(freshness="any", limit=0).total == 2)
    with pytest.raises(Corruption):
        store.close()


def test_a_collection_that_cannot_be_opened_keeps_no_other_from_relief(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for name in ("a", "b"):
            sales = store.create_collection(name, key=Key("seller", "n"), partitions=4)
            sales.put_many([{"seller": f"s{number}", "n": 0} for number in range(10)])
    definition = tmp_path / "a" / "collection.json"
    whole = definition.read_bytes()
    definition.write_bytes(b"no JSON")
    with Store.open(tmp_path) as store:
        for _ in range(20_000):
            store.collection("b").partitions.traffic.reads.note(b"\x20s1\x00")
        with Relief(store, every=0.01, patience=Patience(1, 1000)) as relief:
            assert until(lambda: len(relief.made) > 0)
            assert [(made.collection, made.fan, made.error) for made in relief.made] == [
                ("b", 4, None)
            ]
            assert until(lambda: "docstore-relief" in store.errors)
            definition.write_bytes(whole)
            assert until(lambda: store.errors == {})


def test_the_error_of_a_thread_is_in_the_stats(store: Store) -> None:
    assert store.stats()["errors"] == {}
    store.errors["docstore-relief"] = Corruption("damaged", hint="restore it")
    assert store.stats()["errors"] == {"docstore-relief": "damaged (restore it)"}


def test_idle_writers_are_closed_while_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("REFRESH", 0.005), ("IDLE", 0.5), ("IDLE_LOOK", 0.01)):
        monkeypatch.setattr(background, f"{name}_SECONDS", seconds)
    with Store.open(tmp_path) as store:
        for name in ("a", "b", "c"):
            things = store.create_collection(name, partitions=1)
            things.put({"id": "1"})
            things.refresh()
        assert store.stats()["open_writers"] == 3

        def written() -> bool:
            things.put({"id": "1"})
            return store._resources.budget.open_count == 1

        assert until(written)
