"""A page that LMDB cannot read: an index is filled again, a shard says which it is."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest

from docstore import Collection, Corruption, GlobalIndex, Store, Unavailable

Cars = Collection[dict[str, Any]]
PAGE_BYTES = 4096
OVERFLOW = b"\x04\x00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=2, indexes=[GlobalIndex("color")])
        cars.put_many({"id": f"{n:03d}", "color": ["red", "blue"][n % 2]} for n in range(40))
        cars.indexes.catch_up()
        cars.indexes._updater.stop()
        yield store


def spoil(path: Path) -> None:
    """Make every page that LMDB could look at one that it does not expect there."""
    handle = os.open(path, os.O_RDWR)
    for page in range(2, path.stat().st_size // PAGE_BYTES):
        # The flags; LMDB would end the process where it meets zeros between two leaves.
        os.pwrite(handle, OVERFLOW, page * PAGE_BYTES + 10)
    os.close(handle)


def files_of(data: Path, pattern: str) -> list[Path]:
    return sorted((data / "cars").glob(pattern))


def test_a_damaged_index_leaves_a_collection_that_opens_and_is_filled_again(
    store: Store, tmp_path: Path
) -> None:
    store.close()
    for path in files_of(tmp_path / "data", "indexes/color/*/postings.mdb"):
        spoil(path)
    with Store.open(tmp_path / "data") as again:
        cars: Cars = again.collection("cars")
        assert cars.search(filter={"color": "red"}, sort="id").total == 20
        cars.indexes.catch_up()
        assert cars.search(filter={"color": "red"}, index="color", sort="id").total == 20
        assert list(again.check()) == []


def test_a_reader_falls_back_to_the_shards_and_says_what_is_damaged(
    store: Store, tmp_path: Path
) -> None:
    store.close()
    for path in files_of(tmp_path / "data", "indexes/color/*/postings.mdb"):
        spoil(path)
    with Store.open(tmp_path / "data", read_only=True) as reader:
        cars: Cars = reader.collection("cars")
        assert cars.search(filter={"color": "red"}, sort="id").total == 20
        assert cars.count(filter={"color": "red"}) == 20
        (stats,) = cars.indexes.stats()
        assert stats["state"] == "filling"
        assert "of the index 'color' cannot be read" in stats["error"]
        with pytest.raises(Unavailable):
            cars.search(filter={"color": "red"}, index="color", sort="id")


@pytest.mark.parametrize("asked", ["search", "count", "lookup", "write", "check", "rebuild"])
def test_damage_met_while_open_is_shown_and_repaired(
    store: Store, tmp_path: Path, asked: str
) -> None:
    cars: Cars = store.collection("cars")
    for path in files_of(tmp_path / "data", "indexes/color/*/postings.mdb"):
        spoil(path)
    if asked == "search":
        assert cars.search(filter={"color": "red"}, sort="id").total == 20
    elif asked == "count":
        assert cars.count(filter={"color": "red"}) == 20
    elif asked == "lookup":
        with pytest.raises(Unavailable, match="damaged") as refused:
            cars.indexes.lookup("color", "red")
        assert refused.value.retryable
    elif asked == "write":
        cars.put({"id": "000", "color": "red", "doors": 5})
        with pytest.raises(Corruption, match="index 'color' cannot be read"):
            cars.indexes.catch_up()
    elif asked == "check":
        (violation,) = store.check()
        assert violation.rule == "corruption"
        assert "index 'color'" in violation.detail
    else:
        cars.indexes.rebuild("color")
    (stats,) = cars.indexes.stats()
    assert stats["state"] == "filling"
    assert asked == "rebuild" or "cannot be read" in stats["error"]
    cars.indexes.catch_up()
    (stats,) = cars.indexes.stats()
    assert (stats["state"], stats["error"]) == ("ready", None)
    assert cars.indexes.lookup("color", "red").total == 20
    assert list(store.check()) == []


def test_the_updater_goes_on_behind_damage(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars: Cars = store.create_collection("cars", indexes=[GlobalIndex("color", partitions=1)])
        cars.put_many({"id": f"{n:03d}", "color": "red"} for n in range(40))
        cars.indexes.catch_up()
        updater = cars.indexes._updater
        updater.stop()
        assert cars.indexes.lookup("color", "red").total == 40
        spoil(*files_of(tmp_path / "data", "indexes/color/0/postings.mdb"))
        cars.put({"id": "000", "color": "blue"})
        for _ in range(4):
            updater.step(is_writing=False)
        assert cars.indexes.lookup("color", "red").total == 39


def test_a_damaged_shard_is_named_by_whatever_reads_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Store.open(data) as store:
        cars: Cars = store.create_collection("cars", partitions=1)
        cars.put_many({"id": f"{n:03d}"} for n in range(40))
        cars.search(limit=1)
        spoil(*files_of(data, "shards/0/documents.mdb"))
        for read in (
            lambda: cars.get("001"),
            lambda: cars.get_many(["001", "002"]),
            lambda: list(cars.scan()),
            lambda: list(cars.changes()),
            lambda: cars.search(filter={"id": {"gte": "0"}}, sort="id"),
        ):
            with pytest.raises(Corruption, match="the documents of shard 0 cannot be read"):
                read()
        assert "corruption" in {violation.rule for violation in store.check()}


@pytest.mark.parametrize("by", ["hash", "range"])
def test_a_disk_that_was_full_while_an_index_was_made_anew(
    tmp_path: Path, by: Literal["hash", "range"]
) -> None:
    with Store.open(tmp_path / "data") as store:
        index = GlobalIndex("color", partitions=2, by=by)
        cars: Cars = store.create_collection("cars", partitions=1, indexes=[index])
        cars.put_many({"id": f"{n:03d}", "color": ["red", "blue"][n % 2]} for n in range(40))
        cars.indexes.catch_up()
        cars.indexes._updater.stop()
        cars.refresh()
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, unlimited[1]))
        try:
            with suppress(Unavailable):
                cars.indexes.rebuild("color")
            (stats,) = cars.indexes.stats()
            with pytest.raises(Unavailable):
                cars.indexes.catch_up()
            assert cars.search(filter={"color": "red"}, sort="id").total == 20
            with pytest.raises(Unavailable):
                cars.indexes.lookup("color", "red")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert stats["state"] == "filling"
        assert stats["error"] is not None
        cars.indexes.catch_up()
        (stats,) = cars.indexes.stats()
        assert (stats["state"], stats["error"]) == ("ready", None)
        assert cars.indexes.lookup("color", "red").total == 20
        assert list(store.check()) == []
