"""A recorded workload: what a store is asked for, written down as `advising.workload` reads it.

One JSON object per line: the operation, its collection, and of documents no more than their keys.
What is asked again soon is joined to one line with a `count`. Bounded: JOINED_MAX lines in memory,
`bytes_max` and LINES_MAX on disk; then nothing more is noted. A killed process loses the last
seconds. What a caller asked by an object that JSON cannot hold is only counted (`skipped`).
"""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from docstore import files, keys
from docstore.catalog import Definition
from indexing.errors import DocstoreError, InvalidRequest

BYTES_MAX = 64 * 1024 * 1024
LINES_MAX = 1_000_000
"""As many as one workload may have."""
JOINED_MAX = 8_192
"""Different operations in memory: some 2 MB. Most that is asked is asked again within so many."""
WRITE_SECONDS = 5.0
"""Between two looks at whether to write what is in memory."""


class Recorder:
    """Where a store's operations are noted, `into` a recording or, while there is none, nowhere."""

    __slots__ = ("into",)

    def __init__(self) -> None:
        self.into: Recording | None = None


class Recording:
    """Records while it is entered; safe to use from many threads. Made by `Store.record`.

    `operations` were noted, in `lines` of `bytes`; `is_full` says that a bound was reached, `error`
    that the file could not be written: then nothing more is noted.
    """

    def __init__(self, recorder: Recorder, path: Path, bytes_max: int) -> None:
        if type(bytes_max) is not int or bytes_max < 1:
            raise InvalidRequest(f"{bytes_max!r} bytes at most", hint="use a whole number from 1")
        self.path = path
        self.operations = self.lines = self.bytes = self.skipped = 0
        self.is_full = False
        self.error: DocstoreError | None = None
        self._recorder = recorder
        self._bytes_max = bytes_max
        self._noting = threading.Lock()
        self._joined: dict[bytes, int] = {}
        self._due = time.monotonic() + WRITE_SECONDS

    def __enter__(self) -> Self:
        """Begin; an old file of the name is replaced. Raises Unavailable, and InvalidRequest while
        something else records."""
        if self._recorder.into is not None:
            raise InvalidRequest(
                f"{self._recorder.into.path} is being recorded", hint="end that recording first"
            )
        with files.usable(self.path):
            self.path.write_bytes(b"")
        self._recorder.into = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is left. Raises Unavailable when not everything noted could be written."""
        self.close()
        if self.error is not None and error is None:
            raise self.error

    def close(self) -> None:
        """Note nothing more and write what is left; a store that is closed does this too."""
        if self._recorder.into is self:
            self._recorder.into = None
            with self._noting:
                self._write()

    def by_key(self, of: Definition, op: str, *encoded: bytes) -> None:
        """Note reads or writes of documents by encoded key: op is get, put or delete."""
        for each in encoded:
            self._note({"op": op, "collection": of.name, "key": keys.decode(of.key, each)})

    def asked(self, of: Definition, op: str, question: Mapping[str, Any]) -> None:
        """Note a search or a scan by what it was given; None is left out."""
        given = {name: value for name, value in question.items() if value is not None}
        self._note({"op": op, "collection": of.name, **given})

    def _note(self, operation: dict[str, Any]) -> None:
        try:
            line = orjson.dumps(operation, option=orjson.OPT_PASSTHROUGH_DATACLASS)
        except TypeError:
            self.skipped += 1
            return
        with self._noting:
            if self.is_full or self.error is not None:
                return
            self.operations += 1
            self._joined[line] = self._joined.get(line, 0) + 1
            if len(self._joined) >= JOINED_MAX or time.monotonic() >= self._due:
                self._write()

    def _write(self) -> None:
        self._due = time.monotonic() + WRITE_SECONDS
        written: list[bytes] = []
        for line, count in self._joined.items():
            shown = line if count == 1 else line[:-1] + b',"count":%d}' % count
            self.bytes += len(shown) + 1
            self.lines += 1
            if self.bytes > self._bytes_max or self.lines > LINES_MAX:
                self.bytes -= len(shown) + 1
                self.lines -= 1
                self.is_full = True
                break
            written.append(shown + b"\n")
        self._joined = {}
        try:
            with files.usable(self.path), self.path.open("ab") as file:
                file.writelines(written)
        except DocstoreError as error:
            self.error = error
