"""Answers for people: hits and documents as tables, a plan as a tree, statistics, violations.

Deliberately absent: asking anything. Each function shows values that the store already gave.
"""

import math
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from api import terminal
from api.changes_text import limits_text, moving_text, past_text, troubles, when_text
from api.columns import GAP_CELLS, cell_text, choose, flattened
from api.text import counted, key_text, plain, size_text
from docstore import Candidate, Document, Plan, SearchResult, Violation

KEY_CELLS_MAX = 40
FIELDS_SHOWN = 12
"""Of a collection's declared fields, in the list of collections."""
CHANGES_SHOWN = 8
"""The last changes of a collection's partitions, in its statistics."""
_EDGE_CELLS = 2
"""What the table's own edges take."""


def show_hits(
    result: SearchResult[Any], key_fields: tuple[str, ...], sort: str | None, offset: int
) -> None:
    """A page of hits with score or sort value, then how many there are and how they were found."""
    if result.hits:
        keys = [key_text(hit.key) for hit in result.hits]
        sorted_by = sort.removeprefix("-").partition(":")[0] if sort else None
        if all(hit.score is None for hit in result.hits):
            lead_name = sorted_by or "sort"
            lead = [hit.sort for hit in result.hits]
        else:
            lead_name = "score"
            lead = [None if hit.score is None else round(hit.score, 3) for hit in result.hits]
        left_out = frozenset((*key_fields, lead_name))
        documents = [hit.document for hit in result.hits]
        terminal.show(_table(keys, documents, left_out, (lead_name, lead)))
    terminal.show(Text(_found(result, offset)))
    for note in result.plan.notes:
        terminal.note(f"note: {note}")


def _found(result: SearchResult[Any], offset: int) -> str:
    if not result.total:
        found = "nothing found"
    elif not result.hits:
        found = f"{result.total:,} found, none shown"
    else:
        found = f"{offset + 1:,}-{offset + len(result.hits):,} of {result.total:,} found"
    shards = counted(result.shards_touched, "shard")
    return f"{found}, {result.took_ms:.1f} ms, {shards}, {result.plan.chosen.name}"


def show_documents(documents: Sequence[Document[Any]], key_fields: tuple[str, ...]) -> None:
    """Documents in the order given."""
    if not documents:
        terminal.show(Text("no documents"))
        return
    keys = [key_text(each.key) for each in documents]
    versions = ("version", [each.version for each in documents])
    values = [each.document for each in documents]
    terminal.show(_table(keys, values, frozenset(key_fields), versions))


def _table(
    keys: list[str],
    documents: list[dict[str, Any]],
    left_out: frozenset[str],
    lead: tuple[str, list[Any]],
) -> Table:
    """A row per document: its key, one leading value, and the columns that fit."""
    rows = [flattened(document) for document in documents]
    lead_name, lead_values = lead
    lead_texts = [cell_text(value) for value in lead_values]
    lead_width = max(map(cell_len, (lead_name, *lead_texts)))
    key_width = min(KEY_CELLS_MAX, max(map(cell_len, ("key", *keys))))
    room = terminal.out().width - _EDGE_CELLS - key_width - lead_width - 2 * GAP_CELLS
    columns = choose(rows, room, left_out)
    table = _new_table()
    table.add_column("key", style="bold", max_width=key_width, no_wrap=True)
    table.add_column(Text(lead_name), justify="right", no_wrap=True)
    for column in columns:
        table.add_column(
            Text(cell_text(column.path)),
            width=column.width,
            justify="right" if column.is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for key, first, row in zip(keys, lead_texts, rows, strict=True):
        cells = (cell_text(row.get(column.path)) for column in columns)
        table.add_row(*map(Text, (key, first, *cells)))
    return table


def _new_table() -> Table:
    return Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, GAP_CELLS - 1, 0, 0), show_edge=False)


