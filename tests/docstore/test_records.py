"""Stored values: they are read as they were packed, and damaged ones are damage, nothing else."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import Corruption, Store
from docstore.shards.environment import TABLES
from docstore.shards.inherited import INHERITED_FILE, Held, Inherited
from docstore.shards.records import (
    OPERATIONS,
    Answer,
    IndexCheckpoint,
    pack_answer,
    pack_checkpoint,
    pack_document,
    pack_entry,
    pack_seq,
    revision_of,
    unpack_answer,
    unpack_checkpoint,
    unpack_document,
    unpack_entry,
    unpack_seq,
)

NUMBERS = st.integers(0, 2**64 - 1)
SEQ = pack_seq(7)
Read = Callable[[bytes], Any]

ANSWERS = st.builds(
    Answer,
    st.binary(max_size=30),
    NUMBERS,
    NUMBERS,
    st.booleans(),
    st.booleans(),
    st.none() | st.tuples(st.integers(0, 2**32 - 1), NUMBERS),
)
ENTRIES = st.builds(
    pack_entry,
    st.sampled_from(sorted(OPERATIONS)),
    NUMBERS,
    NUMBERS,
    st.binary(max_size=30),
    st.binary(max_size=30),
)
DOCUMENTS = st.builds(pack_document, NUMBERS, NUMBERS, st.binary(max_size=30))
CHECKPOINTS = st.builds(IndexCheckpoint, NUMBERS, NUMBERS, NUMBERS)
STORED: st.SearchStrategy[tuple[Read, bytes]] = st.one_of(
    st.tuples(st.sampled_from([unpack_document, revision_of]), DOCUMENTS),
    st.tuples(st.just(lambda stored: unpack_entry(SEQ, stored)), ENTRIES),
    st.tuples(st.just(unpack_answer), ANSWERS.map(pack_answer)),
    st.tuples(st.just(unpack_checkpoint), CHECKPOINTS.map(pack_checkpoint)),
    st.tuples(st.just(unpack_seq), NUMBERS.map(pack_seq)),
    st.tuples(st.just(lambda seq: unpack_entry(seq, pack_entry(1, 1, 1, b"k"))), st.just(SEQ)),
)


def is_read(read: Read, stored: bytes) -> bool:
    try:
        read(stored)
    except Corruption:
        return False
    return True


@given(STORED)
def test_what_is_cut_off_is_read_or_damage(stored: tuple[Read, bytes]) -> None:
    read, whole = stored
    assert is_read(read, whole)
    for length in range(len(whole)):
        is_read(read, whole[:length])
    assert not is_read(read, b"")


@given(STORED, st.integers(1, 255))
def test_any_other_byte_is_read_or_damage(stored: tuple[Read, bytes], change: int) -> None:
    read, whole = stored
    for at in range(len(whole)):
        is_read(read, whole[:at] + bytes((whole[at] ^ change,)) + whole[at + 1 :])


@given(ANSWERS)
def test_an_answer_is_read_as_it_was_packed(answer: Answer) -> None:
    assert unpack_answer(pack_answer(answer)) == answer


def test_an_operation_of_a_newer_version_says_so() -> None:
    with pytest.raises(Corruption, match=r"entry 7 is of operation 4 .*newer docstore.*upgrade"):
        unpack_entry(SEQ, pack_entry(4, 1, 1, b"key"))


@pytest.mark.parametrize("stored", [b"[]", b"1", b'{"format":1}', b'{"format":"1"}', b"null"])
def test_other_json_is_no_checkpoint(stored: bytes) -> None:
    with pytest.raises(Corruption):
        unpack_checkpoint(stored)


def test_the_floor_of_an_ancestor_is_read_or_damage(tmp_path: Path) -> None:
    inherited = Inherited(tmp_path)
    inherited.begin(1, Held(2, 3))
    assert inherited.held(1) == Held(2, 3)
    inherited.close()
    change(tmp_path / INHERITED_FILE, "ancestors", lambda stored: stored[:-1])
    inherited = Inherited(tmp_path)
    with pytest.raises(Corruption):
        inherited.held(1)
    inherited.close()


def change(path: Path, table: str, to: Callable[[bytes], bytes], key: bytes | None = None) -> None:
    """Put another value in the place of a table's last one, or that of a key."""
    environment = lmdb.open(os.fspath(path), subdir=False, max_dbs=len(TABLES))
    handle = environment.open_db(table.encode())
    with environment.begin(write=True) as transaction:
        cursor = transaction.cursor(db=handle)
        assert cursor.last() if key is None else cursor.set_key(key)
        transaction.put(cursor.key(), to(cursor.value()), db=handle)
    environment.close()


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes], bytes | None]] = {
    "short document": ("documents", lambda stored: stored[:10], b"1"),
    "newer document": ("documents", lambda stored: b"\x09" + stored[1:], b"1"),
    "newer operation": ("log", lambda stored: stored[:1] + b"\x09" + stored[2:], None),
    "short entry": ("log", lambda stored: stored[:-3], None),
    "short head": ("meta", lambda stored: stored[:3], b"head"),
    "checkpoint": ("meta", lambda _: b"{}", b"index"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_but_corruption_reaches_a_user_and_check_names_it(
    tmp_path: Path, damage: str
) -> None:
    with Store.open(tmp_path) as store:
        things = store.create_collection("things", partitions=1)
        things.put_many([{"id": "1"}, {"id": "2"}])
    change(tmp_path / "things" / "shards" / "0" / "documents.mdb", *DAMAGES[damage])
    told: list[str] = []
    with Store.open(tmp_path) as store:
        things = store.collection("things")
        uses: list[Callable[[], Any]] = [
            lambda: things.get("1"),
            lambda: things.put({"id": "1"}),
            lambda: things.patch("1", {"a": 1}),
            lambda: list(things.scan()),
            lambda: list(things.changes()),
            lambda: things.search("x"),
            store.stats,
        ]
        violations = list(store.check())
        for use in uses:
            try:
                use()
            except Corruption as error:
                told.append(error.message)
        assert told
        assert {each.rule for each in violations} == {"corruption"}
        assert told[0] in violations[0].detail


def test_a_damaged_answer_is_no_foreign_error(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        things = store.create_collection("things", partitions=1)
        things.put({"id": "1"}, op_id="one")
    path = tmp_path / "things" / "shards" / "0" / "documents.mdb"
    change(path, "operations", lambda stored: stored[: struct.calcsize(">BB")], b"one")
    with Store.open(tmp_path) as store:
        things = store.collection("things")
        with pytest.raises(Corruption, match="operation"):
            things.put({"id": "1"}, op_id="one")
        assert things.get("1") == {"id": "1"}
