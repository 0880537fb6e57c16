"""Files that were deleted, damaged or mixed up are noticed, and what is derived is made again."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docstore import Corruption, Store
from docstore.shards import local_follower

COUNT = 200


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=2)
        cars.put_many({"id": str(number), "text": "word"} for number in range(COUNT))
    return tmp_path / "data"


def index_of(data: Path, shard: int) -> Path:
    (generation,) = (data / "cars" / "shards" / str(shard) / "index").iterdir()
    return generation


@pytest.mark.parametrize("suffix", ["term", "idx", "fast", "store", "json"])
def test_a_lost_file_of_an_index_is_made_again_on_opening(data: Path, suffix: str) -> None:
    for path in index_of(data, 0).glob(f"*.{suffix}"):
        path.unlink()
    with Store.open(data) as store:
        assert store.collection("cars").search("word").total == COUNT
        assert list(store.check()) == []


def test_an_older_copy_of_an_index_is_not_trusted(data: Path) -> None:
    older = data.parent / "older"
    shutil.copytree(index_of(data, 0), older)
    with Store.open(data) as store:
        store.collection("cars").put_many({"id": f"new{n}", "text": "word"} for n in range(50))
    shutil.rmtree(index_of(data, 0))
    shutil.copytree(older, data / "cars" / "shards" / "0" / "index" / "1")
    with Store.open(data) as store:
        assert store.collection("cars").search("word").total == COUNT + 50
        assert list(store.check()) == []


def test_the_index_of_another_shard_is_reported_by_check_and_repaired_by_rebuild(
    data: Path,
) -> None:
    first, second = index_of(data, 0), index_of(data, 1)
    shutil.rmtree(first)
    shutil.copytree(second, first)
    with Store.open(data) as store:
        rules = {violation.rule for violation in store.check()}
        assert rules & {"index-missing", "index-extra"}
        store.collection("cars").rebuild(0)
        assert list(store.check()) == []
        assert store.collection("cars").search("word").total == COUNT


@pytest.mark.parametrize("damage", ["missing", "cut", "overwritten"])
def test_damaged_documents_are_never_taken_for_an_empty_shard(data: Path, damage: str) -> None:
    path = data / "cars" / "shards" / "0" / "documents.mdb"
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        with path.open("r+b") as file:
            file.truncate(12_288)
    else:
        path.write_bytes(b"garbage" * 5_000)
    with Store.open(data) as store:
        with pytest.raises(Corruption):
            store.collection("cars").count()
        assert "corruption" in {violation.rule for violation in store.check()}


def test_stray_and_missing_parts_are_reported(data: Path) -> None:
    (data / "cars" / "shards" / "9").mkdir()
    (data / "stray").mkdir()
    with Store.open(data) as store:
        assert [violation.rule for violation in store.check()] == ["map", "map"]


def test_a_document_of_which_no_json_is_left_is_named(data: Path) -> None:
    long = {"id": "long", "text": "word " * 4000}
    with Store.open(data) as store:
        cars = store.collection("cars")
        cars.put(long)
        number = cars.partitions.number_of(b"long")
    path = data / "cars" / "shards" / str(number) / "documents.mdb"
    stored = bytearray(path.read_bytes())
    at = stored.index(b"word " * 2000) + 5000
    stored[at : at + 4096] = bytes(4096)
    path.write_bytes(stored)
    with Store.open(data) as store:
        cars = store.collection("cars")
        for read in (lambda: cars.get("long"), lambda: list(cars.scan())):
            with pytest.raises(Corruption, match="a document is damaged"):
                read()
        (violation,) = store.check()
        assert (violation.rule, violation.key) == ("corruption", "long")


def test_a_reader_that_waits_for_a_lost_index_says_that_it_is_lost(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_follower, "FOLLOW_SECONDS", 0.05)
    program = (
        "import sys; from docstore import Store; store = Store.open(sys.argv[1]); "
        "cars = store.collection('cars'); cars.put_many({'id': f'n{n}'} for n in range(9)); "
        "cars.rebuild(); store.close()"
    )
    with Store.open(data, read_only=True) as reader:
        cars = reader.collection("cars")
        assert cars.search("word").total == COUNT
        subprocess.run([sys.executable, "-c", program, data], check=True)
        for shard in (0, 1):
            shutil.rmtree(index_of(data, shard))
        with pytest.raises(Corruption, match="index"):
            cars.search("word")
