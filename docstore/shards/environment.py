"""One LMDB environment: the only file that imports LMDB, whose own types others are checked by.

Invariants: a write transaction is durable when `write` returns, or it did not happen; the map grows
by itself, so a full map is never an error; growing waits until no transaction of this process is
open, because LMDB moves the map. Reads are short for that reason: nothing keeps a read open while
it waits for something else. Pages are followed (`page_tree`) before LMDB reads them where that is
cheap or asked for: on a page that it does not expect LMDB may end the process.
"""

import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import lmdb
import numpy as np

from docstore.files import reserve, too_many_files
from docstore.forks import INHERITED, forget_in_children
from docstore.shards.page_tree import DamagedPage, Pages, states
from indexing.errors import Closed, Corruption, DocstoreError, Unavailable

T = TypeVar("T")

TABLES = ("documents", "log", "meta", "operations")
"""The tables of a shard. On disk: their names never change."""
MAP_BYTES_FIRST = 16 * 1024 * 1024
"""Small, so that many shards cost little; it doubles whenever it is full."""
FOLLOWED_MAX = 4096
"""Pages of a table (16 MB) that are followed when a file is opened, which takes up to 10 ms."""
_ATTEMPTS = 1000
"""Looks for a state of a file that is written meanwhile, each a fraction of a millisecond."""
READERS_MAX = 1024
"""Reader slots: threads of all processes that read one shard at the same moment."""
_LOCK_BYTES = 64 * (READERS_MAX + 2)
"""LMDB writes to its lock file through memory: 64 bytes for each reader, and as many for itself."""

Transaction: TypeAlias = "lmdb.Transaction[bytes]"
"""LMDB's transaction: `get`, `put`, `delete` and `cursor`, each with `db=environment.tables[…]`."""
Cursor: TypeAlias = "lmdb.Cursor[bytes]"
"""A place in a table, while its transaction is open."""
Table: TypeAlias = "lmdb._Database"  # noqa: SLF001  it has no other name
"""A table of an open environment."""


