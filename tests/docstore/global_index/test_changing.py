"""Indexes that are renamed, made anew or dropped, while something fails or somebody looks on."""

from contextlib import suppress
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store, Unavailable, Violation
from docstore.global_index.postings import packed
from tests.docstore.steps import each_step

Cars = Collection[dict[str, Any]]


def made(store: Store, *indexes: GlobalIndex) -> Cars:
    """Forty cars, with indexes that nothing moves but the test."""
    cars = store.create_collection("cars", partitions=2, indexes=indexes)
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    cars.put_many({"id": f"{n:02d}", "color": ["red", "blue"][n % 2]} for n in range(40))
    cars.indexes.catch_up()
    return cars


def spoiled(cars: Cars, name: str) -> None:
    """Two postings that no document has, so that a check has something to say."""
    partition = cars.indexes._live[name].files.partitions[0]
    (term,) = partition.terms_of([b"00"])[b"00"]
    wrong = {key: {term: packed(term, key, 0, 1, 1, b"[1]")} for key in (b"y", b"z")}
    partition.apply(wrong, {})


def test_a_rename_that_fails_at_any_step_leaves_the_index_as_it_was(store: Store) -> None:
    cars = made(store, GlobalIndex("color", partitions=2), GlobalIndex("id"))
    failures = 0
    for turn in range(12):
        steps = iter([False] * turn + [True])

        def fail(steps: Any = steps) -> None:
            if next(steps, False):
                raise Unavailable("the disk is full", hint="free some space")

        name = "color"
        with each_step(fail), suppress(Unavailable):
            cars.indexes.rename("color", "paint")
            name = "paint"
        failures += name == "color"
        assert [each.name for each in cars.indexes] == [name, "id"]
        assert [each["state"] for each in cars.indexes.stats()] == ["ready", "ready"]
        assert cars.indexes.lookup(name, "red").total == 20
        cars.put({"id": "00", "color": "red", "turn": turn})
        if name == "paint":
            cars.indexes.rename("paint", "color")
    assert failures >= 4
    assert list(cars.check()) == []


@pytest.mark.parametrize("change", ["rebuild", "rename", "drop"])
def test_a_check_goes_on_with_what_an_index_became(store: Store, change: str) -> None:
    cars = made(store, GlobalIndex("color", partitions=1, by="range"), GlobalIndex("id"))
    spoiled(cars, "color")
    found = cars.indexes.check()
    first = next(found)
    if change == "rebuild":
        cars.indexes.rebuild("color")
    elif change == "rename":
        cars.indexes.rename("color", "paint")
    else:
        cars.indexes.drop("color")
    assert name_of(first) == "color"
    rest = {name_of(each) for each in found}
    assert rest == ({"paint"} if change == "rename" else set())
    for index in cars.indexes:
        cars.indexes.rebuild(index.name)
    cars.indexes.catch_up()


def name_of(violation: Violation) -> str:
    """The index that a violation is of."""
    return violation.detail.split("'")[1]
