"""Which fields of some documents fit and tell most in a table of a given width; pure.

Fields that all documents have and that differ between them come first, in the order in which the
documents name them; one long text takes the room that is left, prose before lists. Nested objects
give their leaves.
"""

from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from api.text import plain

SHORT_CELLS = 28
"""Wider is long text, when most of a field's values are; a single wide value is cut."""
LONG_CELLS_MIN = 20
"""Less room than this is not worth a cut text."""
GAP_CELLS = 2
TELLING = ("title", "name")
"""What people call the field that says what a document is: shown before all others."""
COMMON_SHARE = 0.3
"""A field that fewer of the documents have is not shown."""
DEPTH_MAX = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A field and how wide it is shown; numbers stand to the right."""

    path: str
    width: int
    is_number: bool


def choose(
    rows: list[dict[str, Any]], width: int, leave_out: frozenset[str] = frozenset()
) -> list[Column]:
    """The columns for flattened rows, in the order of the documents' fields."""
    order: dict[str, int] = {}
    for row in rows:
        for path in row:
            order.setdefault(path, len(order))
    fields = [_Field(path, [row.get(path) for row in rows]) for path in order]
    wanted = [each for each in fields if each.path not in leave_out and each.share >= COMMON_SHARE]
    wanted.sort(
        key=lambda each: (
            each.path not in TELLING,
            each.is_constant,
            each.share < 1,
            order[each.path],
        )
    )
    chosen: list[Column] = []
    left = width
    long = min(
        (each for each in wanted if each.is_long), key=lambda each: each.is_list, default=None
    )
    # A title already says what a document is: prose then takes only what is left over.
    has_title = any(each.path in TELLING and not each.is_long for each in wanted)
    is_reserved = long is not None and not has_title
    reserved = max(LONG_CELLS_MIN, width // 3) + GAP_CELLS if is_reserved else 0
    for each in wanted:
        needed = each.width + GAP_CELLS
        if not each.is_long and needed <= left - reserved:
            chosen.append(Column(each.path, each.width, each.is_number))
            left -= needed
    chosen.sort(key=lambda column: order[column.path])
    if long is not None and left >= max(reserved, LONG_CELLS_MIN + GAP_CELLS):
        chosen.append(Column(long.path, min(long.width, left - GAP_CELLS), is_number=False))
    return chosen


class _Field:
    """What one field's values are like."""

    def __init__(self, path: str, values: list[Any]) -> None:
        present = [value for value in values if value is not None and value != ""]
        texts = [cell_text(value) for value in present]
        self.path = path
        self.share = len(present) / len(values)
        widths = sorted(map(cell_len, texts))
        self.is_long = bool(widths) and widths[len(widths) // 2] > SHORT_CELLS
        widest = widths[-1] if widths else 0
        if not self.is_long:
            widest = min(widest, SHORT_CELLS)
        self.width = max(widest, cell_len(path))
        self.is_list = any(isinstance(value, list) for value in present)
        self.is_constant = len(values) > 1 and len(set(texts)) == 1
        self.is_number = all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in present
        )


def flattened(document: dict[str, Any], prefix: str = "", depth: int = 1) -> dict[str, Any]:
    """A document's values by dotted path; what is nested deeper than DEPTH_MAX stays whole."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict) and depth < DEPTH_MAX:
            flat |= flattened(value, f"{prefix}{name}.", depth + 1)
        else:
            flat[prefix + name] = value
    return flat


def cell_text(value: Any) -> str:
    """A value as one line of text without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(cell_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell_text(each)}" for name, each in value.items())
    if isinstance(value, float):
        return f"{value:.10g}"
    return plain(str(value))
