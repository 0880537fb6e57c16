"""A new collection has all its shards, for other processes and for the check."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docstore import AlreadyExists, GlobalIndex, NotFound, Store
from docstore.shards.new_shards import make_shards
from indexing.schema import Schema
from tests.docstore.steps import copied, each_sync


def test_a_schemaless_store_of_another_process_is_read_before_all_shards_were_written(
    store: Store,
) -> None:
    store.create_collection("few", partitions=8).put({"id": "1", "t": "a word"})
    program = (
        "import sys; from docstore import Store; few = Store.open(sys.argv[1], read_only=True)"
        ".collection('few'); print(few.count(), few.search('word').total, few.get('2'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, store.path], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "1 1 None\n"


def test_a_lost_shard_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        things = store.create_collection("things")
        things.put_many([{"id": str(number)} for number in range(20)])
    shutil.rmtree(tmp_path / "things" / "shards" / "1")
    with Store.open(tmp_path) as store:
        assert [(v.partition, v.rule) for v in store.check()] == [(1, "corruption")]


def test_a_reader_is_told_that_a_collection_was_made_anew(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.create_collection("things").put({"id": "old"})
    with Store.open(tmp_path, read_only=True) as reader:
        things = reader.collection("things")
        assert things.count() == 1
        program = (
            "import sys; from docstore import Store; store = Store.open(sys.argv[1]); "
            "store.drop_collection('things'); store.create_collection('things'); store.close()"
        )
        subprocess.run([sys.executable, "-c", program, tmp_path], check=True)
        with pytest.raises(NotFound):
            things.get("old")
        with pytest.raises(NotFound):
            things.search("old")
        assert reader.collection("things").count() == 0


def test_every_file_of_new_shards_is_durable(tmp_path: Path) -> None:
    directory = tmp_path / "shards"
    with each_sync() as synced:
        make_shards(directory, range(3), Schema())
    made = sorted(directory.rglob("*"))
    assert len(made) > 3 * 4
    assert [each for each in (directory, *made) if synced.lacks(each)] == []


def test_a_collection_outlives_the_power_that_goes_right_after_it_was_made(tmp_path: Path) -> None:
    with each_sync() as synced:
        store = Store.open(tmp_path / "new" / "data")
        store.create_collection("things", partitions=3)
    kept = [path for path in (tmp_path, *tmp_path.rglob("*")) if not synced.lacks(path)]
    assert {tmp_path, tmp_path / "new", store.path} <= set(kept)
    copy = tmp_path / "copy"
    copied(store.path, copy)
    for path in copy.rglob("*.mdb"):
        if store.path / path.relative_to(copy) not in kept:
            path.write_bytes(b"")
    store.close()
    with Store.open(copy) as store:
        things = store.collection("things")
        assert things.put_many({"id": str(number)} for number in range(30)).errors == []
        assert things.search(limit=0).total == 30
        assert list(store.check()) == []


def test_who_makes_a_collection_that_somebody_made_meanwhile_is_told_so(store: Store) -> None:
    class Meanwhile(tuple[GlobalIndex, ...]):
        def __iter__(self) -> Iterator[GlobalIndex]:
            if not store.collections():
                store.create_collection("things", partitions=2).put({"id": "1"})
            return super().__iter__()

    with pytest.raises(AlreadyExists, match="'things' exists") as refused:
        store.create_collection("things", indexes=Meanwhile())
    assert refused.value.hint.startswith("open it with collection()")
    assert store.collection("things").count() == 1
    assert [path.name for path in store.path.iterdir() if ".leftover" in path.name] == []
