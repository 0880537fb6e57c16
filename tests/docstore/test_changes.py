"""The feed of changes: a fold of it is the collection, from any position it is resumed at."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore import Change, Collection, InvalidRequest, LogTrimmed, Position, Store
from docstore.shards import shard

KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
WRITES = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 99)), max_size=30)


def write(collection: Collection[dict[str, Any]], writes: list[tuple[str, int | None]]) -> None:
    for key, value in writes:
        if value is None:
            collection.delete(key)
        else:
            collection.put({"id": key, "value": value})


@settings(max_examples=25, deadline=None)
@given(before=WRITES, between=WRITES, batch=st.integers(1, 7))
def test_a_fold_of_the_changes_is_the_collection(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, int | None]],
    between: list[tuple[str, int | None]],
    batch: int,
) -> None:
    state: dict[str, dict[str, Any]] = {}
    seen: dict[int, Position] = {}
    versions: dict[str, int] = {}

    def fold(changes: list[Change[dict[str, Any]]]) -> None:
        for change in changes:
            held = seen.get(change.position.partition)
            assert change.position.seq == (held.seq if held else 0) + 1
            seen[change.position.partition] = change.position
            assert change.version in (0, versions.get(change.key, 0) + 1)
            versions[change.key] = change.version
            if change.operation == "delete":
                state.pop(change.key)
            elif change.document is not None:
                state[change.key] = change.document
            else:
                state.setdefault(change.key, {})

    with Store.open(tmp_path_factory.mktemp("feed")) as store:
        collection = store.create_collection("c", partitions=3)
        write(collection, before)
        fold(list(islice(collection.changes(), batch)))
        write(collection, between)
        while changes := list(collection.changes(seen.values(), batch)):
            fold(changes)
        assert state == {each.key: each.document for each in collection.scan()}
        assert set(collection.position()) >= set(seen.values())


def test_what_the_log_forgot_is_an_error_and_never_a_gap(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "LOG_ENTRIES_KEPT", 2)
    collection = store.create_collection("c", partitions=1)
    write(collection, [("a", number) for number in range(10)])
    collection.refresh()
    with pytest.raises(LogTrimmed) as trimmed:
        collection.changes()
    assert trimmed.value.data["oldest"] == "0@1:8"
    with pytest.raises(LogTrimmed):
        collection.changes("0@1:7")
    assert [each.version for each in collection.changes("0@1:8")] == [9, 10]
    assert list(collection.changes(collection.position())) == []


def test_a_reader_that_the_log_overtakes_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "LOG_ENTRIES_KEPT", 2)
    collection = store.create_collection("c", partitions=1)
    write(collection, [("a", 0)])  # opens the index, which begins by forgetting
    collection.put_many({"id": "a", "value": number} for number in range(300))
    reading = collection.changes()
    next(reading)
    collection.refresh()
    with pytest.raises(LogTrimmed):
        list(reading)


@pytest.mark.parametrize("after", ["7@1:1", "0@1:99", "nonsense"])
def test_a_position_of_another_collection_is_refused(store: Store, after: str) -> None:
    with pytest.raises(InvalidRequest):
        store.create_collection("c", partitions=1).changes(after)


@pytest.mark.parametrize("limit", [-1, True, "3"])
def test_a_limit_that_is_no_number_is_refused(store: Store, limit: Any) -> None:
    with pytest.raises(InvalidRequest):
        store.create_collection("c").changes(limit=limit)


def test_a_store_that_is_only_read_shows_its_changes(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        collection = store.create_collection("c", partitions=2)
        collection.put({"id": "a"})
        after = collection.position()
        collection.put({"id": "b"})
    with Store.open(tmp_path, read_only=True) as reader:
        collection = reader.collection("c")
        assert {each.key for each in collection.changes()} == {"a", "b"}
        assert [each.key for each in collection.changes(after)] == ["b"]


def test_a_long_log_with_an_unindexed_end_is_closed(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.shards.shard.LOG_ENTRIES_KEPT", 10)
    things = open_store().create_collection("things", partitions=1)
    things.put({"id": "first"})
    things.refresh()
    for number in range(30):
        things.put({"id": f"k{number}"})
    things = open_store().collection("things")
    assert things.partitions.shard(0).log_range()[1] == 31
    assert (things.stats()["lag"], things.count()) == (0, 31)
    things.put({"id": "last"})
    things.refresh()
    assert things.partitions.shard(0).log_range() == (23, 32)
