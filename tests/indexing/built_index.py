"""Documents made into a local index, as a shard does it: columns are discovered, then all is one
commit. Keys are the documents' numbers as `000`, `001`, …"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from indexing.flatten import Flattener, Line
from indexing.layout import Layout
from indexing.local_index import Change, LocalIndex, View
from indexing.passes import Run
from indexing.query import Query
from indexing.schema import Schema
from indexing.search import Searches
from indexing.writers import WriterBudget

Documents = Sequence[dict[str, Any]]


def key_of(number: int) -> str:
    return f"{number:03d}"


def lines_of(schema: Schema, documents: Documents) -> tuple[Layout, list[str | Line]]:
    """The layout that holds all documents, and their lines for it."""
    layout = Layout(schema)
    while True:
        flattener = Flattener(layout)
        lines = [flattener.line(key_of(n), n, document) for n, document in enumerate(documents)]
        if not flattener.found or layout.is_full:
            return layout, lines
        layout = layout.grown(flattener.found)


def held_in(line: str | Line) -> Line:
    """What a line holds, whether it is text or not."""
    held: Line = orjson.loads(line) if isinstance(line, str) else line
    return held


def build(
    directory: Path, schema: Schema, documents: Documents, only: range | None = None
) -> LocalIndex:
    """An index over the documents, or over those whose numbers are in `only`."""
    numbers = range(len(documents)) if only is None else only
    layout, _ = lines_of(schema, [documents[n] for n in numbers])
    flattener = Flattener(layout)
    index = LocalIndex.create(directory, layout)
    changes = [Change(key_of(n), flattener.line(key_of(n), n, documents[n]), True) for n in numbers]
    index.fill(changes, WriterBudget(1)).commit()
    index.reload()
    return index


def found(view: View, query: Query) -> list[str]:
    """The keys of all matches, sorted; their number is checked against the count."""
    searches = Searches(query, {0: view}, str)
    ((only,),) = searches.ready(None).passes.values()
    run = Run(view, only)
    run.find(10_000)
    keys = sorted(run.keys(run.entries))
    assert searches.counted() == len(keys) == len(set(keys))
    return keys
