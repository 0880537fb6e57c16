"""Writing to the terminal: tables and errors for people, JSON lines for programs.

Invariants: answers go to stdout and everything about them to stderr; text from documents never
reaches the terminal with control characters in it. Deliberately absent: what a table holds.
"""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from api.json_text import json_bytes
from api.text import plain
from docstore import DocstoreError

_LINES_AT_ONCE = 256 * 1024
"""Bytes of JSON lines gathered before they are written."""


def out() -> Console:
    """The console of answers. Made when used: stdout may have been replaced."""
    return Console(soft_wrap=False, highlight=False, markup=False, emoji=False)


def err() -> Console:
    """The console of everything that is not the answer."""
    return Console(stderr=True, soft_wrap=False, highlight=False, markup=False, emoji=False)


def show(renderable: RenderableType) -> None:
    """Print a table, a tree or a line of the answer."""
    out().print(renderable, soft_wrap=isinstance(renderable, str | Text))


def note(text: str) -> None:
    """Print a remark about the answer."""
    err().print(Text(plain(text), style="dim"), soft_wrap=True)


def show_json(value: Any, *, indent: bool = False) -> None:
    """Print one JSON value and a line end."""
    write_bytes(json_bytes(value, indent=indent) + b"\n")


def show_json_lines(values: Iterable[Any]) -> int:
    """Print one JSON value per line, as they come, and return how many."""
    lines: list[bytes] = []
    size = count = 0
    for value in values:
        lines.append(line := json_bytes(value) + b"\n")
        count += 1
        size += len(line)
        if size >= _LINES_AT_ONCE:
            write_bytes(b"".join(lines))
            lines, size = [], 0
    write_bytes(b"".join(lines))
    return count


def write_bytes(data: bytes) -> None:
    """Write to stdout after what was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def show_error(error: DocstoreError, *, as_json: bool) -> None:
    """Print an error to stderr: a red line and its hint, or one JSON object."""
    if as_json:
        sys.stderr.write(json_bytes(error.as_dict()).decode() + "\n")
        sys.stderr.flush()
        return
    console = err()
    console.print(Text(f"error: {plain(error.message)}", style="bold red"), soft_wrap=True)
    if error.hint:
        console.print(Text(f"hint: {plain(error.hint)}"), soft_wrap=True)
