"""Fixtures of all tests: a store that is checked after every test that used it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from docstore import Store

ROOT = Path(__file__).parent.parent
LISTINGS = ROOT / "fixtures" / "cars.jsonl"

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the test's store, closing the one before; every invariant is checked at the end."""
    opened: list[Store] = []

    def open_again() -> Store:
        while opened:
            opened.pop().close()
        opened.append(Store.open(tmp_path / "data"))
        return opened[-1]

    yield open_again
    if opened:
        violations = list(opened[-1].check())
        opened[-1].close()
        assert violations == []


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """An empty store."""
    return open_store()
