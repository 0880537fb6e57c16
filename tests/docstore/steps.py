"""Every durable step of what the store does, seen from outside: where a test copies or interferes.

A step is one thing after which a killed process leaves other files: a committed LMDB transaction, a
replaced file, a directory made durable or removed.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, catalog, files, live_map
from docstore.map_changes import moving
from docstore.shards.environment import Environment


@contextmanager
def each_step(do: Callable[[], None]) -> Iterator[None]:
    """Call `do` before and after each durable step of the body, in the thread that makes it."""
    is_inside, thread = False, threading.get_ident()

    def around(made: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            nonlocal is_inside
            # A step of a step, of what the test does, or of a thread that goes on beside it.
            if is_inside or threading.get_ident() != thread:
                return made(*given, **named)
            is_inside = True
            try:
                do()
                answer = made(*given, **named)
                do()
                return answer
            finally:
                is_inside = False

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in ("write", "settle"):
            patch.setattr(Environment, name, around(vars(Environment)[name]))
        for module in (files, catalog, live_map, moving):
            for name in ("write_json", "sync_directory", "remove_directory"):
                if name in vars(module):
                    patch.setattr(module, name, around(vars(module)[name]))
        yield


@contextmanager
def each_write_step(things: Collection[Any], write: Callable[[int], None]) -> Iterator[None]:
    """Call `write` with the number of each step at which a writer would not have to wait."""
    step = 0

    def count() -> None:
        nonlocal step
        step += 1
        partitions = things.partitions
        doors = [partitions.shard(number)._group._door for number in partitions.numbers]
        if not any(door.locked() for door in doors):
            write(step)

    with each_step(count):
        yield


def copied(data: Path, copy: Path) -> None:
    """Copy a store's files as a killed process leaves them."""

    def gone(_: str, names: list[str]) -> list[str]:
        return [name for name in names if name.endswith("-lock") or name.startswith(".tantivy")]

    while True:
        try:
            shutil.copytree(data, copy, ignore=gone)
            return
        except shutil.Error:  # an index threw files away while it was copied
            shutil.rmtree(copy)


class Synced:
    """What was made durable, as it was then: the rest is lost when the power goes."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int, int, int]] = set()

    def note(self, handle: int) -> None:
        self._seen.add(_state(os.fstat(handle)))

    def lacks(self, path: Path) -> bool:
        """Whether a file, or the names in a directory, changed since, or never were."""
        return _state(path.stat()) not in self._seen


def _state(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def each_sync() -> Iterator[Synced]:
    """What the body makes durable; of what LMDB and Tantivy make so themselves nothing is seen."""
    synced, sync = Synced(), os.fsync

    def noted(handle: int) -> None:
        sync(handle)
        synced.note(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", noted)
        yield synced
