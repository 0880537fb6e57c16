"""A log that is shorter than its head says, or has a hole, is an error for whoever follows it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, Corruption, Store
from docstore.shards.environment import Transaction
from docstore.shards.records import HEAD, pack_seq
from tests.docstore.steps import each_write_step

Cars = Collection[dict[str, Any]]
COUNT = 12


@pytest.fixture
def cars(tmp_path: Path) -> Iterator[Cars]:
    """Documents of which the index has half."""
    with Store.open(tmp_path / "data") as store:
        cars: Cars = store.create_collection("cars", partitions=1)
        cars.put_many({"id": str(number)} for number in range(COUNT // 2))
        cars.refresh()
        cars.put_many({"id": str(number)} for number in range(COUNT // 2, COUNT))
        yield cars
        cars.rebuild()


def damage(cars: Cars, lost: int | None, head: int) -> None:
    """Lose an entry of a log, and have its head say something else."""

    def body(transaction: Transaction) -> None:
        tables = shard.environment.tables
        if lost is not None:
            transaction.delete(pack_seq(lost), db=tables["log"])
        transaction.put(HEAD, pack_seq(head), db=tables["meta"])

    shard = cars.partitions.shard(0)
    shard.carry(body)


BROKEN = pytest.mark.parametrize(
    ("lost", "head", "message"),
    [
        pytest.param(None, COUNT + 3, "ends at 12, its head says 15", id="too short"),
        pytest.param(7, COUNT, "has no entry 7, but 8", id="hole at the begin"),
        pytest.param(9, COUNT, "has no entry 9, but 10", id="hole"),
        pytest.param(COUNT, COUNT, "ends at 11, its head says 12", id="without its end"),
    ],
)


@BROKEN
def test_a_search_is_refused_until_the_index_is_made_again(
    cars: Cars, lost: int | None, head: int, message: str
) -> None:
    damage(cars, lost, head)
    with pytest.raises(Corruption, match=message):
        cars.search()
    assert {violation.rule for violation in cars.check()} == {"log", "corruption"}
    cars.rebuild()
    assert cars.search().total == COUNT
    assert [violation.rule for violation in cars.check()] == ["log"]


@BROKEN
def test_a_split_is_refused(cars: Cars, lost: int | None, head: int, message: str) -> None:
    damage(cars, lost, head)
    with pytest.raises(Corruption, match=message):
        cars.split(0)
    assert cars.count() == COUNT


def test_a_write_that_is_lost_while_a_split_follows_it_refuses_the_split(cars: Cars) -> None:
    def lose(step: int) -> None:
        if step == 2:
            cars.put({"id": "new"})
            damage(cars, COUNT + 1, COUNT + 1)

    cars.refresh()
    with each_write_step(cars, lose), pytest.raises(Corruption, match="ends at 12"):
        cars.split(0)
    assert cars.partitions.numbers == (0,)
    assert cars.count() == COUNT + 1