class _Gate:
    """Lets many transactions in, or one growth of the map alone.

    Who enters is counted first and looks for the shut gate after; who shuts it looks at the count
    after. So one of the two sees the other, and an open gate costs no lock: to append to a list and
    to pop from it are indivisible.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: list[None] = []
        self._shut = False

    def enter(self) -> None:
        self._inside.append(None)
        if self._shut:
            self.leave()
            self._enter_later()

    def _enter_later(self) -> None:
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside.append(None)

    def leave(self) -> None:
        self._inside.pop()
        if self._shut:
            with self._changed:
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._shut = True
            while self._inside:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()


class Environment:
    """An open environment. `tables` maps the name of each table to its handle.

    Threads may share it. `write` serialises writers; reads never wait for writers. One that is a
    `draft` is not durable, and many times faster to fill, until `settle`.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        tables: Sequence[str] = TABLES,
        draft: bool = False,
        followed_max: int | None = FOLLOWED_MAX,
        holds: str = "",
        remedy: str = "restore the shard's directory from a copy",
    ) -> None:
        """`holds` says in errors what the file is, a shard's documents unless given; `remedy` what
        helps when it is damaged. Tables of up to `followed_max` pages (None: all) are followed."""
        self.path = path
        self._holds = holds or f"the documents of shard {path.parent.name}"
        self._remedy = remedy
        self._read_only = read_only
        self._gate = _Gate()
        self._closed_because = ""
        self.tables: dict[str, Table] = {}
        with self._translated():
            size = path.stat().st_size if path.exists() else 0
        with self._translated():
            if size:
                states(self._bytes())
            self._env = self._opened(len(tables), size, draft=draft)
            try:
                if size:
                    self.follow(followed_max)
                self._open_tables(tables)
            except BaseException:
                self._env.close()
                raise
        forget_in_children(self)

    def _opened(self, tables: int, size: int, *, draft: bool) -> lmdb.Environment:
        if not self._read_only:
            reserve(self.path.with_name(f"{self.path.name}-lock"), _LOCK_BYTES)
        return lmdb.open(
            str(self.path),
            subdir=False,
            map_size=max(MAP_BYTES_FIRST, size),
            max_dbs=tables,
            max_readers=READERS_MAX,
            readonly=self._read_only,
            create=not self._read_only,
            sync=not draft,
        )

    def _open_tables(self, tables: Sequence[str]) -> None:
        create = not self._read_only
        opened: dict[str, Table] = {}
        while len(opened) < len(tables):
            name = tables[len(opened)]
            try:
                opened[name] = self._env.open_db(name.encode(), create=create)
            except lmdb.MapResizedError:
                self._env.set_mapsize(0)  # another process grew the map just now
        # The same object always: who reads a table keeps hold of it.
        self.tables.update(opened)

    def _check_open(self) -> None:
        """Whoever is inside the gate, or alone, may rely on it until it leaves."""
        if self._closed_because:
            raise Closed(self._closed_because, hint="open it again")

    def _bytes(self) -> "np.memmap[Any, np.dtype[np.uint8]]":
        return np.memmap(self.path, np.uint8, "r")

    def follow(self, pages_max: int | None = None) -> None:
        """Follow the pages of all tables, or of those of so many; raises Corruption, Unavailable.

        Reads them all, 40 ms for 100 MB in memory, and keeps a read open meanwhile: where a write
        finds the map full then, everybody else waits with it until this is done.
        """
        for _ in range(_ATTEMPTS):
            with self._translated():
                heads = self._bytes()
                with self.read() as transaction:
                    known = {each.transaction: each for each in states(heads)}
                    state = known.get(transaction.id())
                    if state is not None:
                        # All that it holds is in the file, and not written over meanwhile.
                        Pages(self._bytes(), state).check(pages_max)
            if state is not None or not known:
                return
            # Two writes were faster than these lines.
        raise Unavailable(
            f"{self._holds} cannot be looked at: each state is gone before it is read",
            hint="ask again; if this stays, close every process that has the store open",
            retryable=True,
        )

    def settle(self) -> None:
        """Make a draft durable, and every write from now on."""
        with self._gate.alone(), self._translated():
            self._check_open()
            size = self._env.info()["map_size"]
            self._env.sync(True)
            self._env.close()
            self._env = self._opened(len(self.tables), size, draft=False)
            self._open_tables(tuple(self.tables))

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent read transaction; keep it short."""
        transaction = self._begin()
        try:
            yield transaction
        except lmdb.Error as error:
            raise self._ours(error) from error
        finally:
            transaction.abort()
            self._gate.leave()

    def get(self, table: str, key: bytes) -> bytes | None:
        """One value."""
        transaction = self._begin()
        try:
            return transaction.get(key, db=self.tables[table])
        except lmdb.Error as error:
            raise self._ours(error) from error
        finally:
            transaction.abort()
            self._gate.leave()

    def _begin(self) -> Transaction:
        while True:
            self._gate.enter()
            try:
                self._check_open()
                return self._env.begin()
            except lmdb.MapResizedError:
                # Another process grew the map; adopt its size once nobody here reads.
                self._gate.leave()
                with self._gate.alone(), self._translated():
                    self._check_open()
                    self._env.set_mapsize(0)
            except lmdb.Error as error:
                self._gate.leave()
                raise self._ours(error) from error
            except BaseException:
                self._gate.leave()
                raise

    def write(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` in a write transaction and make it durable; returns what `body` returns.

        `body` may run again when the map was full, so it must change nothing but the transaction.
        Raises Unavailable when the disk is full; nothing of the transaction is kept then.
        """
        while True:
            self._gate.enter()
            try:
                self._check_open()
                with self._translated(), self._env.begin(write=True) as transaction:
                    return body(transaction)
            except (_MapFull, _MapMoved) as signal:
                grow = isinstance(signal, _MapFull)
            finally:
                self._gate.leave()
            with self._gate.alone(), self._translated():
                self._check_open()
                # For a reader that was killed LMDB keeps every page that was let go of since.
                if not grow or not self._env.reader_check():
                    self._env.set_mapsize(self._env.info()["map_size"] * 2 if grow else 0)

    def entries(self, transaction: Transaction, table: str) -> int:
        """How many keys a table holds."""
        return transaction.stat(self.tables[table])["entries"]

    def bytes_of(self, transaction: Transaction, table: str) -> int:
        """The bytes of the pages that a table fills."""
        stat = transaction.stat(self.tables[table])
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return pages * stat["psize"]

    def bytes_used(self) -> int:
        """The bytes of the file that hold something; raises Closed."""
        self._gate.enter()
        try:
            self._check_open()
            info, stat = self._env.info(), self._env.stat()
        finally:
            self._gate.leave()
        return (info["last_pgno"] + 1) * stat["psize"]

    def close(self) -> None:
        """Close; later calls raise Closed."""
        with self._gate.alone():
            if not self._closed_because:
                self._closed_because = "the store is closed"
                self._env.close()

    def forget(self) -> None:
        """Be closed in a forked child, where nobody else is inside."""
        self._gate = _Gate()
        self._closed_because = INHERITED

    def _damage(self, message: str, page: int | None = None) -> Corruption:
        about = {} if page is None else {"page": page}
        return Corruption(message, hint=self._remedy, file=self.path.name, **about)

    def _ours(self, error: lmdb.Error) -> Exception:
        text = str(error)
        if isinstance(error, lmdb.MapFullError):
            return _MapFull()
        if isinstance(error, lmdb.MapResizedError):
            return _MapMoved()
        if "already open in this process" in text:
            return Unavailable(
                f"this process has {self._holds} open already",
                hint="use the store that is open, or close it first; a process forked while it was "
                "open cannot open it, one that is spawned can",
            )
        if "Too many open files" in text or "Resource temporarily unavailable" in text:
            return too_many_files()
        if any(sign in text for sign in _NO_ROOM):
            return Unavailable(
                f"the write was not made, the disk seems full or fails: {text}",
                hint="free some space, or where there is some look after the disk, and write "
                "again; everything acknowledged is safe",
                retryable=True,
            )
        if isinstance(error, lmdb.ReadersFullError):
            return Unavailable(
                f"more than {READERS_MAX} threads read one shard at once",
                hint="read from fewer threads",
                retryable=True,
            )
        if "Permission denied" in text or "Read-only file system" in text:
            return Unavailable(
                f"no permission for {self.path.name} of {self.path.parent.parent.parent.name}",
                hint="give this user read and write permission on the store's directory",
            )
        if "No such file" in text:
            return self._damage(f"the file of {self._holds} is missing")
        return self._damage(f"{self._holds} cannot be read: {text}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn LMDB's errors into ours."""
        try:
            yield
        except DocstoreError:
            raise
        except DamagedPage as error:
            raise self._damage(f"{self._holds} cannot be read: {error}", error.number) from error
        except lmdb.Error as error:
            raise self._ours(error) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise Unavailable(
                    "the disk is full", hint="free some space and try again", retryable=True
                ) from error
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise too_many_files() from error
            raise Unavailable(
                f"the store's files cannot be used: {error.strerror}",
                hint="check the permissions of the store's directory",
            ) from error


_NO_ROOM = ("No space left", "Disk quota", "File too large", "Input/output error")
"""How LMDB says that a write did not fit; a write that fits in part is an input/output error."""


class _MapFull(Exception):
    """The map must grow before this write can happen."""


class _MapMoved(Exception):
    """Another process grew the map."""
