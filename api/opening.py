"""Opening the store a command names, the way the command needs it.

Only `load` makes a store; every other command wants one that is there. A search opens for writing
when it can, so that it can index the last writes itself, and reads beside the writing process when
it cannot. Reads by key need no index, so they never take the lock from anyone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docstore import NotFound, Store, Unavailable

STORE_FILE = "store.json"


@contextmanager
def searching(data: Path) -> Iterator[Store]:
    """The store, able to bring its indexes up to date, or read-only where another process writes.

    Raises NotFound when there is no store.
    """
    _must_exist(data)
    try:
        store = Store.open(data)
    except Unavailable:
        store = Store.open(data, read_only=True)
    with store:
        yield store


@contextmanager
def reading(data: Path) -> Iterator[Store]:
    """The store for reads by key; raises NotFound when there is none."""
    _must_exist(data)
    with Store.open(data, read_only=True) as store:
        yield store


@contextmanager
def writing(data: Path) -> Iterator[Store]:
    """The store for writing; raises NotFound when there is none, Unavailable when it is held."""
    _must_exist(data)
    with Store.open(data) as store:
        yield store


def _must_exist(data: Path) -> None:
    try:
        exists = (data.expanduser() / STORE_FILE).exists()
    except OSError as error:
        raise Unavailable(
            f"{data}: {error.strerror or error}", hint="check the path and its permissions"
        ) from error
    if not exists:
        raise NotFound(
            f"there is no store in {data}",
            hint=f"make one: docstore load {data} COLLECTION FILE.jsonl",
        )
