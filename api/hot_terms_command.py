"""The command `hot-terms`: the heaviest values of global indexes, and what to do about each.

How often they are asked for is known to the process that serves them, so this asks a server.
"""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from api import options, terminal
from api.asking_server import ApiKey, Url, asked
from api.text import key_text, plain
from docstore import HotTerm


def hot_terms_command(
    url: Url,
    collection: Annotated[
        str | None, typer.Argument(metavar="[COLLECTION]", help="Only this collection.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="Values to show.")] = 10,
    api_key: ApiKey = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the heaviest values of global indexes, with the proposed action."""
    with asked(url, api_key, "hot terms") as store:
        if collection is None:
            found = store.hot_terms(limit)
        else:
            found = store.collection(collection).hot_terms(limit)
    if as_json:
        terminal.show_json([each.as_dict() for each in found])
    elif found:
        terminal.show(_table(found))
    else:
        terminal.show("no global index holds anything yet")


def _table(found: list[HotTerm]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("index", no_wrap=True)
    table.add_column("value", style="bold", min_width=8)
    for name in ("documents", "reads/s", "writes/s", "fan"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("proposed")
    for each in found:
        table.add_row(
            plain(f"{each.collection} {each.index}"),
            Text(key_text(each.value)),
            f"{each.documents:,} {each.document_share:.0%}",
            f"{each.reads_per_second:,.0f} {each.read_share:.0%}",
            f"{each.writes_per_second:,.0f} {each.write_share:.0%}",
            str(each.fan),
            Text(plain(each.action), style="bold red" if each.is_hot else "dim"),
        )
    return table
