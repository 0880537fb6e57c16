"""One process writes a store: a lock file that names its holder.

The lock is the operating system's (flock), so it ends with the process however that ends; what the
file says is for people. Absent on purpose: waiting. Who finds the store held decides what to do.
"""

import fcntl
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson

from docstore.files import usable
from indexing.errors import Unavailable

LOCK_FILE = "LOCK"


class WriterLock:
    """The right to write a store, held until `release`."""

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK_FILE
        with usable(path):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with usable(path):
                self._take(directory)
        except BaseException:
            os.close(self._handle)
            raise

    def _take(self, directory: Path) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _held(os.read(self._handle, 4096), directory) from error
        about = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "program": " ".join(sys.argv)[:200],
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, orjson.dumps(about), 0)

    def forget(self) -> None:
        """Leave the lock to the parent, in a forked child."""
        os.close(self._handle)

    def release(self) -> None:
        """Let another process write."""
        os.ftruncate(self._handle, 0)
        os.close(self._handle)


def _held(holder: bytes, directory: Path) -> Unavailable:
    try:
        about = orjson.loads(holder)
        who = f"process {about['pid']} on {about['host']} ({about['program']})"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        about, who = {}, "another process"
    return Unavailable(
        f"{directory} is open for writing by {who}",
        hint="close it there, or open with read_only=True",
        retryable=True,
        holder=about,
    )
