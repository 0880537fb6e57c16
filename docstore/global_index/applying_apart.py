"""Changes of index partitions are written to their files by a process of its own.

Such a write asks LMDB several times for each document, and each time gives the interpreter up and
waits for another turn: beside busy writers that takes seconds, and they wait as often. The process
has an interpreter of its own; here a write costs what it takes to send it. The process is started
when there is first much to write, and ends with its parent, or when it has had nothing to do for
long. What it is not asked, or does not do for whatever reason, the caller writes: to apply a change
again changes nothing.

A request is some frames, an answer one byte; the first byte tells that it has started. Frames are a
u32 length, little endian, and a value of `marshal`, which reads and writes a document's postings in
0.2 µs: both ends are one installation.
"""

import marshal
import os
import socket
import struct
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from docstore.files import Identity
from docstore.global_index.index_partition import IndexPartition
from docstore.global_index.partition_changes import Changes, Checkpoint
from docstore.global_index.postings import SHARED, Sharing, sharing
from docstore.working_apart import end_with_parent, is_heard, started, working
from indexing.errors import DocstoreError

FIRST_DOCUMENTS_MIN = 2000
"""What is worth starting an interpreter for, which takes a core for half a second."""
DOCUMENTS_MIN = 100
"""What is worth asking it once it runs."""
IDLE_SECONDS = 30.0
ANSWER_SECONDS_MAX = 60.0
"""For which it is waited; then it is ended, and what it was asked is done here."""
_FRAME_DOCUMENTS = 1000
"""Sent at once: a millisecond for which nobody else has the interpreter."""
_NICE = 5
"""Writers and searches go before it, but it must follow them: a third of a core if two are busy."""
_LENGTH = struct.Struct("<I")
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
"""Where a program has it so, SIGPIPE would end it when the other process has ended."""
_READY, _DONE, _NOT_DONE = b"\x05", b"\x06", b"\x15"  # nothing that is printed


class Applier:
    """One process for all indexes of a store. Safe to use from many threads, which take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._other: _Other | None = None
        self._is_useless = False

    def apply(
        self,
        directory: Path,
        only: Identity,
        changes: Changes,
        checkpoints: Mapping[int, Checkpoint],
    ) -> bool:
        """Have a partition's changes and checkpoints written, durably; whether that is done.

        `only` into the file that is open here: one that was deleted under this store, or replaced,
        would be made anew there, and hold nothing else. Nobody else may change it meanwhile.
        """
        if len(changes) < (FIRST_DOCUMENTS_MIN if self._other is None else DOCUMENTS_MIN):
            return False
        with self._turn:
            if self._is_useless:
                return False
            try:
                self._other = self._other or _Other()
                request = str(directory), only, {n: tuple(at) for n, at in checkpoints.items()}
                return self._other.is_ready and self._other.apply(request, changes)
            except (OSError, ValueError, struct.error, MemoryError):
                # It has ended, does not answer, or cannot be sent so much. One that ran ended for
                # want of work, or was killed: the next may do better.
                self._is_useless = self._other is None or not self._other.was_ready
                self._end()
                return False
            except BaseException:  # as at Ctrl-C: its next answer would be of this request
                self._end()
                raise

    def _end(self) -> None:
        if self._other is not None:
            self._other.end()
            self._other = None

    def close(self) -> None:
        """End the process; nothing is asked of it any more."""
        with self._turn:
            self._is_useless = True
            self._end()


class _Other:
    """The process, seen from here. One that has ended, or does not answer, is an OSError."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(ANSWER_SECONDS_MAX)
        with theirs:
            its = theirs.fileno()
            process = started(__name__, asked=its, answers=its, nice=_NICE)
        if process is None:
            self._socket.close()
            raise ChildProcessError("no other interpreter can be started")
        self._process = process
        # One that ends for want of work would stay in the system's table until it is asked for.
        name = f"docstore-child-{process.pid}"
        threading.Thread(target=_await_end, args=(process.pid,), name=name, daemon=True).start()
        self.was_ready = False

    @property
    def is_ready(self) -> bool:
        """Whether it has started, for which nobody waits."""
        if not self.was_ready and is_heard(self._socket, 0):
            if self._answer() != _READY:
                raise ChildProcessError("what starts with every interpreter here writes to answers")
            self.was_ready = True
        return self.was_ready

    def apply(self, request: tuple[Any, ...], changes: Changes) -> bool:
        self._send((*request, -(-len(changes) // _FRAME_DOCUMENTS)))
        left = iter(changes.items())
        while some := dict(islice(left, _FRAME_DOCUMENTS)):
            # What postings share is an attribute of theirs, of which `marshal` knows nothing.
            shared = {
                key: row.shared
                for key, rows in some.items()
                for row in rows.values()
                if isinstance(row, Sharing)
            }
            self._send((some, shared))
        return self._answer() == _DONE

    def _answer(self) -> bytes:
        answer = self._socket.recv(1)
        if not answer:
            raise ConnectionResetError
        return answer

    def _send(self, value: Any) -> None:
        frame = marshal.dumps(value)
        self._socket.sendall(_LENGTH.pack(len(frame)) + frame, _NO_SIGNAL)

    def end(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()


def _await_end(process: int) -> None:
    with suppress(ChildProcessError):  # who ended it was first
        os.waitpid(process, 0)


def serve(parent: int, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Do what a process asks, until it closes the input or asks for nothing for long."""
    _say(answers, _READY)
    while is_heard(requests, IDLE_SECONDS):
        request = _received(requests)
        if request is None:
            return
        directory, only, moved, frames = request
        changes: dict[bytes, dict[bytes, bytes]] = {}
        for _ in range(frames):
            some, shared = _received(requests)
            changes |= some
            for key, its in shared.items():
                rows = some[key].items()
                changes[key] = {t: sharing(row, its) if row[0] & SHARED else row for t, row in rows}
        checkpoints = {number: Checkpoint(*each) for number, each in moved.items()}
        is_done = _applied(parent, Path(directory), only, changes, checkpoints)
        _say(answers, _DONE if is_done else _NOT_DONE)


def _say(answers: IO[bytes], answer: bytes) -> None:
    answers.write(answer)
    answers.flush()


def _received(requests: IO[bytes]) -> Any:
    """The next frame's value; None at the end of the input."""
    length = requests.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    return marshal.loads(requests.read(*_LENGTH.unpack(length)))  # noqa: S302  from our parent


def _applied(
    parent: int,
    directory: Path,
    only: Identity,
    changes: Changes,
    checkpoints: Mapping[int, Checkpoint],
) -> bool:
    with suppress(DocstoreError), working(directory.parents[1]):
        if os.getppid() == parent:  # else somebody else may have opened the store
            partition = IndexPartition(directory, read_only=False, only=only)
            try:
                partition.apply(changes, checkpoints)
            finally:
                partition.close()
            return True
    return False


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    serve(int(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
