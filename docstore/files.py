"""Small files that are replaced as a whole, and directories that appear or vanish as a whole.

Invariant: after a crash a file holds the old content or the new, a directory exists or does not.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from indexing.errors import Corruption, DocstoreError, Unavailable

_LEFTOVER = ".leftover-"
_BLOCK = 512
"""What `stat` counts in, whatever a file system's blocks are."""
_NOT_OFFERED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
Identity = tuple[int, int]
"""A file's device and number there."""


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into Unavailable, naming the file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise too_many_files() from error
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable(
            f"{path}: {error.strerror or error}",
            hint="free some space and try again"
            if full
            else "check that the directory exists, is a directory, and may be read and written",
            retryable=full,
        ) from error


def too_many_files() -> Unavailable:
    """What to say when this process, or the machine, has no file left to open."""
    return Unavailable(
        "this process may not open more files",
        hint="raise its limit (ulimit -n): a partition needs about four",
        retryable=True,
    )


def identity(path: Path) -> Identity | None:
    """What tells a file from one that replaces it under its name; None for none to be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def reserve(path: Path, size: int) -> None:
    """See that a file's first bytes have their place on the disk, making it; raises OSError.

    What is written to a file through memory and finds no room ends the process. Where a system or
    its disk cannot promise the place, nothing is done.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with suppress(FileNotFoundError):
        if path.stat().st_blocks * _BLOCK >= size:
            return
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(path: Path) -> None:
    """Make a directory, and those above it, durably; one that exists stays as it is."""
    with usable(path):
        made = [each for each in (path, *path.parents) if not each.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for each in made:
            sync_directory(each.parent)


def sync_content(path: Path) -> None:
    """Make all that is in a directory durable; nobody may have a file there open."""
    with usable(path):
        for directory, _, names in os.walk(path, topdown=False):
            for each in (*names, "."):
                _sync(Path(directory, each))


def write_json(path: Path, value: Any) -> None:
    """Replace a file by a JSON value, durably."""
    temporary = path.with_name(f"{_LEFTOVER}{uuid.uuid4().hex}")
    with usable(path):
        with temporary.open("wb") as file:
            file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)


def read_json(path: Path) -> Any:
    """A JSON file's value; raises Unavailable or Corruption."""
    with usable(path):
        data = path.read_bytes()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Corruption(
            f"{path.name} is not JSON: {error}", hint="restore the file from a copy"
        ) from error


def check_format(path: Path, form: Any, known: int) -> None:
    """Refuse a file that a newer version wrote."""
    found = form.get("format") if isinstance(form, dict) else None
    if not isinstance(found, int):
        raise Corruption(f"{path.name} has no format number", hint="restore the file from a copy")
    if found > known:
        raise Corruption(
            f"{path.name} has format {found}; this version knows up to {known}",
            hint="upgrade docstore to open this store",
            format=found,
        )


@contextmanager
def new_directory(path: Path, taken: DocstoreError) -> Iterator[Path]:
    """A directory that appears under its name only when the body has succeeded.

    Raises `taken` when somebody else was faster, and leaves theirs alone.
    """
    temporary = path.with_name(f"{_LEFTOVER}{uuid.uuid4().hex}")
    with usable(path):
        temporary.mkdir()
        try:
            yield temporary
            try:
                temporary.rename(path)
            except OSError as error:
                if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                    raise taken from error
                raise
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_directory(path.parent)


def remove_directory(path: Path) -> None:
    """Remove a directory: it is gone under its name before its content is."""
    doomed = path.with_name(f"{_LEFTOVER}{uuid.uuid4().hex}")
    with usable(path):
        path.rename(doomed)
        sync_directory(path.parent)
        shutil.rmtree(doomed, ignore_errors=True)


def rename_directory(path: Path, to: Path) -> None:
    """Give a directory another name, durably."""
    with usable(path):
        path.rename(to)
        sync_directory(to.parent)


def bytes_in(directory: Path) -> int:
    """The bytes of a directory's files, but for those that go while they are counted."""
    total = 0
    with suppress(FileNotFoundError):
        for path in directory.iterdir():
            with suppress(FileNotFoundError):
                total += path.stat().st_size
    return total


def remove_leftovers(directory: Path) -> None:
    """Remove what a crash left half made or half removed."""
    for path in directory.glob(f"{_LEFTOVER}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with usable(path):
                path.unlink(missing_ok=True)
