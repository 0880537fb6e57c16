"""When a collection's partitions are to be split and merged unasked: the limits, and their file.

Limits are values; without a file they are the defaults. The names in the file never change meaning.
"""

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from docstore import files
from indexing.errors import Corruption, InvalidRequest

LIMITS_FILE = "auto_split.json"
_FORMAT = 1
DOCUMENTS = 1_000_000
BYTES = 4 * 1024**3
"""What one partition rebuilds, copies or checks in some minutes. Far above what most collections
ever hold: a machine answers from one large partition about as fast as from several."""
MERGE_BELOW = 0.25
MERGE_BELOW_MAX = 0.5
"""At half of a limit, what was merged has to double before it is split again."""
WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class AutoSplit:
    """Limits of one partition; one above any of them is split, None is no limit.

    `documents` and `bytes` are what it holds, `writes_per_second` what it took at every look of the
    last `window_seconds`. Neighbours that were made so, and that together stay below `merge_below`
    of every limit, are merged again; 0 is never. Raises InvalidRequest for what is no limit.
    """

    documents: int | None = DOCUMENTS
    bytes: int | None = BYTES
    writes_per_second: float | None = None
    merge_below: float = MERGE_BELOW
    window_seconds: float = WINDOW_SECONDS

    def __post_init__(self) -> None:
        for name, few in (("documents", 2), ("bytes", 2), ("writes_per_second", 1)):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value >= few):
                raise _no_limit(name, value, f"use a number from {few} on, or None for no limit")
        for name, least, most in (
            ("merge_below", 0.0, MERGE_BELOW_MAX),
            ("window_seconds", 1.0, 3600.0),
        ):
            value = getattr(self, name)
            if not (_is_number(value) and least <= value <= most):
                raise _no_limit(name, value, f"use a number from {least:g} to {most:g}")
        if self.documents is self.bytes is self.writes_per_second is None:
            raise InvalidRequest(
                "there is no limit to split at",
                hint="give documents, bytes or writes_per_second; False turns it off",
            )

    def as_dict(self) -> dict[str, Any]:
        """The limits as JSON-ready data."""
        return asdict(self)

    @classmethod
    def of(cls, given: object) -> "AutoSplit | None":
        """What a caller gave: limits, or True for the defaults; None for what turns it off."""
        if given is None or given is False:
            return None
        if given is True:
            return cls()
        if isinstance(given, cls):
            return given
        if isinstance(given, dict) and given.keys() <= {each.name for each in fields(cls)}:
            return cls(**given)
        raise InvalidRequest(
            f"auto_split is {given!r}",
            hint="use AutoSplit(documents=…), True for the defaults, or False",
        )


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)  # type: ignore[arg-type]  # a number by now


def _no_limit(name: str, value: object, hint: str) -> InvalidRequest:
    return InvalidRequest(f"{name} is {value!r}", hint=hint, field=name)


def load(directory: Path) -> AutoSplit | None:
    """The limits in a collection's directory; None when it is turned off."""
    path = directory / LIMITS_FILE
    if not path.exists():
        return AutoSplit()
    form = files.read_json(path)
    files.check_format(path, form, _FORMAT)
    try:
        return AutoSplit.of(form["auto_split"])
    except (KeyError, InvalidRequest) as error:
        raise Corruption(
            f"{LIMITS_FILE} of {directory.name} cannot be read: {error}",
            hint="remove it to have the defaults, or restore it from a copy",
        ) from error


def save(directory: Path, limits: AutoSplit | None) -> None:
    """Replace the limits in a collection's directory."""
    told = None if limits is None else limits.as_dict()
    files.write_json(directory / LIMITS_FILE, {"format": _FORMAT, "auto_split": told})
