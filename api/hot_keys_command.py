"""The command `hot-keys`: the partition keys a server is asked for most, and what to do about each.

Which keys are hot is known to the process that serves them, so this asks a server.
"""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from api import options, terminal
from api.asking_server import ApiKey, Url, asked
from api.text import key_text, plain
from docstore import HotKey


def hot_keys_command(
    url: Url,
    collection: Annotated[
        str | None, typer.Argument(metavar="[COLLECTION]", help="Only this collection.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="Keys to show.")] = 10,
    api_key: ApiKey = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the keys that get most of the reads and writes, with the proposed action."""
    with asked(url, api_key, "hot keys") as store:
        if collection is None:
            found = store.hot_keys(limit)
        else:
            found = store.collection(collection).hot_keys(limit)
    if as_json:
        terminal.show_json([each.as_dict() for each in found])
    elif found:
        terminal.show(_table(found))
    else:
        terminal.show("no key was read or written yet")


def _table(found: list[HotKey]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("collection", no_wrap=True)
    table.add_column("key", style="bold")
    for name in ("reads/s", "of all", "writes/s", "of all", "fan"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("proposed")
    for each in found:
        table.add_row(
            each.collection,
            Text(key_text(each.key)),
            f"{each.reads_per_second:,.1f}",
            f"{each.read_share:.1%}",
            f"{each.writes_per_second:,.1f}",
            f"{each.write_share:.1%}",
            str(each.fan),
            Text(plain(each.action), style="bold red" if each.is_hot else "dim"),
        )
    return table
