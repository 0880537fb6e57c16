"""The operator's commands: stats, check, rebuild, collections, drop."""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from api import answers, failures, options, terminal
from api.opening import reading, searching, writing
from api.text import counted
from docstore import InvalidRequest

CollectionOption = Annotated[
    str | None, typer.Argument(metavar="[COLLECTION]", help="Only this collection.")
]


def stats(
    data: options.Data, collection: CollectionOption = None, as_json: options.AsJson = False
) -> None:
    """Show documents, bytes, log and index of every partition."""
    with searching(data) as store:
        if collection is None:
            answer = store.stats()
            collections = answer["collections"]
        else:
            answer = store.collection(collection).stats()
            collections = [answer]
    if as_json:
        terminal.show_json(answer)
    else:
        answers.show_stats(collections)


def check(
    data: options.Data, collection: CollectionOption = None, as_json: options.AsJson = False
) -> None:
    """Compare documents, logs, indexes and map; print each violation, exit with 1 if any.

    With --json one line per violation, and none when there is no violation.
    """
    count = 0
    with searching(data) as store:
        checked = store if collection is None else store.collection(collection)
        for violation in checked.check():
            count += 1
            if as_json:
                terminal.show_json(asdict(violation))
            else:
                terminal.show(answers.violation_text(violation))
    if count:
        if not as_json:
            terminal.note(
                f"{counted(count, 'violation')}; "
                "docstore rebuild makes an index again from its documents"
            )
        raise typer.Exit(failures.SOMETHING_REFUSED)
    if not as_json:
        terminal.show("no violation")


def rebuild(
    data: options.Data,
    collection: options.CollectionName,
    partition: Annotated[
        int | None, typer.Option("--partition", metavar="N", help="Only this partition's index.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make the local indexes again from the documents, which stay as they are."""
    began = time.perf_counter()
    with writing(data) as store:
        found = store.collection(collection)
        found.rebuild(partition)
        documents = found.count()
    seconds = time.perf_counter() - began
    if as_json:
        terminal.show_json(
            {
                "collection": collection,
                "partition": partition,
                "documents": documents,
                "seconds": round(seconds, 3),
            }
        )
    else:
        part = "" if partition is None else f", partition {partition}"
        terminal.show(f"rebuilt the index of {collection}{part} in {seconds:.1f} s")


def collections(data: options.Data, as_json: options.AsJson = False) -> None:
    """List the collections with their documents, keys and fields."""
    with reading(data) as store:
        found = [store.collection(name) for name in store.collections()]
        listed = [
            {
                "collection": each.name,
                "documents": each.count(),
                "key": list(each.key_fields),
                "schema": each.schema.to_json(),
            }
            for each in found
        ]
    if as_json:
        terminal.show_json(listed)
    else:
        answers.show_collections(listed)


def drop(
    data: options.Data,
    collection: options.CollectionName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Remove a collection with all its documents, after asking."""
    with writing(data) as store:
        documents = store.collection(collection).count()
        if as_json and not yes:
            raise InvalidRequest("drop asks before it removes", hint="with --json pass --yes")
        if not yes:
            typer.confirm(
                f"Remove {collection} with its {counted(documents, 'document')}?",
                abort=True,
                err=True,
            )
        store.drop_collection(collection)
    if as_json:
        terminal.show_json({"collection": collection, "documents": documents})
    else:
        terminal.show(f"removed {collection} with its {counted(documents, 'document')}")
