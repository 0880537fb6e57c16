"""Getting listings into the demo's store, once: from the fixtures or a file.

A load that was stopped goes on. A collection that is loaded is left as it is: what people
wrote into it stays.
"""

from pathlib import Path
from typing import Any

import api
from api import terminal
from api.demo.listings import COLLECTION, INDEXES, SCHEMA, tidied
from api.lines import Reader, source_of
from api.load import Interrupts, Loader, Tally, batches
from api.load_progress import LoadProgress
from api.load_report import LoadReport
from docstore import Collection, NotFound, Store

PARTITIONS = 4
_BATCH_DOCUMENTS = 2000
_LOADING_FILE = "demo-loading.json"
"""Is there while a load is under way: a collection without it is whole."""


def fixtures() -> Path:
    """The listings that come along: inside the installed package, or beside it in a checkout."""
    (room,) = api.__path__
    for folder in (Path(room) / "fixtures", Path(room).parent / "fixtures"):
        if (folder / "cars.jsonl").is_file():
            return folder / "cars.jsonl"
    raise NotFound(
        "the example listings are not installed", hint="name a file of cars with --listings"
    )


def prepare(store: Store, listings: Path | None) -> int:
    """Load the listings unless they are there; returns how many there are.

    Raises NotFound, and Unavailable when the store cannot write.
    """
    directory = store.path / COLLECTION
    mark = store.path / _LOADING_FILE
    is_there = COLLECTION in store.collections()
    if is_there and not mark.exists():
        collection = store.collection(COLLECTION)
        if listings is not None:
            terminal.note(
                f"{store.path} holds listings already and {listings} was not loaded; "
                "name another directory for it"
            )
        _declare(collection)
        return collection.count()
    source = source_of(str(fixtures() if listings is None else listings))
    mark.touch()
    collection = (
        store.collection(COLLECTION)
        if is_there
        else store.create_collection(COLLECTION, SCHEMA, key="id", partitions=PARTITIONS)
    )
    progress, tally, interrupts = LoadProgress(directory), Tally(), Interrupts()
    identities = [source.identity] if source.identity else []
    done = {identity: progress.mark_of(identity).lines for identity in identities}
    reader = Reader([source])
    with (
        interrupts.handled(),
        LoadReport(COLLECTION, tally, reader.bytes_total, as_json=False) as report,
    ):
        loader = Loader(collection, progress, tally, report.refused, stop_on_error=False)
        for batch in batches(map(tidied, reader.lines(done)), _BATCH_DOCUMENTS):
            with interrupts.guarded():
                loader.load(batch)
            report.advanced(reader.bytes_read)
        report.indexing()
        collection.refresh()
    progress.forget(identities)
    mark.unlink()
    _declare(collection)
    return collection.count()


def _declare(collection: Collection[Any]) -> None:
    """Have the global indexes filled, where they are not there; the site works meanwhile."""
    there = {index.name for index in collection.indexes}
    for index in INDEXES:
        if index.name not in there:
            collection.indexes.create(index)
