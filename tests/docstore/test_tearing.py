"""Pages that are found while their documents are written: nobody sees one of two moments."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import pytest

from docstore import Collection, GlobalIndex, Store
from docstore.queries import execute, index_answers
from docstore.queries.tearing import ATTEMPTS, HITS_MAX

CARS = [{"id": f"car-{n:03}", "color": "red", "price": n} for n in range(40)]


@pytest.fixture
def cars(store: Store) -> Collection[dict[str, Any]]:
    cars = store.create_collection("cars", partitions=2)
    cars.put_many(CARS)
    return cars


@contextmanager
def after_each(code: CodeType, act: Callable[[int], object]) -> Iterator[None]:
    """Act whenever a function returns in this thread; told how often it has."""
    returned = 0

    def see(frame: FrameType, event: str, _: Any) -> None:
        nonlocal returned
        if event == "return" and frame.f_code is code:
            sys.setprofile(None)
            act(returned)
            returned += 1
            sys.setprofile(see)

    sys.setprofile(see)
    try:
        yield
    finally:
        sys.setprofile(None)


FOUND = {None: execute.search.__code__, "color": index_answers.covered.__code__}
"""What has just found matches whose documents are not read yet, by the index that answers."""


@pytest.mark.parametrize("index", FOUND)
@pytest.mark.parametrize("change", ["patched", "deleted"])
def test_a_page_that_is_torn_once_is_found_again(
    cars: Collection[dict[str, Any]], index: str | None, change: str
) -> None:
    cars.indexes.create(GlobalIndex("color", include=["price"]))
    cars.indexes.catch_up()

    def write(returned: int) -> None:
        if returned == 0 and change == "patched":
            cars.patch("car-002", {"color": "blue"})
            cars.patch("car-003", {"price": 1_000})
        elif returned == 0:
            cars.delete_many(["car-002", "car-003"])

    with after_each(FOUND[index], write):
        found = cars.search(filter={"color": "red"}, sort="price", limit=4, index=index)
    assert [hit.key for hit in found.hits] == ["car-000", "car-001", "car-004", "car-005"]
    assert [hit.sort for hit in found.hits] == [hit.document["price"] for hit in found.hits]
    assert found.total == (39 if change == "patched" else 38)


@pytest.mark.parametrize("index", FOUND)
def test_a_page_that_is_torn_each_time_shows_documents_as_they_are(
    cars: Collection[dict[str, Any]], index: str | None
) -> None:
    cars.indexes.create(GlobalIndex("color", include=["price"]))
    cars.indexes.catch_up()
    seen: list[int] = []

    def write(returned: int) -> None:
        seen.append(returned)
        cars.patch("car-000", {"mileage": returned})

    with after_each(FOUND[index], write):
        found = cars.search(filter={"color": "red"}, sort="price", limit=2, index=index)
    assert seen == list(range(ATTEMPTS))
    assert found.hits[0].document["mileage"] == ATTEMPTS - 1


@pytest.mark.parametrize(("freshness", "limit"), [("any", 2), ("current", HITS_MAX + 1)])
def test_what_need_not_be_current_and_long_pages_are_found_once(
    cars: Collection[dict[str, Any]], freshness: Any, limit: int
) -> None:
    cars.refresh()
    seen: list[int] = []

    def write(returned: int) -> None:
        seen.append(returned)
        cars.patch("car-000", {"mileage": returned})

    with after_each(FOUND[None], write):
        found = cars.search(filter={"color": "red"}, sort="price", limit=limit, freshness=freshness)
    assert seen == [0]
    assert found.hits[0].document["mileage"] == 0
