"""Bytes on their way from a producer that must not wait to a reader that may be slow.

What is not read yet waits in memory up to MEMORY_BYTES, and beyond on disk. That is what keeps a
client that sends its whole body before it reads a byte of the answer from locking both sides up.
"""

import asyncio
import tempfile

MEMORY_BYTES = 1024 * 1024
_READ_BYTES = 64 * 1024


class Spool:
    """One producer, one reader, on one event loop."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115  closed by close
        self._read = self._written = 0
        self._changed = asyncio.Event()
        self._is_ended = False

    def write(self, data: bytes) -> None:
        """Add bytes; never waits for the reader."""
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)
        self._changed.set()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._is_ended = True
        self._changed.set()

    async def read(self) -> bytes:
        """Some bytes as soon as there are any; none when the producer has ended."""
        while self._read == self._written:
            if self._is_ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        self._file.seek(self._read)
        data = self._file.read(_READ_BYTES)
        self._read += len(data)
        if self._read == self._written:
            self._file.seek(0)
            self._file.truncate()
            self._read = self._written = 0
        return data

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
