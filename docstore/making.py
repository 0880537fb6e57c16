"""A collection's directory, held by the process that makes new shards in it for another one.

Such a process ends with its parent, but a moment later. Invariant: nobody removes, or makes anew,
what it makes before it has ended. The hold is the operating system's (flock), so it ends with the
process however that ends; that the parent lives is looked at after taking it, so whoever opens the
store after the parent's death either waits for the process or is met by one that does nothing.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docstore.files import usable
from indexing.errors import Unavailable

ENDS_SECONDS_MAX = 10.0
"""How long an opening waits for such a process; it looks for its parent ten times a second."""
_LOOK_SECONDS = 0.01


@contextmanager
def making(collection: Path) -> Iterator[None]:
    """Hold a collection's directory while shards are made in it."""
    with _opened(collection) as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextmanager
def nobody_making(collection: Path) -> Iterator[None]:
    """Wait until nobody makes shards any more, and keep it so; raises Unavailable after a while."""
    deadline = time.monotonic() + ENDS_SECONDS_MAX
    waiting = threading.Event()
    with _opened(collection) as handle:
        while not _is_alone(collection, handle):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"a process that made partitions of {collection.name!r} has not ended yet",
                    hint="its parent is gone and it ends by itself, unless it is stopped: "
                    "end `python -m docstore.moving_apart`, then open the store again",
                    retryable=True,
                    collection=collection.name,
                )
            waiting.wait(_LOOK_SECONDS)
        yield


def _is_alone(collection: Path, handle: int) -> bool:
    with usable(collection):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    with usable(directory):
        handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)
