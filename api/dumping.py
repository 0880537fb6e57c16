"""Writing documents to a file that appears under its name only when it is whole."""

import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from api.json_text import json_bytes
from docstore import Unavailable

GZIP_LEVEL = 6
"""gzip's own default: level 9 takes three times as long for two percent."""


def dump_to(output: Path, documents: Iterable[dict[str, Any]]) -> int:
    """Write documents as JSON lines, gzip when the name ends in .gz; returns how many.

    Raises Unavailable when the file cannot be written; a file of that name is replaced at the end.
    """
    output = output.expanduser()
    unfinished = output.with_name(f"{output.name}.{os.getpid()}.unfinished")
    count = 0
    try:
        with (
            gzip.open(unfinished, "wb", GZIP_LEVEL)
            if output.suffix == ".gz"
            else unfinished.open("wb") as file
        ):
            for document in documents:
                file.write(json_bytes(document) + b"\n")
                count += 1
        unfinished.replace(output)
    except OSError as error:
        raise Unavailable(
            f"{output}: {error.strerror or error}",
            hint="check that the directory exists, may be written and has room",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count
