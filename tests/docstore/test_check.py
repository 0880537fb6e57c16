"""What `check` says beside writers: all that is so, and nothing else."""

import threading
from typing import Any

import pytest

from docstore import Collection, Store
from docstore.shards.apply import Write, apply
from docstore.shards.records import Operation, pack_document, pack_entry, pack_seq
from docstore.shards.shard import Shard

CHECKS = 25


@pytest.fixture
def cars(store: Store) -> Collection[Any]:
    cars = store.create_collection("cars", partitions=1)
    cars.put_many({"id": str(number)} for number in range(20))
    cars.refresh()
    return cars


def shard_of(cars: Collection[Any]) -> Shard:
    return cars.partitions.shard(0)


def write_unacknowledged(shard: Shard, *writes: Write) -> None:
    """Have a shard where a writer has it between its commit and the answer."""
    environment = shard.environment
    environment.write(lambda transaction: apply(environment, transaction, list(writes)))


def lose(shard: Shard, key: bytes) -> bytes:
    """Damage a shard: take a document away, past its log; returns what was stored."""
    documents = shard.environment.tables["documents"]
    stored = shard.environment.get("documents", key)
    assert stored is not None
    shard.environment.write(lambda transaction: transaction.delete(key, db=documents))
    return stored


def put_back(shard: Shard, table: str, key: bytes, value: bytes) -> None:
    shard.environment.write(
        lambda transaction: transaction.put(key, value, db=shard.environment.tables[table])
    )


def test_what_is_written_during_a_check_is_no_violation(cars: Collection[Any]) -> None:
    stopped = threading.Event()

    def write(name: str) -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            if number % 3:
                cars.put({"id": f"{name}{number % 20}", "n": number})
            else:
                cars.delete(f"{name}{(number - 1) % 20}")

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    try:
        found = [violation for _ in range(CHECKS) for violation in cars.check()]
    finally:
        stopped.set()
        for writer in writers:
            writer.join()
    assert found == []


def test_a_write_that_is_durable_and_not_acknowledged_yet_is_no_violation(
    cars: Collection[Any],
) -> None:
    write_unacknowledged(
        shard_of(cars), Write(b"new", b"{}", 0), Write(b"3", None, 0), Write(b"4", b"{}", 0)
    )
    assert list(cars.check()) == []


def test_a_lost_document_is_named_though_others_were_written_since(cars: Collection[Any]) -> None:
    shard = shard_of(cars)
    stored = lose(shard, b"3")
    write_unacknowledged(shard, Write(b"4", None, 0), Write(b"new", b"{}", 0))
    found = {(violation.rule, violation.key) for violation in cars.check()}
    assert found == {("log-document", "3"), ("index-extra", "3")}
    put_back(shard, "documents", b"3", stored)


def test_a_document_of_another_version_than_its_entry_is_named(cars: Collection[Any]) -> None:
    shard = shard_of(cars)
    stored = lose(shard, b"3")
    put_back(shard, "documents", b"3", pack_document(7, 4, b'{"id": "3"}'))
    (violation,) = cars.check()
    assert violation.rule == "log-document"
    assert "version 7" in violation.detail
    put_back(shard, "documents", b"3", stored)


def test_a_document_older_than_its_last_put_is_named(cars: Collection[Any]) -> None:
    shard = shard_of(cars)
    stored = lose(shard, b"3")
    put_back(shard, "documents", b"3", pack_document(1, 2, b'{"id": "3"}'))
    found = {violation.rule: violation for violation in cars.check()}
    assert found.keys() == {"log-document", "index-stale"}
    assert "later put 4" in found["log-document"].detail
    put_back(shard, "documents", b"3", stored)


def test_a_document_that_its_delete_left_is_named(cars: Collection[Any]) -> None:
    shard = shard_of(cars)
    stored = lose(shard, b"3")
    put_back(shard, "documents", b"3", stored)
    entry = shard.environment.get("log", pack_seq(4))
    assert entry is not None
    put_back(shard, "log", pack_seq(4), pack_entry(Operation.DELETE, 0, 0, b"3"))
    (violation,) = cars.check()
    assert (violation.rule, violation.key) == ("log-document", "3")
    assert "delete 4 left a document" in violation.detail
    put_back(shard, "log", pack_seq(4), entry)
