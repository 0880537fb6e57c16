"""The commands that write single documents: put and delete. Neither makes a collection."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api import options, terminal
from api.json_text import json_document
from api.keys import key_of
from api.opening import writing
from api.text import key_text
from docstore import InvalidRequest, NotFound, WriteResult

STDIN = "-"


def put(
    data: options.Data,
    collection: options.CollectionName,
    document: Annotated[
        str,
        typer.Argument(
            metavar="[DOCUMENT]", help="A JSON object, @FILE, or - for standard input (default)."
        ),
    ] = STDIN,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="The key, if the document does not hold it."),
    ] = None,
    if_version: Annotated[
        int | None,
        typer.Option("--if-version", metavar="N", help="Only if the document has this version."),
    ] = None,
    if_absent: Annotated[
        bool, typer.Option("--if-absent", help="Only if there is no such document.")
    ] = False,
    if_present: Annotated[
        bool, typer.Option("--if-present", help="Only if there is such a document.")
    ] = False,
    op_id: Annotated[
        str | None,
        typer.Option("--op-id", metavar="ID", help="A retry with this ID writes nothing more."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Store one document, replacing the one under its key."""
    value = _document_in(document)
    with writing(data) as store:
        target = store.collection(collection)
        result = target.put(
            value,
            None if key is None else key_of(target, key),
            if_version=if_version,
            if_absent=if_absent,
            if_present=if_present,
            op_id=op_id,
        )
    if as_json:
        terminal.show_json(_written_json(result))
    else:
        done = "created" if result.created else "replaced"
        terminal.show(
            f"{done} {key_text(result.key)}, version {result.version}, position {result.position}"
        )


def _document_in(text: str) -> dict[str, Any]:
    """The document of an argument: itself, or what the file it names holds."""
    if text == STDIN:
        return json_document(sys.stdin.buffer.read(), "standard input")
    if not text.startswith("@"):
        return json_document(text.encode("utf-8", "surrogateescape"), "the document")
    path = Path(text[1:]).expanduser()
    try:
        return json_document(path.read_bytes(), text[1:])
    except OSError as error:
        raise NotFound(
            f"{text[1:]}: {error.strerror or error}", hint="name a readable file after the @"
        ) from error


def delete(
    data: options.Data,
    collection: options.CollectionName,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="The documents' keys.")],
    if_version: Annotated[
        int | None,
        typer.Option("--if-version", metavar="N", help="Only if the document has this version."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove documents; a key that does not exist is no error."""
    if if_version is not None and len(keys) > 1:
        raise InvalidRequest("--if-version is for one key", hint="delete the documents one by one")
    with writing(data) as store:
        target = store.collection(collection)
        for text in keys:
            result = target.delete(key_of(target, text), if_version=if_version)
            if as_json:
                terminal.show_json(_written_json(result))
            elif result.deleted:
                terminal.show(f"deleted {key_text(result.key)}")
            else:
                terminal.show(f"there was no {key_text(result.key)}")


def _written_json(result: WriteResult) -> dict[str, Any]:
    return {
        "key": result.key,
        "version": result.version,
        "position": str(result.position),
        "created": result.created,
        "deleted": result.deleted,
    }
