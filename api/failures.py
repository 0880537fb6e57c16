"""How a command ends when it cannot succeed: one message for people or one object for programs.

| exit | when |
|---|---|
| 0 | done |
| 1 | done, but lines of a load were refused or a check found violations; or a person declined |
| 2 | the request is wrong (InvalidRequest), or the command line is |
| 3 | there is no such store, collection, document or file (NotFound) |
| 4 | the world is not as the request assumed (VersionConflict, AlreadyExists) |
| 5 | busy, locked, out of room, not permitted, closed (Unavailable, Closed) |
| 6 | what is on disk breaks an invariant (Corruption) |
| 70 | a mistake in docstore itself |
| 130 | interrupted |
| 141 | whoever read the output went away |

These numbers are what scripts branch on and never change. Nothing a person sees is a traceback,
unless DOCSTORE_TRACEBACK is set.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand

from api import terminal
from docstore import (
    AlreadyExists,
    Closed,
    Corruption,
    DocstoreError,
    InvalidRequest,
    NotFound,
    Unavailable,
    VersionConflict,
)

SOMETHING_REFUSED = 1
INTERNAL = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

_EXIT_CODES: tuple[tuple[type[DocstoreError], int], ...] = (
    (InvalidRequest, 2),
    (NotFound, 3),
    (VersionConflict, 4),
    (AlreadyExists, 4),
    (Unavailable, 5),
    (Closed, 5),
    (Corruption, 6),
)
TRACEBACK = "DOCSTORE_TRACEBACK"
"""The environment variable with which a developer sees where an unexpected error came from."""

EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 done but something was refused or found, 2 wrong request, "
    "3 not found, 4 conflict or already exists, 5 unavailable, 6 corruption, 130 interrupted."
)


def exit_code_of(error: DocstoreError) -> int:
    """The exit code of an error's group."""
    return next((code for group, code in _EXIT_CODES if isinstance(error, group)), 1)


class Command(TyperCommand):
    """A command whose errors are told the way its `--json` asks for."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; every failure becomes a message and an exit code."""
        with told(as_json=bool(ctx.params.get("as_json"))):
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that went away is noticed here, not at exit
            return result


@contextmanager
def told(*, as_json: bool) -> Iterator[None]:
    """Turn what the body raises into a message on stderr and `typer.Exit`."""
    try:
        yield
    except DocstoreError as error:
        terminal.show_error(error, as_json=as_json)
        raise typer.Exit(exit_code_of(error)) from error
    except BrokenPipeError as error:
        _forget_output()
        raise typer.Exit(BROKEN_PIPE) from error
    except KeyboardInterrupt as error:
        terminal.show_error(DocstoreError("interrupted"), as_json=as_json)
        raise typer.Exit(INTERRUPTED) from error
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        hint = f"this is a mistake in docstore: report it with what {TRACEBACK}=1 shows"
        internal = DocstoreError(f"{type(error).__name__}: {error}", hint=hint)
        terminal.show_error(internal, as_json=as_json)
        raise typer.Exit(INTERNAL) from error


def _forget_output() -> None:
    """Send what is still buffered nowhere, or the interpreter complains when it flushes at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
