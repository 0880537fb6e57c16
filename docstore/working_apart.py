"""What processes that work for this one have in common: how they start, what they hold, their end.

Such a process runs this package's code on the files of a store that its parent has open, so that it
needs no turn at the parent's interpreter. It ends with its parent, but a moment later. Invariant:
nobody removes, or makes anew, what it works in before it has ended. The hold is the operating
system's (flock), so it ends with the process however that ends; that the parent lives is looked at
after taking it, so whoever opens the store after the parent's death either waits for the process or
is met by one that does nothing.

Deliberately absent: `multiprocessing`, which would run the caller's program again.
"""

import fcntl
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from docstore.files import usable
from indexing.errors import Unavailable

ENDS_SECONDS_MAX = 10.0
"""How long an opening waits for such a process; it looks for its parent ten times a second."""
_HELD_LOOK_SECONDS = 0.01
LOOK_SECONDS = 0.1


def started(
    module: str, *arguments: str, asked: int, answers: int, nice: int
) -> subprocess.Popen[bytes] | None:
    """A process that runs a module of ours with some arguments and this process's number.

    `asked` and `answers` are its input and output, as for Popen. None where none can be started,
    also in a program with an interpreter inside, which would start itself.
    """
    if getattr(sys, "frozen", False) or not Path(sys.executable or "").name.startswith("python"):
        return None
    command = [sys.executable, "-P", "-m", module, *arguments, str(os.getpid())]
    try:
        process = subprocess.Popen(  # noqa: S603  this interpreter, a module of ours
            command,
            stdin=asked,
            stdout=answers,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_paths())},
        )
    except (OSError, ValueError):  # ValueError: a path that no program can be told of
        return None
    # From its first moment: to start an interpreter takes a core for a second.
    with suppress(OSError):  # it has ended
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    return process


def _import_paths() -> list[str]:
    # Programs put other things than strings there too, which importing passes over.
    paths = [each for each in sys.path if each and isinstance(each, str)]
    # Of `python -c`, the current directory is not among them, and both must run the same code.
    home = str(Path(__file__).parents[1])
    return paths if home in paths else [home, *paths]


def is_heard(said: IO[bytes] | socket.socket | int, seconds: float) -> bool:
    """Whether there is something to read, or the end, within so long; of any file's number.

    `select` refuses numbers from 1024 on, which a program with many shards open reaches.
    """
    looking = select.poll()
    looking.register(said, select.POLLIN)
    return bool(looking.poll(seconds * 1000))


def end_with_parent(parent: int, asked: IO[bytes] | None = None) -> None:
    """End this process when its parent is no more, or closes the input, if that is given.

    A fork of the parent may keep the input open. Returns at once; another thread looks.
    """
    threading.Thread(target=_end_with_parent, args=(parent, asked), daemon=True).start()


def _end_with_parent(parent: int, asked: IO[bytes] | None) -> None:
    while os.getppid() == parent:
        if asked is None:
            time.sleep(LOOK_SECONDS)
        elif is_heard(asked, LOOK_SECONDS):
            break
    os._exit(1)


@contextmanager
def working(directory: Path) -> Iterator[None]:
    """Hold a directory while something in it is made or changed for another process."""
    with _opened(directory) as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextmanager
def nobody_working(directory: Path, module: str) -> Iterator[None]:
    """Wait until no process works there any more, and keep it so; raises Unavailable after a while.

    Their parents are gone, or have nothing to do there now. `module` is what they run.
    """
    deadline = time.monotonic() + ENDS_SECONDS_MAX
    with _opened(directory) as handle:
        while not _is_alone(directory, handle):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"a process that wrote in {directory.name!r} for another has not ended yet",
                    hint="its parent is gone and it ends by itself, unless it is stopped: "
                    f"end `python -m {module}`, then open the store again",
                    retryable=True,
                    directory=directory.name,
                )
            time.sleep(_HELD_LOOK_SECONDS)
        yield


def _is_alone(directory: Path, handle: int) -> bool:
    with usable(directory):
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
