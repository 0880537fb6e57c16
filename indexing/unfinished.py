"""What a commit that never came into effect leaves in an index directory.

A process killed in the middle of a commit leaves the file of deleted documents that it wrote. The
same commit is made again after opening, would write a file of the same name, and Tantivy refuses to
replace one. Segments have names of their own, so whatever else is left is in nobody's way.
"""

from contextlib import suppress
from pathlib import Path

import orjson

_META_FILE = "meta.json"


def remove_unfinished(directory: Path) -> None:
    """Remove files of deleted documents that the commit in effect does not know.

    Only before a writer is open, in the process that writes. What cannot be read is left to whoever
    opens the index.
    """
    with suppress(FileNotFoundError, KeyError, TypeError, ValueError):
        known = _names(orjson.loads((directory / _META_FILE).read_bytes())["segments"])
        for path in directory.glob("*.del"):
            if path.name not in known:
                path.unlink(missing_ok=True)


def _names(segments: list[dict[str, object]]) -> set[str]:
    names = set()
    for segment in segments:
        deletes = segment["deletes"]
        if isinstance(deletes, dict):
            names.add(f"{str(segment['segment_id']).replace('-', '')}.{deletes['opstamp']}.del")
    return names
