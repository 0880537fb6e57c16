"""The command `advise`: which partitioning and which global indexes suit a workload, as tables.

Deliberately absent: the comparison, which the collection makes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import repeat
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from api import options, terminal
from api.lines import Line, Reader, source_of
from api.opening import reading
from api.text import counted, key_text, plain
from docstore import advise as asked_of
from docstore.advising.replay import Figures
from docstore.advising.scopes import IndexFigures

BAR_CELLS = 12
_EVEN = 1.5
"""Up to so many times a mean is shown as even."""
_KEY_CELLS = 24
_WIDE = 110
"""Cells from which bars and the hottest keys have room beside what matters more."""


def advise(
    data: options.Data,
    collection: options.CollectionName,
    workload: Annotated[
        str,
        typer.Option(
            "--workload",
            "-w",
            metavar="FILE",
            help='One operation per line, plain or gzip, - for standard input: {"op": "get", '
            '"key": K}, put with document, delete, scan with prefix, start and end, search '
            'with q, filter and query; "count": N for what happens N times as often. '
            "docstore serve --record-workload FILE writes one.",
        ),
    ],
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="FIELD",
            help="Try this field as the first part of the key; by default those searched by.",
        ),
    ] = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions", metavar="N", help="How many; by default as many as there are."
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare ways to partition a collection, and global indexes, by what it is asked for."""
    file = Reader([source_of(workload)])
    with reading(data) as store, closing(file.lines({})) as lines:
        advice = asked_of(store.collection(collection), _in_place(lines), fields, partitions)
    if as_json:
        terminal.show_json(advice.as_dict())
        return
    sampled = "" if advice.sampled == advice.documents else f" ({advice.sampled:,} looked at)"
    terminal.show(
        Text(
            f"{advice.collection}: {counted(advice.documents, 'document')}{sampled}, "
            f"{counted(advice.operations, 'operation')}",
            style="bold",
        )
    )
    terminal.show("")
    terminal.show(_ways(advice.ways, advice.best))
    if advice.indexes:
        terminal.show("")
        terminal.show(_indexes(advice.indexes))
    terminal.show("")
    for sentence in advice.recommendation:
        terminal.show(Text(f"• {plain(sentence)}"))
    terminal.note(
        "busiest: the part of all operations that the busiest shard has to do with; "
        "uneven: the fullest partition over a mean one"
    )


def _in_place(lines: Iterable[Line]) -> Iterator[bytes]:
    """The lines with the blank ones between them, so that an error names the right one."""
    before = 0
    for line in lines:
        yield from repeat(b"", line.number - before - 1)
        yield line.data
        before = line.number


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )


def _ways(ways: Sequence[Figures], best: int) -> Table:
    table = _table("Ways to partition")
    table.add_column("")
    is_wide = terminal.out().width >= _WIDE
    table.add_column("partition by", overflow="fold", min_width=16)
    for name in ("shards/search", "/read", "busiest"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("skew", "uneven"):
        table.add_column(name, justify="right", no_wrap=True)
    if is_wide:
        table.add_column("", width=BAR_CELLS, no_wrap=True)
        table.add_column("hottest key", no_wrap=True)
    for place, each in enumerate(ways):
        mark = Text("→", style="bold green") if place == best else Text("")
        style = "green" if each.busiest <= ways[0].busiest else "red"
        told = Text(plain(each.way), style="bold" if place == best else "")
        if each.is_current:
            told.append(" (now)", style="dim")
        if each.missing:
            told.append(f" {each.missing:.1%} lack it", style="red")
        table.add_row(
            mark,
            told,
            f"{each.shards_per_search:.1f}",
            f"{each.shards_per_read:.1f}",
            Text(f"{each.busiest:.1%}", style=style),
            _ratio(each.skew),
            _ratio(each.uneven),
            *((_bar(each.busiest, style), _hottest(each)) if is_wide else ()),
        )
    return table


def _hottest(of: Figures) -> Text:
    if of.hottest_key is None:
        return Text("none", style="dim")
    key = key_text(of.hottest_key)
    shown = key if len(key) <= _KEY_CELLS else key[: _KEY_CELLS - 1] + "…"
    return Text(f"{shown} {of.hottest_share:.1%}")


def _ratio(value: float) -> Text:
    return Text(f"{value:.2f} x", style="" if value < _EVEN else "yellow")


def _bar(share: float, style: str) -> Text:
    filled = round(min(share, 1.0) * BAR_CELLS)
    text = Text("█" * filled, style=style)
    return text.append("·" * (BAR_CELLS - filled), style="dim")


def _indexes(indexes: Sequence[IndexFigures]) -> Table:
    table = _table("Global indexes")
    table.add_column("field", style="bold", no_wrap=True)
    for name in ("used by", "shards now", "then", "documents", "written by"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for each in indexes:
        table.add_row(
            Text(plain(each.field)),
            f"{each.asked:.1%}",
            f"{each.shards_now:.1f}",
            f"{each.shards_then:.1f}",
            f"{each.postings:,.0f}",
            f"{each.writes:.1%}",
            Text(plain(each.reason), style="green" if each.is_worth_it else "dim"),
        )
    return table
