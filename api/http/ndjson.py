"""Lines of a body as it comes, in bounded memory: pure, fed by chunks.

Of a line that is longer than allowed nothing is kept, and it is passed on as None.
"""

from typing import NamedTuple


class Line(NamedTuple):
    """One line without its end; the first is number 1. `data` is None when it was too long."""

    number: int
    data: bytes | None


class Lines:
    """Cuts chunks into lines; blank lines count and are left out."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._number = 0
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def number(self) -> int:
        """The number of the last whole line."""
        return self._number

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that a chunk completes."""
        first, *rest = chunk.split(b"\n")
        self._keep(first)
        if not rest:
            return []
        *whole, last = rest
        lines = [self._ended(), *map(self._line, whole)]
        self._keep(last)
        return [line for line in lines if line is not None]

    def end(self) -> list[Line]:
        """The last line, when the body did not end with a line end."""
        line = self._ended() if self._size else None
        return [] if line is None else [line]

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._bytes_max:
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)

    def _ended(self) -> Line | None:
        pieces, self._pieces = self._pieces, []
        size, self._size = self._size, 0
        if size > self._bytes_max:
            self._number += 1
            return Line(self._number, None)
        return self._line(b"".join(pieces))

    def _line(self, data: bytes) -> Line | None:
        self._number += 1
        if len(data) > self._bytes_max:
            return Line(self._number, None)
        return Line(self._number, data) if data.strip() else None
