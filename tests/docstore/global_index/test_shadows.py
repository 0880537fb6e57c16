"""An index by ranges that is cut badly is made anew beside itself, and nobody who asks notices."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docstore import Collection, DocstoreError, GlobalIndex, Store

PRICE = GlobalIndex("price", include=["color"], partitions=4, by="range")
Cars = Collection[dict[str, Any]]


def filled(store: Store, documents: int, price: Callable[[int], Any]) -> Cars:
    """Cars whose index was made before there were any; only the test moves it."""
    cars = store.create_collection("cars", partitions=2, indexes=[PRICE])
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    cars.put_many({"id": f"{n:05d}", "price": price(n), "color": "red"} for n in range(documents))
    cars.indexes.catch_up()
    return cars


def step(cars: Cars) -> None:
    """What the updater does when nobody writes."""
    cars.indexes._updater.step(is_writing=False)


def bounds(cars: Cars) -> tuple[bytes, ...]:
    """Where the first index is cut."""
    return next(iter(cars.indexes)).bounds


def shares(cars: Cars, name: str = "price") -> list[int]:
    """The postings of each partition."""
    return [each.sizes()[1] for each in cars.indexes._live[name].files.partitions]


def test_an_index_made_without_documents_is_cut_when_there_are(
    open_store: Callable[[], Store],
) -> None:
    cars = filled(open_store(), 4000, lambda n: n % 1000)
    assert bounds(cars) == ()
    assert shares(cars) == [4000, 0, 0, 0]
    total = 800
    told = []
    while not bounds(cars):
        told.append(cars.indexes.stats()[0]["made_anew"])
        assert cars.indexes.lookup("price", lt=200).total == total
        cars.put({"id": f"x{total}", "price": 10, "color": "blue"})
        total += 1
        assert cars.indexes.lookup("price", lt=200).total == total
        step(cars)
    assert told[0] is cars.indexes.stats()[0]["made_anew"] is None
    assert [each["state"] for each in told[1:]] == ["filling"] * (len(told) - 2) + ["comparing"]
    assert (told[1]["filling"], told[-1]["filling"], told[-1]["documents"]) == (2, 0, total + 3199)
    assert cars.indexes.lookup("price", lt=200, freshness="any").total == total
    answer = cars.indexes.lookup("price", gte=600, lt=610)
    assert (answer.total, len(answer.index_partitions)) == (40, 1)
    assert max(shares(cars)) < 1100
    before = bounds(cars)
    step(cars)
    assert bounds(cars) == before
    path = cars.indexes._live["price"].files.partitions[0]._environment.path.parents[2]
    cars = open_store().collection("cars")
    assert bounds(cars) == before
    assert cars.indexes.lookup("price", lt=200).total == total
    assert len(list(path.iterdir())) == 1


def test_one_that_would_not_be_better_is_left_alone(store: Store) -> None:
    cars = filled(store, 4000, lambda n: 1 if n % 10 else n)
    step(cars)
    step(cars)
    assert bounds(cars) == ()
    assert shares(cars)[1:] == [0, 0, 0]


def test_what_a_crash_leaves_of_one_that_is_being_made_is_removed(
    store: Store, tmp_path: Path
) -> None:
    cars = filled(store, 3000, lambda n: n)
    step(cars)
    source = cars.indexes._live["price"].files.partitions[0]._environment.path.parents[4]
    made = source / "cars" / "indexes"
    assert len(list(made.iterdir())) == 2
    shutil.copytree(source, tmp_path / "copy", ignore=shutil.ignore_patterns("*-lock", ".tantivy*"))
    (left,) = (tmp_path / "copy/cars/indexes").glob("price~*")
    (left / "mark").touch()
    with Store.open(tmp_path / "copy") as copy:
        again = copy.collection("cars")
        again.indexes._updater.stop()
        assert again.indexes.lookup("price", lt=100).total == 100
        assert bounds(again) == ()
        assert not (left / "mark").exists()
        assert list(copy.check()) == []


def test_dropping_renaming_and_rebuilding_give_up_what_is_being_made(store: Store) -> None:
    cars = filled(store, 3000, lambda n: n)
    step(cars)
    cars.indexes.rename("price", "cost")
    assert cars.indexes.lookup("cost", lt=100).total == 100
    step(cars)
    cars.indexes.rebuild("cost")
    cars.indexes.catch_up()
    assert cars.indexes.lookup("cost", lt=100).total == 100
    # The first documents, of which a rebuild takes its bounds, are the cheap ones.
    while max(shares(cars, "cost")) > 1000:
        step(cars)
    directory = cars.indexes._live["cost"].files.partitions[0]._environment.path.parents[2]
    assert len(list(directory.iterdir())) == 1
    cars.indexes.drop("cost")
    assert list(directory.iterdir()) == []


def test_who_asks_all_the_while_is_answered_all_the_while(store: Store) -> None:
    cars = filled(store, 2500, lambda n: n)
    is_over = threading.Event()
    wrong: list[Any] = []
    asked = [0]

    def ask() -> None:
        while not is_over.is_set():
            try:
                if cars.indexes.lookup("price", gte=100, lt=300).total != 200:
                    wrong.append("not all")
                if cars.count({"price": {"lt": 50}}, index="price") != 50:
                    wrong.append("not all that are counted")
            except DocstoreError as error:
                wrong.append(error)
            asked[0] += 1

    reader = threading.Thread(target=ask)
    reader.start()
    while not bounds(cars):
        step(cars)
    before = asked[0]
    while asked[0] < before + 10:
        cars.put({"id": "x", "price": 5000, "color": "red"})
    is_over.set()
    reader.join()
    assert wrong == []


def test_a_reading_process_finds_indexes_that_came_and_went(store: Store, tmp_path: Path) -> None:
    cars = filled(store, 2500, lambda n: n)
    source = cars.indexes._live["price"].files.partitions[0]._environment.path.parents[4]
    ignore = shutil.ignore_patterns("*-lock", ".tantivy*")
    shutil.copytree(source, tmp_path / "copy", ignore=ignore)
    with Store.open(tmp_path / "copy", read_only=True) as reader:
        seen = reader.collection("cars")
        assert seen.indexes.lookup("price", lt=10).total == 10
        while not bounds(cars):
            step(cars)
        cars.indexes.create(GlobalIndex("color"))
        cars.indexes.catch_up()
        # What the writing process does to the files, in its order.
        shutil.copytree(
            source / "cars/indexes",
            tmp_path / "copy/cars/indexes",
            ignore=ignore,
            dirs_exist_ok=True,
        )
        shutil.copy(source / "cars/indexes.json", tmp_path / "new.json")
        (tmp_path / "new.json").replace(tmp_path / "copy/cars/indexes.json")
        shutil.rmtree(tmp_path / "copy/cars/indexes/price")
        assert seen.indexes.lookup("price", lt=10).total == 10
        assert bounds(seen) == bounds(cars)
        assert seen.indexes.lookup("color", "red").total == 2500
