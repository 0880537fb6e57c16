"""Running a way to answer from global indexes: which documents match, in order, and their hits.

Covered, the index says which documents match; a document that was written since the index was asked
is held against the query once more. With fetches, every candidate is read and held against it. No
answer is older than it was asked to be; with fetches it is always current. Nothing here chooses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from docstore.global_index.candidates import Candidate, Candidates
from docstore.global_index.definition import GlobalIndex
from docstore.partitions import Partitions
from docstore.queries import execute
from docstore.queries.field_readers import FieldReader, Untestable
from docstore.queries.global_need import Need
from docstore.queries.index_ways import Part, Way
from docstore.queries.ordering import order_key
from docstore.queries.request import Page, Request
from docstore.queries.tearing import Torn
from docstore.shards.records import Record, parsed
from docstore.types import IndexUse

FETCH_BATCH = 500
"""Documents read at once, between two looks at the clock."""


class Row(NamedTuple):
    """A match: its key, the value it was ordered by, and its document when it was read."""

    key: bytes
    sort: Any
    record: Record | None
    candidate: Candidate | None


@dataclass(slots=True)
class Matches:
    """The rows of a page in order, how many match in all, and how far the indexes were.

    `of` are all candidates, when the index alone told which match; else `documents` are all that
    match, if they were asked for.
    """

    total: int
    rows: list[Row]
    uses: tuple[IndexUse, ...]
    of: Candidates | None = None
    documents: list[Any] = field(default_factory=list)


def asked(
    partitions: Partitions, part: Part, request: Request, need: Need | None, *, current: bool
) -> Candidates:
    """The candidates of one index; `need` gives the order when the index is to keep it.

    What has to be after some positions is taken as of now, which costs little more.
    """
    for position in request.after:
        partitions.check_position(position)
    order = None if need is None else need.order
    return partitions.indexes.candidates(
        part.name,
        part.wanted,
        part.conditions,
        sort=None if order is None else order[0].path,
        descending=order is not None and order[1],
        freshness="current" if current or request.current or request.after else "any",
    )


def use_of(part: Part, found: Candidates) -> IndexUse:
    """How far an index was when it gave candidates."""
    return IndexUse(
        part.name,
        tuple(found.index_partitions),
        part.offer.lag,
        part.offer.lag_ms,
        found.pending,
        found.overlay,
        part.offer.checkpoints,
    )


def covered(
    partitions: Partitions, request: Request, need: Need, part: Part, page: Page
) -> Matches:
    """The matches of a page from the index alone."""
    found = asked(partitions, part, request, need, current=False)
    shown = found.page(page.offset, page.limit) if page.limit else []
    if need.order is None:
        rows = [Row(each.key, None, None, each) for each in shown]
    else:
        sort_value = _sort_reader(part.offer.definition, *need.order)
        rows = [Row(each.key, sort_value(each), None, each) for each in shown]
    return Matches(found.total, rows, (use_of(part, found),), found)


def _sort_reader(
    definition: GlobalIndex, reader: FieldReader, descending: bool
) -> Callable[[Candidate], Any]:
    """What tells the value that a search shows as that which it sorted a row by."""
    if definition.covers_all:
        return lambda row: reader.sort_value(row.included[0], descending=descending)
    alone = replace(reader, path="")
    place = definition.include.index(reader.path) if reader.path in definition.include else None

    def shown(row: Candidate) -> Any:
        carried = row.value if place is None else row.included[place]
        if row.is_plain:
            return None if carried is None else alone.held_value(carried)
        return alone.sort_value(carried, descending=descending)

    return shown


def fetched(
    partitions: Partitions,
    request: Request,
    need: Need,
    way: Way,
    page: Page,
    deadline: execute.Deadline | None,
    *,
    keep: bool,
) -> Matches:
    """The matches of a page, every candidate read and held against the query; `keep` keeps all."""
    parts = way.parts
    found = [asked(partitions, part, request, None, current=True) for part in parts]
    uses = tuple(use_of(part, each) for part, each in zip(parts, found, strict=True))
    wanted = found[0].keys()
    for more in found[1:]:
        among = set(more.keys())
        wanted = [key for key in wanted if key in among]
    documents: list[Any] = []
    matches: list[tuple[Any, bytes, Any, Record]] = []
    for start in range(0, len(wanted), FETCH_BATCH):
        if deadline is not None:
            deadline.check()
        batch = wanted[start : start + FETCH_BATCH]
        for key, record in zip(batch, partitions.read(batch), strict=True):
            document = None if record is None else _matching(need, record)
            if document is not None and record is not None:
                value, order = _order_of(need, document)
                matches.append((order, key, value, record))
                if keep:
                    documents.append(document)
    matches.sort(key=lambda match: match[:2])
    rows = [
        Row(key, value, record, None)
        for _, key, value, record in matches[page.offset : page.offset + page.limit]
    ]
    return Matches(len(matches), rows, uses, None, documents)


def _matching(need: Need, record: Record) -> Any:
    """The document, if it is one that the query finds."""
    assert need.test is not None  # noqa: S101  narrows the type: a need that is met has a test
    document = parsed(record.body)
    return document if need.test(document) else None


def _order_of(need: Need, document: Any) -> tuple[Any, Any]:
    if need.order is None:
        return None, ()
    reader, descending = need.order
    value = reader.sort_value(document, descending=descending)
    return value, order_key(value, descending)


class Shown(NamedTuple):
    """What a hit shows: key, document, version and seq, what it was ordered by, bytes if read."""

    key: bytes
    document: Any
    version: int
    seq: int
    sort: Any
    body: bytes | None


def shown_of(
    partitions: Partitions,
    need: Need,
    rows: list[Row],
    of_row: Callable[[Candidate], dict[str, Any] | None] | None,
    of_record: Callable[[Record], Any],
    *,
    is_any: bool,
    may_be_torn: bool,
) -> tuple[list[Shown], int]:
    """What the hits show, and from how many shards they were read.

    A row is read only where `of_row` does not make its document. One whose document is gone or,
    unless any freshness will do, matches no longer, is left out. Raises Torn when one was written
    since it was found, unless that may be.
    """
    made = {
        row.key: document
        for row in rows
        if of_row is not None
        and row.candidate is not None
        and (document := of_row(row.candidate)) is not None
    }
    read = [row.key for row in rows if row.record is None and row.key not in made]
    records, touched = partitions.read_from(read)
    stored = dict(zip(read, records, strict=True))
    shown: list[Shown] = []
    for row in rows:
        candidate = row.candidate
        if candidate is not None and row.key in made:
            made_of = made[row.key], candidate.version, candidate.seq
            shown.append(Shown(row.key, *made_of, row.sort, None))
            continue
        record = row.record or stored[row.key]
        is_unchanged = record is not None and (candidate is None or candidate.seq == record.seq)
        if not is_unchanged and not may_be_torn:
            raise Torn
        if record is None:
            continue
        is_as_found = is_unchanged or is_any
        if is_as_found or _matching(need, record) is not None:
            document = of_record(record)
            read_as = document, record.version, record.seq
            shown.append(Shown(row.key, *read_as, row.sort, record.body))
    if not read:
        touched = len({partitions.number_of(row.key) for row in rows if row.key not in made})
    return shown, touched


def selected_from_rows(
    partitions: Partitions, part: Part, select: tuple[str, ...] | None
) -> Callable[[Candidate], dict[str, Any] | None] | None:
    """What makes the selected fields from a row, where postings carry them as documents do.

    A list and its only value look alike there, as do null and nothing: so only rows that say they
    are plain, or single fields that the schema names, and rows that have all of them.
    """
    definition = part.offer.definition
    if select is None or definition.covers_all or not set(select) <= set(definition.covered):
        return None
    fields = definition.fields
    names = [*fields, *definition.include]
    # Of a field that is indexed and included, what is included is the document's.
    places = [(path, len(names) - 1 - names[::-1].index(path)) for path in select]

    @cache
    def is_declared() -> bool:
        is_included = all(place >= len(fields) for _, place in places)
        return is_included and _are_single(partitions, select)

    def shown(row: Candidate) -> dict[str, Any] | None:
        if not (row.is_plain or is_declared()):
            return None
        values = (row.value,) if len(fields) == 1 else row.value
        carried = (*values, *row.included)
        said = {path: carried[place] for path, place in places}
        return None if None in said.values() else said

    return shown


def _are_single(partitions: Partitions, paths: tuple[str, ...]) -> bool:
    """Whether documents have at most one value of each field, under its name."""
    try:
        return all("." not in path and partitions.readers.of(path).is_single for path in paths)
    except Untestable:
        return False
