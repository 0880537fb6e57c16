"""The commands of global indexes: create, list, drop, rename, rebuild and check, with progress."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from api import answers, failures, options, terminal
from api.failures import Command
from api.opening import reading, writing
from api.text import counted, plain
from docstore import Collection, GlobalIndex

LOOK_SECONDS = 0.2
IndexName = Annotated[str, typer.Argument(metavar="INDEX", help="The index's name.")]

index = typer.Typer(
    help="Make, list, drop, rename, rebuild and check global indexes: of all shards, by value.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@index.command(
    cls=Command,
    no_args_is_help=True,
    epilog="Example:\n\ndocstore index create ./data cars color --include make --include price",
)
def create(
    data: options.Data,
    collection: options.CollectionName,
    field: Annotated[list[str], typer.Argument(metavar="FIELD…", help="The fields it is over.")],
    include: Annotated[
        list[str] | None,
        typer.Option("--include", "-i", help="A field it carries, or all; repeat it."),
    ] = None,
    partitions: Annotated[
        int, typer.Option("--partitions", metavar="N", help="How many parts it has.")
    ] = 4,
    name: Annotated[
        str | None, typer.Option("--name", help="Its name; default: that of its fields.")
    ] = None,
    ranges: Annotated[
        bool, typer.Option("--ranges", help="Spread by ranges of values, not by their hash.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Make a global index and fill it from the documents, which stay as they are."""
    made = GlobalIndex(
        field[0] if len(field) == 1 else field,
        "all" if include == ["all"] else (include or ()),
        partitions,
        name,
        "range" if ranges else "hash",
    )
    with writing(data) as store:
        found = store.collection(collection)
        found.indexes.create(made)
        _told("filled", found, made.name, as_json=as_json)


@index.command("list", cls=Command, no_args_is_help=True)
def list_indexes(
    data: options.Data, collection: options.CollectionName, as_json: options.AsJson = False
) -> None:
    """List a collection's global indexes and where each stands."""
    with reading(data) as store:
        stats = store.collection(collection).indexes.stats()
    if as_json:
        terminal.show_json(stats)
        return
    table = Table(box=None, pad_edge=False)
    for title in ("index", "fields", "includes", "state", "documents", "values", "lag", "overlay"):
        table.add_column(title)
    for each in stats:
        fields, include = each["field"], each["include"]
        table.add_row(
            plain(each["name"]),
            plain(fields if isinstance(fields, str) else ", ".join(fields)),
            plain(include if isinstance(include, str) else ", ".join(include)),
            each["state"],
            *(f"{each[figure]:,}" for figure in ("documents", "terms", "lag", "overlay")),
        )
    terminal.show(table if stats else "no global index")


@index.command(cls=Command, no_args_is_help=True)
def drop(
    data: options.Data,
    collection: options.CollectionName,
    name: IndexName,
    as_json: options.AsJson = False,
) -> None:
    """Remove a global index; it can be made again from the documents."""
    with writing(data) as store:
        store.collection(collection).indexes.drop(name)
    if as_json:
        terminal.show_json({"collection": collection, "index": name})
    else:
        terminal.show(f"removed the index {plain(name)} of {collection}")


@index.command(cls=Command, no_args_is_help=True)
def rename(
    data: options.Data,
    collection: options.CollectionName,
    name: IndexName,
    to: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.")],
    as_json: options.AsJson = False,
) -> None:
    """Give a global index another name; what it holds stays."""
    with writing(data) as store:
        store.collection(collection).indexes.rename(name, to)
    if as_json:
        terminal.show_json({"collection": collection, "index": to})
    else:
        terminal.show(f"the index {plain(name)} of {collection} is named {plain(to)} now")


@index.command(cls=Command, no_args_is_help=True)
def rebuild(
    data: options.Data,
    collection: options.CollectionName,
    name: IndexName,
    partition: Annotated[
        int | None, typer.Option("--partition", metavar="N", help="Only this part of it.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Fill a global index, or one of its parts, again from the documents."""
    with writing(data) as store:
        found = store.collection(collection)
        found.indexes.rebuild(name, partition)
        _told("rebuilt", found, name, as_json=as_json)


@index.command(cls=Command, no_args_is_help=True)
def salt(
    data: options.Data,
    collection: options.CollectionName,
    name: IndexName,
    value: Annotated[
        str,
        typer.Argument(metavar="VALUE", help="The value, as JSON or as text; a list of several."),
    ],
    fan: Annotated[
        int,
        typer.Option("--fan", metavar="N", help="Parts: a power of two; 1 gathers them again."),
    ],
    as_json: options.AsJson = False,
) -> None:
    """Spread what a global index holds under one value over several of its parts."""
    with writing(data) as store:
        found = store.collection(collection)
        _watched("catching up", found, name, found.indexes.catch_up)
        made = found.indexes.salt(name, _value(value), fan)
    if as_json:
        terminal.show_json(asdict(made))
    else:
        terminal.show(
            f"{plain(value)} is spread over {counted(fan, 'part')} of the index {plain(name)}: "
            f"{counted(made.documents, 'document')}, {made.seconds:.1f} s"
        )


def _value(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return tuple(value) if isinstance(value, list) else value


@index.command(cls=Command, no_args_is_help=True)
def check(
    data: options.Data,
    collection: options.CollectionName,
    name: Annotated[str | None, typer.Argument(metavar="[INDEX]", help="Only this index.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare global indexes with the documents; print each divergence, exit with 1 if any."""
    count = 0
    with writing(data) as store:
        found = store.collection(collection)
        _watched("catching up", found, name, found.indexes.catch_up)
        for violation in found.indexes.check(name):
            count += 1
            if as_json:
                terminal.show_json(asdict(violation))
            else:
                terminal.show(answers.violation_text(violation))
    if count:
        if not as_json:
            terminal.note(
                f"{counted(count, 'divergence')}; "
                "docstore index rebuild fills an index again from the documents"
            )
        raise typer.Exit(failures.SOMETHING_REFUSED)
    if not as_json:
        terminal.show("no divergence")


def _told(what: str, collection: Collection[Any], name: str, *, as_json: bool) -> None:
    """Fill an index and say what came of it."""
    began = time.perf_counter()
    _watched(f"filling {name}", collection, name, collection.indexes.catch_up)
    seconds = time.perf_counter() - began
    (stats,) = [each for each in collection.indexes.stats() if each["name"] == name]
    if as_json:
        terminal.show_json({**stats, "seconds": round(seconds, 3)})
        return
    terminal.show(
        f"{what} the index {plain(name)}: {counted(stats['documents'], 'document')} under "
        f"{counted(stats['terms'], 'value')}, in {seconds:.1f} s"
    )
    if not stats["documents"] and collection.count():
        terminal.note("no document has what it is over: is the field spelled so?")


def _watched(
    what: str, collection: Collection[Any], name: str | None, work: Callable[[], None]
) -> None:
    """Do something about an index while its documents are counted on the terminal."""
    console = terminal.err()
    columns = (TextColumn(plain(what)), BarColumn(), TextColumn("{task.completed:,} documents"))
    with (
        ThreadPoolExecutor(1) as pool,
        Progress(
            *columns,
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as progress,
    ):
        task = progress.add_task("", total=collection.count())
        working = pool.submit(work)
        while not wait([working], LOOK_SECONDS).done:
            stats = collection.indexes.stats()
            least = min((x["documents"] for x in stats if name in (None, x["name"])), default=0)
            progress.update(task, completed=least)
        working.result()
