"""What the last changes of a collection's partitions took, for people: a small file, by epoch.

It is written after the change, so a process that dies in between leaves a change without figures.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docstore import files
from docstore.partitioning import Reshape
from indexing.errors import DocstoreError

FIGURES_FILE = "reshapes.json"
_FORMAT = 1
FIGURES_MAX = 100
"""Changes whose figures are kept."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Documents copied, seconds from begin to end, milliseconds that writers waited."""

    documents: int
    seconds: float
    pause_ms: float

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-ready data."""
        shown = asdict(self)
        return {**shown, "seconds": round(self.seconds, 3), "pause_ms": round(self.pause_ms, 3)}


def told(past: Iterable[Reshape], figures: Mapping[int, Figures]) -> list[dict[str, Any]]:
    """Changes of a map with their figures, None where these were lost, as JSON-ready data."""
    unknown = dict.fromkeys(("documents", "seconds", "pause_ms"))
    return [
        {
            "kind": change.kind,
            "epoch": change.epoch,
            "at": change.at,
            "from": [each.number for each in change.sources],
            "into": list(change.targets),
            "why": change.why or None,
            **(figures[change.epoch].as_dict() if change.epoch in figures else unknown),
        }
        for change in past
    ]


def load(directory: Path) -> dict[int, Figures]:
    """The figures in a collection's directory, by epoch; none where they cannot be read."""
    path = directory / FIGURES_FILE
    if not path.exists():
        return {}
    with suppress(DocstoreError, KeyError, TypeError, ValueError):
        form = files.read_json(path)
        files.check_format(path, form, _FORMAT)
        return {int(epoch): Figures(**each) for epoch, each in form["changes"].items()}
    return {}


def save(directory: Path, figures: Mapping[int, Figures]) -> None:
    """Replace them. A change that was made must not fail for its figures: then they are lost."""
    last = sorted(figures)[-FIGURES_MAX:]
    form = {str(epoch): figures[epoch].as_dict() for epoch in last}
    with suppress(DocstoreError, OSError):
        files.write_json(directory / FIGURES_FILE, {"format": _FORMAT, "changes": form})
