"""What a load shows while it runs: a bar on a terminal, a line now and then elsewhere.

Everything goes to stderr. The first REFUSED_SHOWN refused lines are shown in full, the rest only
counted; under `--json` there is one JSON object per refused line and no progress.
"""

import time
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from api import terminal
from api.json_text import json_bytes
from api.load import Refused, Tally
from api.text import plain

REFUSED_SHOWN = 20
LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal."""


class _Counts(ProgressColumn):
    """Documents so far, documents per second, lines refused."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def render(self, task: Task) -> Text:  # noqa: ARG002  every column shows the same tally
        return Text(progress_text(self._tally))


def progress_text(tally: Tally) -> str:
    """The state of a load in a few words; pure but for the clock."""
    text = f"{tally.loaded:,} documents, {tally.rate:,.0f} docs/s"
    return f"{text}, {tally.refused:,} refused" if tally.refused else text


class LoadReport:
    """Shows how a load goes; use as a context manager."""

    def __init__(self, name: str, tally: Tally, bytes_total: int, *, as_json: bool) -> None:
        self._name = name
        self._tally = tally
        self._bytes_total = bytes_total
        self._as_json = as_json
        self._console = terminal.err()
        self._shown = 0
        self._next_line = time.monotonic() + LINE_SECONDS
        self._bar: Progress | None = None
        if self._console.is_terminal and not as_json:
            self._bar = self._new_bar()
            self._task = self._bar.add_task(plain(name), total=bytes_total or None)

    def _new_bar(self) -> Progress:
        known = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(compact=True))
        unknown = (SpinnerColumn(), TimeElapsedColumn())
        return Progress(
            TextColumn("{task.description}", markup=False),
            *(known if self._bytes_total else unknown),
            _Counts(self._tally),
            console=self._console,
            transient=True,
        )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advanced(self, bytes_read: int) -> None:
        """A batch is in; `bytes_read` are taken from the files."""
        if self._bar is not None:
            self._bar.update(self._task, completed=bytes_read)
        elif not self._as_json and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            share = f", {bytes_read / self._bytes_total:.0%}" if self._bytes_total else ""
            terminal.note(f"{self._name}: {progress_text(self._tally)}{share}")

    def indexing(self) -> None:
        """All lines are in; their last part is being indexed."""
        if self._bar is not None:
            self._bar.update(self._task, completed=self._bytes_total, description="indexing")

    def refused(self, refused: Refused) -> None:
        """A line was refused."""
        self._shown += 1
        line, error = refused
        if self._as_json:
            told = {**error.as_dict(), "file": line.source.name, "line": line.number}
            self._console.file.write(json_bytes(told).decode() + "\n")
        elif self._shown <= REFUSED_SHOWN:
            where = f"{line.source.name}:{line.number}"
            why = f"{error.message} ({error.hint})" if error.hint else error.message
            text = Text(plain(f"{where}: {why}"), style="red")
            self._console.print(text, soft_wrap=True)
        elif self._shown == REFUSED_SHOWN + 1:
            terminal.note("further refused lines are only counted")
