"""How far a load has come, in a file beside the collection, so that a killed one can go on.

Invariants: a line is noted only after the store acknowledged it, so what is noted is never ahead of
the truth; a file that changed (path, size or time) is another file and starts at its first line;
the file is replaced as a whole. It is not synced: losing it costs loading lines again, which
changes nothing but versions. It is forgotten when the load has ended.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import orjson

from docstore import Unavailable

PROGRESS_FILE = "load-progress.json"
_FORMAT = 1
"""A file of another format is ignored: the load starts at the first line."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one file: the lines that are done with, and how many of them were refused."""

    lines: int
    refused: int


class LoadProgress:
    """The marks of the files being loaded into one collection, by the files' identities."""

    def __init__(self, collection_directory: Path) -> None:
        self._path = collection_directory / PROGRESS_FILE
        self._marks = _read(self._path)

    def mark_of(self, identity: str | None) -> Mark:
        """How far a file has come; nothing for one that cannot be read again."""
        return self._marks.get(identity, Mark(0, 0)) if identity else Mark(0, 0)

    def note(self, marks: dict[str, Mark]) -> None:
        """Record that files have come further; raises Unavailable."""
        if marks:
            self._marks |= marks
            self._write()

    def forget(self, identities: list[str]) -> None:
        """Start these files anew next time; raises Unavailable."""
        for identity in identities:
            self._marks.pop(identity, None)
        self._write()

    def _write(self) -> None:
        form = {
            "format": _FORMAT,
            "files": {
                identity: {"lines": mark.lines, "refused": mark.refused}
                for identity, mark in self._marks.items()
            },
        }
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        try:
            if not self._marks:
                self._path.unlink(missing_ok=True)
                return
            unfinished.write_bytes(orjson.dumps(form, option=orjson.OPT_INDENT_2))
            unfinished.replace(self._path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise Unavailable(
                f"{self._path}: {error.strerror or error}",
                hint="what was loaded is safe; free some space and run the same command again",
                retryable=True,
            ) from error


def _read(path: Path) -> dict[str, Mark]:
    """The recorded marks; none when there is no file or it says nothing that can be used."""
    try:
        form = orjson.loads(path.read_bytes())
        if form["format"] != _FORMAT:
            return {}
        return {
            identity: Mark(int(mark["lines"]), int(mark["refused"]))
            for identity, mark in form["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
