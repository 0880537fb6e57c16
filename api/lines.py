"""The lines of the files of a load: plain or gzip, or standard input, each with its place.

Memory is bounded by LINE_BYTES_MAX: of a longer line only the beginning is kept, and `is_cut` says
so. Deliberately absent: JSON, and any knowledge of where a load stopped.
"""

import gzip
import hashlib
import io
import os
import stat
import sys
import time
import uuid
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from docstore import InvalidRequest, NotFound, Unavailable

STDIN = "-"
CHUNK_BYTES = 1024 * 1024
LINE_BYTES_MAX = 64 * 1024 * 1024
"""Four times the largest document: room for the spaces and escapes that JSON allows."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to load. `identity` is None when it cannot be read again (a pipe).

    `bytes_total` is its size on disk, compressed if it is; 0 when unknown. `key_seed` tells its
    generated keys from those of other files.
    """

    name: str
    path: Path | None
    identity: str | None
    bytes_total: int
    modified_ms: int
    key_seed: bytes

    def key_of(self, line: int) -> str:
        """The key generated for a line's document: a function of the file and the line.

        So a line that is loaded again, because a load was killed before it noted how far it had
        come, replaces its document instead of adding a second. It has the form of a UUIDv7 (RFC
        9562): 48 bits of milliseconds (the file's time), then 38 bits of line number, then 36 bits
        of the file's identity.
        """
        file_bits = int.from_bytes(self.key_seed[:5]) >> 4
        rest = (line & ((1 << 38) - 1)) << 36 | file_bits
        number = (self.modified_ms & ((1 << 48) - 1)) << 80
        number |= 0x7 << 76 | (rest >> 62) << 64 | 0x2 << 62 | rest & ((1 << 62) - 1)
        return str(uuid.UUID(int=number))


class Line(NamedTuple):
    """One line without its end, and where it stands; the first line is number 1."""

    source: Source
    number: int
    data: bytes
    is_cut: bool = False


def source_of(file: str) -> Source:
    """Look at a file; raises NotFound, Unavailable, InvalidRequest for a directory."""
    if file == STDIN:
        fresh = uuid.uuid4().bytes
        return Source("standard input", None, None, 0, _now_ms(), fresh)
    path = Path(file).expanduser()
    try:
        about = path.stat()
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}", hint="check the path") from error
    except OSError as error:
        raise _unreadable(file, error) from error
    if stat.S_ISDIR(about.st_mode):
        raise InvalidRequest(f"{file} is a directory", hint=f"name its files: {file}/*.jsonl")
    if not stat.S_ISREG(about.st_mode):
        return Source(file, path, None, 0, _now_ms(), uuid.uuid4().bytes)
    absolute = os.fsencode(path.resolve()).decode("utf-8", "backslashreplace")
    identity = f"{absolute} {about.st_size} {about.st_mtime_ns}"
    seed = hashlib.sha256(identity.encode()).digest()
    return Source(file, path, identity, about.st_size, about.st_mtime_ns // 1_000_000, seed)


class Reader:
    """Reads sources one after the other and knows how many bytes of them it has taken."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources
        self._finished_bytes = 0
        self._raw: io.BufferedReader | None = None

    @property
    def bytes_total(self) -> int:
        """Bytes of all sources on disk; 0 when any is unknown."""
        sizes = [source.bytes_total for source in self._sources]
        return sum(sizes) if all(source.identity for source in self._sources) else 0

    @property
    def bytes_read(self) -> int:
        """Bytes taken so far, compressed where the file is."""
        return self._finished_bytes + (self._raw.tell() if self._raw is not None else 0)

    def lines(self, done: dict[str, int]) -> Generator[Line, None, None]:
        """The lines that are not blank, without the first `done[identity]` lines of each source.

        Raises Unavailable when a file cannot be read, InvalidRequest when its gzip is damaged.
        """
        for source in self._sources:
            skip = done.get(source.identity, 0) if source.identity else 0
            number = 0
            try:
                with self._opened(source) as stream:
                    for data, is_cut in split_lines(stream):
                        number += 1
                        if number > skip and (is_cut or data.strip()):
                            yield Line(source, number, data, is_cut)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise InvalidRequest(
                    f"{source.name} is not whole gzip after line {number}: {error}",
                    hint="copy or compress the file again; what came before is loaded",
                    file=source.name,
                    line=number,
                ) from error
            except OSError as error:
                raise _unreadable(source.name, error) from error
            self._finished_bytes += source.bytes_total

    @contextmanager
    def _opened(self, source: Source) -> Iterator[io.BufferedIOBase]:
        raw: io.BufferedReader
        if source.path is None:
            raw = io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer), CHUNK_BYTES)
        else:
            raw = io.BufferedReader(io.FileIO(source.path), CHUNK_BYTES)
        try:
            if source.identity:
                self._raw = raw
            if raw.peek(2)[:2] == _GZIP_MAGIC:
                yield gzip.GzipFile(fileobj=cast(BinaryIO, raw))
            else:
                yield raw
        finally:
            self._raw = None
            if source.path is None:
                raw.detach()  # standard input is not ours to close
            else:
                raw.close()


def split_lines(
    stream: io.BufferedIOBase, chunk_bytes: int = CHUNK_BYTES, line_bytes_max: int = LINE_BYTES_MAX
) -> Iterator[tuple[bytes, bool]]:
    """The lines of a stream without `\\n`, each with whether it was cut at `line_bytes_max`.

    A byte order mark at the beginning is dropped; a last line needs no end. Reads what is there
    (`read1`), so lines of a live stream come as they are written.
    """
    held: list[bytes] = []
    held_bytes = 0
    is_cut = False
    is_first = True
    while chunk := stream.read1(chunk_bytes):
        if is_first:
            chunk, is_first = chunk.removeprefix(_BYTE_ORDER_MARK), False
        first, *others = chunk.split(b"\n")
        if held_bytes + len(first) > line_bytes_max:
            first, is_cut = first[: line_bytes_max - held_bytes], True
        held.append(first)
        held_bytes += len(first)
        if others:
            yield b"".join(held), is_cut
            *whole, last = others
            for line in whole:
                yield line, False
            held, held_bytes, is_cut = [last], len(last), False
    if held_bytes or is_cut:
        yield b"".join(held), is_cut


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unreadable(name: str, error: OSError) -> Unavailable:
    return Unavailable(
        f"{name}: {error.strerror or error}", hint="check that the file may be read", file=name
    )
