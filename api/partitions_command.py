"""The commands `split` and `merge`: changing a collection's partitions, with its progress.

The store's process changes them; one that is served is changed over HTTP.
"""

import threading
from collections.abc import Callable
from typing import Annotated, Any

import typer

from api import options, terminal
from api.keys import key_of
from api.opening import writing
from api.text import counted
from docstore import Collection, PartitionChange
from docstore.partitioning import TOKENS

LOOK_SECONDS = 0.2
"""How often a person is shown how far it is."""


def split(
    data: options.Data,
    collection: options.CollectionName,
    partition: Annotated[int, typer.Argument(metavar="N", help="The partition to split.")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="KEY|TOKEN",
            help="Where to cut: a key or its first parts; of hashed keys a token. "
            "Without it, in the middle.",
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Cut a partition in two."""
    with writing(data) as store:
        found = store.collection(collection)
        bound = None if at is None else _bound(found, at)
        _show(watched(found, lambda: found.split(partition, bound)), as_json=as_json)


def merge(
    data: options.Data,
    collection: options.CollectionName,
    left: Annotated[int, typer.Argument(metavar="N", help="A partition.")],
    right: Annotated[int, typer.Argument(metavar="N", help="Its neighbour.")],
    as_json: options.AsJson = False,
) -> None:
    """Make one partition of two neighbours."""
    with writing(data) as store:
        found = store.collection(collection)
        _show(watched(found, lambda: found.merge(left, right)), as_json=as_json)


def _bound(collection: Collection[Any], text: str) -> Any:
    if collection.partitions.definition.partition_map.is_range:
        return key_of(collection, text)
    is_token = text.isdecimal() and int(text) < TOKENS
    return int(text) if is_token else text  # what is no token is refused as such


def watched(collection: Collection[Any], change: Callable[[], PartitionChange]) -> PartitionChange:
    """Make a change, showing on the way how far it is."""
    done = threading.Event()

    def show() -> None:
        with terminal.err().status("beginning") as status:
            while not done.wait(LOOK_SECONDS):
                moving = collection.partitions.moving
                if moving is not None:
                    of = f", {moving['done']:,} of {moving['of']:,}" if moving["of"] else ""
                    status.update(f"{moving['phase']}{of}")

    watcher = threading.Thread(target=show)
    watcher.start()
    try:
        return change()
    finally:
        done.set()
        watcher.join()


def change_json(change: PartitionChange) -> dict[str, Any]:
    """A change as programs get it."""
    return {
        "kind": change.kind,
        "epoch": change.epoch,
        "from": list(change.sources),
        "into": list(change.targets),
        "documents": change.documents,
        "seconds": round(change.seconds, 3),
    }


def _show(change: PartitionChange, *, as_json: bool) -> None:
    if as_json:
        terminal.show_json(change_json(change))
        return
    sources, targets = (" and ".join(map(str, each)) for each in (change.sources, change.targets))
    terminal.show(
        f"{change.kind} {sources} into {targets}: {counted(change.documents, 'document')} "
        f"in {change.seconds:.1f} s, map epoch {change.epoch}"
    )
