"""Writing to a file that appears under its name only when it is whole."""

import gzip
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from api.json_text import json_bytes
from docstore import Unavailable

GZIP_LEVEL = 6
"""gzip's own default: level 9 takes three times as long for two percent."""


@contextmanager
def whole_file(output: Path) -> Iterator[BinaryIO]:
    """A file to write that replaces `output` when the body is done; gzip if the name ends in .gz.

    Raises Unavailable when the file cannot be written.
    """
    output = output.expanduser()
    unfinished = output.with_name(f"{output.name}.{os.getpid()}.unfinished")
    try:
        with (
            gzip.open(unfinished, "wb", GZIP_LEVEL)
            if output.suffix == ".gz"
            else unfinished.open("wb") as file
        ):
            yield cast("BinaryIO", file)
        unfinished.replace(output)
    except OSError as error:
        raise Unavailable(
            f"{output}: {error.strerror or error}",
            hint="check that the directory exists, may be written and has room",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def dump_to(output: Path, documents: Iterable[dict[str, Any]]) -> int:
    """Write documents as JSON lines; returns how many. Fails like `whole_file`."""
    count = 0
    with whole_file(output) as file:
        for document in documents:
            file.write(json_bytes(document) + b"\n")
            count += 1
    return count
