"""One JSON line per request on standard output, gathered and written a few times a second.

Writing each line at once would cost as much as a cheap request. What a killed process had gathered
is lost with it: a log of accesses is no record of writes, the store's own log is.
"""

import asyncio
import datetime
import sys
from typing import Any

from api.json_text import json_bytes

FLUSH_SECONDS = 0.5
_LINES_MAX = 10_000
"""Lines gathered before they are written at once: bounds the memory of a burst."""
_PATH_CHARACTERS = 300


class AccessLog:
    """The log of one server; used on the event loop only."""

    def __init__(self, *, is_on: bool) -> None:
        self._is_on = is_on
        self._lines: list[tuple[float, Any, str, int, float]] = []
        self._timer: asyncio.TimerHandle | None = None

    def ended(self, at: float, scope: Any, request_id: str, status: int, seconds: float) -> None:
        """Note a request; `at` is seconds since 1970."""
        if not self._is_on:
            return
        self._lines.append((at, scope, request_id, status, seconds))
        if len(self._lines) >= _LINES_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            sys.stdout.buffer.write(b"".join(map(_line, lines)))
            sys.stdout.buffer.flush()


def _line(noted: tuple[float, Any, str, int, float]) -> bytes:
    at, scope, request_id, status, seconds = noted
    client = scope.get("client")
    return (
        json_bytes(
            {
                "at": datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(),
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"][:_PATH_CHARACTERS],
                "route": scope.get("docstore.route"),
                "status": status,
                "ms": round(seconds * 1000, 3),
                "client": None if client is None else client[0],
                "key": scope.get("docstore.key"),
            }
        )
        + b"\n"
    )