def show_plan(plan: Plan) -> None:
    """A plan as a tree: what was asked, the candidate chosen, those rejected, remarks."""
    tree = Tree(Text("plan", style="bold"), guide_style="dim")
    tree.add(Text(f"query      {plain(plan.query)}"))
    tree.add(Text(f"sort       {plain(plan.sort)}"))
    tree.add(Text(f"freshness  {plan.freshness}"))
    chosen = tree.add(Text("chosen", style="bold green"))
    chosen.add(_candidate(plan.chosen))
    if plan.rejected:
        rejected = tree.add(Text("rejected"))
        for candidate in plan.rejected:
            rejected.add(_candidate(candidate))
    for note in plan.notes:
        tree.add(Text(f"note: {plain(note)}"))
    terminal.show(tree)


def _candidate(candidate: Candidate) -> Text:
    name = " ".join((candidate.name, *map(plain, candidate.indexes)))
    if not math.isfinite(candidate.price):
        return Text(f"{name}: not possible, {plain(candidate.reason)}")
    shards = ", ".join(map(str, candidate.shards))
    where = f", shards {shards}" if shards else "" if candidate.indexes else ", shards none"
    return Text(f"{name}: about {candidate.price:,.0f} µs{where}; {plain(candidate.reason)}")


def show_stats(collections: list[dict[str, Any]]) -> None:
    """Each collection's partitions, one row each, and their sums."""
    if not collections:
        terminal.show(Text("no collections"))
    for each in collections:
        table = _new_table()
        table.title = plain(each["collection"])
        table.title_justify = "left"
        for name in ("partition", "documents", "size", "index", "log", "indexed to", "lag"):
            table.add_column(name, justify="right", no_wrap=True)
        for part in each["partitions"]:
            table.add_row(
                str(part["partition"]),
                f"{part['documents']:,}",
                size_text(part["document_bytes"]),
                size_text(part["index_bytes"]),
                f"{part['log_entries']:,}",
                f"{part['indexed']:,} of {part['head']:,}",
                f"{part['lag']:,}",
            )
        terminal.show(table)
        terminal.show(
            Text(
                f"{counted(each['documents'], 'document')}, {size_text(each['bytes'])}, "
                f"lag {each['lag']:,}, map epoch {each['epoch']}"
            )
        )
        _show_changes(each)
        for part in each["partitions"]:
            if part["error"]:
                terminal.note(f"partition {part['partition']}: {part['error']}")


def _show_changes(stats: dict[str, Any]) -> None:
    """What becomes of the partitions by itself, and what was done to them last."""
    if stats["moving"]:
        terminal.show(Text(moving_text(stats["moving"])))
    for past in stats["history"][-CHANGES_SHOWN:]:
        terminal.show(Text(f"{when_text(past)}  {past_text(past)}"))
    terminal.note(limits_text(stats["auto_split"]["limits"]))
    for trouble in troubles(stats["auto_split"]):
        terminal.note(trouble)


def show_collections(collections: list[dict[str, Any]]) -> None:
    """One row per collection."""
    if not collections:
        terminal.show(Text("no collections"))
        return
    table = _new_table()
    table.add_column("collection", style="bold", no_wrap=True)
    table.add_column("documents", justify="right", no_wrap=True)
    table.add_column("key", no_wrap=True)
    table.add_column("fields")
    for each in collections:
        table.add_row(
            Text(each["collection"]),
            f"{each['documents']:,}",
            Text(plain(", ".join(each["key"]))),
            Text(_fields_text(list(each["schema"]["fields"]))),
        )
    terminal.show(table)


def _fields_text(names: list[str]) -> str:
    if not names:
        return "whatever arrives"
    more = f" and {len(names) - FIELDS_SHOWN} more" if len(names) > FIELDS_SHOWN else ""
    return plain(", ".join(names[:FIELDS_SHOWN]) + more)


def violation_text(violation: Violation) -> str:
    """A violation on one line: where, which rule, which key, what does not agree."""
    place = violation.collection
    if violation.partition is not None:
        place += f"/{violation.partition}"
    key = "" if violation.key is None else f" {key_text(violation.key)}"
    return plain(f"{place} {violation.rule}{key}: {violation.detail}")
