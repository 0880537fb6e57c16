"""Partitions are changed alike wherever the collection is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import docstore
from docstore import AutoSplit, InvalidRequest, Key, NotFound, Range, Store
from tests.api.http.conftest import Running
from tests.docstore.client.stores import KINDS, LossyLine, opened


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    found, end = opened(request.param, tmp_path / "data")
    yield found
    end()
    with Store.open(tmp_path / "data") as checked:
        assert list(checked.check()) == []


def test_partitions_are_split_and_merged(store: Any) -> None:
    things = store.create_collection("things", partitioning=Range())
    things.put_many({"id": f"k{n:02}"} for n in range(20))
    change = things.split(0, at="k05")
    assert (change.kind, change.epoch, change.sources, change.targets) == ("split", 2, (0,), (1, 2))
    assert change.documents == 20
    assert change.pause_ms > 0
    assert [each["documents"] for each in things.stats()["partitions"]] == [5, 15]
    assert things.split(2).targets == (3, 4)
    assert things.merge(3, 1).sources == (1, 3)
    for gone in (0, "x"):
        with pytest.raises(NotFound, match="no partition"):
            things.split(gone)
    with pytest.raises(NotFound, match="no partition"):
        things.merge(5, 9)
    with pytest.raises(InvalidRequest, match="not inside"):
        things.split(4, at="k00")
    with pytest.raises(InvalidRequest, match="not neighbours"):
        things.merge(4, 4)


def test_a_compound_bound_travels(store: Any) -> None:
    sales = store.create_collection("sales", key=Key("seller", "n"), partitioning=Range())
    sales.put_many({"seller": "s", "n": n} for n in range(10))
    sales.split(0, at=("s", 4))
    assert [each["documents"] for each in sales.stats()["partitions"]] == [4, 6]


def test_keys_are_salted_and_gathered(store: Any) -> None:
    sales = store.create_collection("sales", key=Key("seller", "n"), partitions=4)
    sales.put_many({"seller": 42, "n": n} for n in range(20))
    assert sales.salt((42,), 4).kind == "salt"
    assert len([each for each in sales.stats()["partitions"] if each["documents"]]) == 4
    assert sales.salt((42,), 4).sources == ()
    sales.salt((42,), 1)
    assert len([each for each in sales.stats()["partitions"] if each["documents"]]) == 1
    with pytest.raises(NotFound, match="no document"):
        sales.salt((7,), 2)
    with pytest.raises(InvalidRequest, match="fan"):
        sales.salt((42,), 3)


def test_limits_are_given_shown_and_set(store: Any) -> None:
    assert store.create_collection("default").auto_split() == AutoSplit()
    limits = AutoSplit(documents=500, bytes=None, writes_per_second=50)
    things = store.create_collection("things", partitions=1, auto_split=limits)
    assert things.auto_split() == limits
    things.set_auto_split(False)
    assert things.auto_split() is None
    things.set_auto_split(True)
    assert things.auto_split() == AutoSplit()
    assert store.create_collection("never", auto_split=False).auto_split() is None
    with pytest.raises(InvalidRequest, match="auto_split"):
        things.set_auto_split("often")


def test_a_split_whose_answer_was_lost_is_told_and_not_made_twice(tmp_path: Path) -> None:
    running = Running(tmp_path / "data")
    with docstore.connect(running.url) as store:
        things = store.create_collection("things", partitioning=Range())
        things.put_many({"id": f"k{n:02}"} for n in range(20))
        for change, lost in (("split", (0,)), ("merge", (1, 2))):
            line = LossyLine(running.url, drop=0)
            with docstore.connect(line.url) as far:
                distant = far.collection("things")
                line._left = 1
                made = getattr(distant, change)(*lost)
            line.close()
            assert line.dropped == 1
            assert (made.kind, made.sources, made.documents) == (change, lost, 20)
        assert [each["kind"] for each in things.stats()["history"]] == ["split", "merge"]
    running.stop()
