"""What a search counted and marked, for people: values with bars, and fragments with their words.

Deliberately absent: asking anything. Each function shows values that the store already gave.
"""

import html
import re
from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from api import terminal
from api.columns import cell_text
from api.text import key_text, plain
from docstore import InvalidRequest, SearchResult, ValueCount

VALUE_CELLS_MAX = 24
BAR_CELLS = 12
_EIGHTHS = " ▏▎▍▌▋▊▉"
_MARK = re.compile(r"<mark>(.*?)</mark>", re.DOTALL)


def facets_option(given: list[str] | None) -> dict[str, int | None] | None:
    """`["make", "color:5"]` as fields with how many values each; raises InvalidRequest."""
    if not given:
        return None
    facets: dict[str, int | None] = {}
    for each in given:
        path, colon, size = each.rpartition(":")
        if not colon:
            facets[each] = None
        elif path and size.isascii() and size.isdecimal() and len(size) < 10:
            facets[path] = int(size)
        else:
            raise InvalidRequest(
                f"--facet {each!r} is not a field with a number of values",
                hint="write --facet make, or --facet color:5",
            )
    return facets


def show_facets(result: SearchResult[Any]) -> None:
    """The values of each facet with their documents, side by side as far as they fit."""
    tables = [_facet(path, counts) for path, counts in result.facets.items()]
    if tables:
        terminal.show(Columns(tables, padding=(1, 4)))
        terminal.show(Text(""))


def _facet(path: str, counts: list[ValueCount]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(
        Text(plain(path), style="bold"),
        no_wrap=True,
        overflow="ellipsis",
        max_width=VALUE_CELLS_MAX,
    )
    table.add_column("documents", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, width=BAR_CELLS)
    if not counts:
        table.add_row(Text("no values", style="dim"), "", "")
    most = max((each.documents for each in counts), default=1)
    for value, documents in counts:
        shown = Text(cell_text(value)) if value != "" else Text("(empty)", style="dim")
        table.add_row(shown, f"{documents:,}", Text(bar(documents / most), style="cyan"))
    return table


def bar(share: float) -> str:
    """A bar of a share of BAR_CELLS, in eighths of a cell; what is there at all shows."""
    eighths = max(1, round(share * BAR_CELLS * 8))
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def show_highlights(result: SearchResult[Any]) -> None:
    """What was found in each hit: its key, then a line per fragment with the field's name."""
    found = [hit for hit in result.hits if hit.highlights]
    for hit in found:
        terminal.show(Text(key_text(hit.key), style="bold"))
        width = max(len(plain(path)) for path in hit.highlights)
        for path, fragments in hit.highlights.items():
            for place, fragment in enumerate(fragments):
                name = "" if place else plain(path)
                line = Text.assemble((f"  {name:<{width}}  ", "dim"))
                for text, is_marked in _parts(fragment):
                    line.append(_printable(text), "bold yellow" if is_marked else None)
                terminal.show(line)
    if found:
        terminal.show(Text(""))


def _parts(fragment: str) -> Iterator[tuple[str, bool]]:
    """A fragment's text in parts, each with whether it is marked."""
    for place, part in enumerate(_MARK.split(fragment)):
        if part:
            yield html.unescape(part), place % 2 == 1


def _printable(text: str) -> str:
    """Text without control characters; spaces at its ends keep words apart, so they stay."""
    return "".join(each if each.isprintable() else " " for each in text)
