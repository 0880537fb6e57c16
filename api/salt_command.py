"""The command `salt`: spread a hot key over several shards, gather it, list what is spread."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from api import options, terminal
from api.keys import prefix_of
from api.opening import reading, writing
from api.partitions_command import change_json, watched
from api.text import counted, key_text
from docstore import InvalidRequest
from docstore.map_changes.spreading import salted


def salt(
    data: options.Data,
    collection: options.CollectionName,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY]",
            help="The value of the key's first field; without it, the salted keys are listed.",
        ),
    ] = None,
    fan: Annotated[
        int | None,
        typer.Option("--fan", metavar="N", help="Places: a power of two; 1 gathers them again."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Spread the documents of one partition key over several shards, or gather them again."""
    if key is None and fan is None:
        _list(data, collection, as_json=as_json)
        return
    if key is None or fan is None:
        raise InvalidRequest(
            "salt takes a key and a fan", hint=f"docstore salt {data} {collection} KEY --fan 8"
        )
    with writing(data) as store:
        found = store.collection(collection)
        wanted = prefix_of(found, key)
        made = watched(found, lambda: found.salt(wanted, fan))
    if as_json:
        terminal.show_json(change_json(made))
    elif made.targets:
        terminal.show(
            f"{key} is spread over {counted(fan, 'place')}: "
            f"{counted(made.documents, 'document')} of {counted(len(made.sources), 'shard')} "
            f"moved in {made.seconds:.1f} s, writers waited {made.pause_ms:.0f} ms"
        )
    else:
        terminal.show(f"{key} is spread over {counted(fan, 'place')}; nothing had to move")


def _list(data: options.Data, collection: str, *, as_json: bool) -> None:
    with reading(data) as store:
        found = salted(store.collection(collection).partitions)
    if as_json:
        terminal.show_json([{"key": key, "fan": fan} for key, fan in found.items()])
        return
    if not found:
        terminal.show("no key is salted")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("key", style="bold")
    table.add_column("fan", justify="right", no_wrap=True)
    for key, fan in found.items():
        table.add_row(Text(key_text(key)), str(fan))
    terminal.show(table)
