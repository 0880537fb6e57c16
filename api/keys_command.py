"""The commands that make, list and revoke API keys in a file a server reads."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api import options, terminal
from api.failures import Command
from api.http.key_file import add_key, read_keys, revoke_key
from api.text import plain

KeyFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file of API keys.")]

keys = typer.Typer(
    help="Make, list and revoke the API keys of a served store.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@keys.command(cls=Command, no_args_is_help=True)
def add(
    file: KeyFile,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who will use the key.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", "-s", help="read, write or admin; repeat it. Default: read."),
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", "-c", help="A pattern like cars*; repeat it. Default: all."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a key and print it: it is shown once, the file holds only its hash."""
    stored, key = add_key(file, name, tuple(scope or ("read",)), tuple(collection or ("*",)))
    if as_json:
        terminal.show_json({"id": stored.id, "name": name, "key": key})
        return
    terminal.show(key)
    terminal.note(f"key {stored.id} for {plain(name)}; it cannot be shown again")


@keys.command("list", cls=Command, no_args_is_help=True)
def list_keys(file: KeyFile, as_json: options.AsJson = False) -> None:
    """List the keys of a file: all but what is secret of them."""
    held = read_keys(file).values()
    rows = [
        {
            "id": each.id,
            "name": each.grant.name,
            "scopes": sorted(each.grant.scopes),
            "collections": list(each.grant.collections),
            "created": each.created,
        }
        for each in held
    ]
    if as_json:
        terminal.show_json(rows)
        return
    table = Table("id", "name", "scopes", "collections", "created", box=None)
    for each in held:
        table.add_row(
            each.id,
            plain(each.grant.name),
            " ".join(sorted(each.grant.scopes)),
            " ".join(map(plain, each.grant.collections)),
            each.created,
        )
    terminal.show(table)


@keys.command(cls=Command, no_args_is_help=True)
def revoke(
    file: KeyFile,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As docstore keys list shows it.")],
    as_json: options.AsJson = False,
) -> None:
    """Revoke a key; a running server notices within a second."""
    revoked = revoke_key(file, key_id)
    if as_json:
        terminal.show_json({"id": revoked.id, "name": revoked.grant.name})
    else:
        terminal.show(f"revoked key {revoked.id} of {plain(revoked.grant.name)}")
