"""A search from what a caller passes to typed hits: parse, plan, refresh, run, fetch.

Each stage is timed, and the result carries the plan, so every answer can say how it was found.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from docstore import keys
from docstore.documents import DocumentCodec
from docstore.partitions import Partitions
from docstore.queries import execute
from docstore.queries.counting import Counting
from docstore.queries.counting import count as count_beside
from docstore.queries.kept_counts import state_of
from docstore.queries.marking import Marking
from docstore.queries.merge import Ranked
from docstore.queries.pricing import price_of, would_wait
from docstore.queries.request import Kept, Page, Request
from docstore.queries.router import Asked, Routing, plan
from docstore.queries.tearing import Torn, whole
from docstore.shards.records import Record, parsed
from docstore.types import Hit, Key, Plan, SearchResult
from indexing.counting import Counts
from indexing.describe import describe
from indexing.errors import InvalidDocument, InvalidQuery
from indexing.local_index import View
from indexing.passes import Sort
from indexing.query import Query
from indexing.search import Ready, Searches

D = TypeVar("D")


def explain(partitions: Partitions, request: Request) -> Plan:
    """The plan of a search, with the notes of resolving it; runs nothing."""
    routing = _planned(partitions, request)
    searches = Searches(
        request.query,
        partitions.views(routing.plan.chosen.shards, None, current=False),
        key_texts(partitions),
    )
    return replace(routing.plan, notes=(*routing.plan.notes, *searches.notes))


def price(partitions: Partitions, request: Request, window: int) -> float:
    """Estimated microseconds of a search up to hit `window`; infinite when it has to wait."""
    chosen = routed(partitions, request).plan.chosen
    if chosen.name != "point_read" and would_wait(
        partitions, chosen.shards, request.after, current=request.current
    ):
        return math.inf
    return price_of(request.query, chosen.price, window)


def count(partitions: Partitions, request: Request) -> int:
    """How many documents match."""
    routing = routed(partitions, request)
    partitions.traffic.reads.note_all(routing.about)
    if routing.keys:
        return len(_read(partitions, routing.keys))
    views = partitions.views(routing.plan.chosen.shards, request.after, current=request.current)
    return Searches(request.query, views, key_texts(partitions)).counted()


def search(
    partitions: Partitions,
    codec: DocumentCodec[D],
    request: Request,
    page: Page,
    counting: Counting | None = None,
    marking: Marking | None = None,
    deadline: execute.Deadline | None = None,
) -> SearchResult[D]:
    """Plan, refresh, run and fetch one page; count and mark what is asked for beside it."""
    return whole(
        lambda may_be_torn: _found(
            partitions, codec, request, page, counting, marking, deadline, may_be_torn=may_be_torn
        ),
        page.limit,
        is_current=request.current,
    )


def _found(
    partitions: Partitions,
    codec: DocumentCodec[D],
    request: Request,
    page: Page,
    counting: Counting | None,
    marking: Marking | None,
    deadline: execute.Deadline | None,
    *,
    may_be_torn: bool,
) -> SearchResult[D]:
    """One attempt; raises Torn."""
    began = time.perf_counter()
    routing = routed(partitions, request)
    partitions.traffic.reads.note_all(routing.about)
    planned = time.perf_counter()
    if routing.keys and request.sort is None:
        read = _point_read(partitions, codec, routing, page, marking, began, planned)
        return _with_counts(partitions, request, counting, read, deadline)
    shards = routing.plan.chosen.shards
    heads = None if may_be_torn else {number: partitions.shard(number).head for number in shards}
    views = partitions.views(shards, request.after, current=request.current)
    refreshed = time.perf_counter()
    if counting is not None and page.limit == 0 and (deadline is None or not deadline.is_partial):
        # Whoever wants no hits finds the total while counting, and looks for matches only once.
        # Where time may run out the total comes first: it is worth more than the counts.
        counts = counts_beside(partitions, request, counting, views, deadline, with_total=True)
        found = execute.Found(counts.total or 0, [], counts.notes, 0.0, 0.0)
    else:
        ready, pool = _ready(partitions, request, views), partitions.search_pool
        window = page.offset, page.limit
        found = execute.search(ready, views, request.sort, *window, pool, deadline)
        views = {number: view for number, view in views.items() if number not in found.missing}
        if counting is not None:
            counts = counts_beside(partitions, request, counting, views, deadline)
    fetching = time.perf_counter()
    hits = _hits(partitions, codec, found.ranked, page.select, marking, heads, request.sort)
    done = time.perf_counter()
    timings = {
        "plan": (planned - began) * 1000,
        "refresh": (refreshed - planned) * 1000,
        "search": found.search_ms,
        "merge": found.merge_ms,
        "fetch": (done - fetching) * 1000,
    }
    facets, histograms, notes = {}, {}, found.notes
    uncounted: tuple[str, ...] = ()
    if counting is not None:
        facets, histograms, notes = counts.facets, counts.histograms, (*notes, *counts.notes)
        uncounted = counting.left_out(facets, histograms)
        timings["count"] = (fetching - refreshed) * 1000 - found.search_ms - found.merge_ms
    decision = routing.plan
    if notes:
        decision = replace(decision, notes=tuple(dict.fromkeys((*decision.notes, *notes))))
    took = (done - began) * 1000
    return SearchResult(
        found.total,
        hits,
        decision,
        len(views),
        took,
        timings,
        facets,
        histograms,
        found.missing,
        uncounted=uncounted,
    )


def _with_counts(
    partitions: Partitions,
    request: Request,
    counting: Counting | None,
    read: SearchResult[D],
    deadline: execute.Deadline | None,
) -> SearchResult[D]:
    """What was read by key, with the counts asked for, which only the indexes can tell."""
    if counting is None:
        return read
    began = time.perf_counter()
    shards = read.plan.chosen.shards
    views = partitions.views(shards, request.after, current=request.current)
    counts = counts_beside(partitions, request, counting, views, deadline)
    spent = (time.perf_counter() - began) * 1000
    return replace(
        read,
        took_ms=read.took_ms + spent,
        timings_ms={**read.timings_ms, "count": spent},
        facets=counts.facets,
        histograms=counts.histograms,
        uncounted=counting.left_out(counts.facets, counts.histograms),
    )


def counts_beside(
    partitions: Partitions,
    request: Request,
    counting: Counting,
    views: dict[int, View],
    deadline: execute.Deadline | None = None,
    *,
    with_total: bool = False,
) -> Counts:
    """What is counted beside a search over views that serve its query; opens more if needed.

    Other pages of a search over all shards have the counts of the first, while the views are those.
    """

    def views_for(query: Query) -> dict[int, View]:
        shards = shards_of(partitions, replace(request, query=query))
        more = [number for number in shards if number not in views]
        return partitions.views(more, request.after, current=request.current)

    state = state_of(views) if len(views) == len(partitions.numbers) else ()
    known = request.counted.of(state, counting, with_total=with_total) if state else None
    if known is not None:
        return known
    counts = count_beside(
        counting,
        request.narrowed,
        views,
        views_for,
        key_texts(partitions),
        partitions.search_pool,
        with_total=with_total,
        deadline=deadline,
    )
    if state and not counting.left_out(counts.facets, counts.histograms):
        request.counted = request.counted.having(state, counting, counts, with_total=with_total)
    return counts


def _hits(
    partitions: Partitions,
    codec: DocumentCodec[D],
    ranked: list[Ranked],
    select: tuple[str, ...] | None,
    marking: Marking | None,
    heads: Mapping[int, int] | None,
    sort: Sort | None,
) -> list[Hit[D]]:
    """The documents of matches; one that was deleted since the view was taken is left out.

    Raises Torn when one was written after the `heads` of the shards, if they are given.
    """
    spec = partitions.definition.key
    by_shard: dict[int, list[bytes]] = {}
    for _, key_text, shard, _ in ranked:
        by_shard.setdefault(shard, []).append(keys.from_key_text(spec, key_text))
    # Matches of a shard come back in the order they were asked for, one transaction per shard.
    read = {
        shard: iter(zip(wanted, partitions.shard(shard).get_many(wanted), strict=True))
        for shard, wanted in by_shard.items()
    }
    hits = []
    for _, _, shard, value in ranked:
        key, record = next(read[shard])
        if heads is not None and (record is None or record.seq > heads[shard]):
            raise Torn
        if record is not None:
            document = document_of(codec, record, select)
            told = None if sort is None else partitions.readers.told(sort.path, value)
            score = value if sort is None else None
            named = keys.decode(spec, key)
            hit = Hit(named, score, document, record.version, told, seq=record.seq)
            hits.append(hit if marking is None else marking.marked(hit, record.body))
    return hits


def _point_read(
    partitions: Partitions,
    codec: DocumentCodec[D],
    routing: Routing,
    page: Page,
    marking: Marking | None,
    began: float,
    planned: float,
) -> SearchResult[D]:
    """Hits straight from the documents, in key order: always current, no index involved."""
    found = _read(partitions, routing.keys)
    spec = partitions.definition.key
    shown = found[page.offset : page.offset + page.limit]
    hits = []
    for key, record in shown:
        document = document_of(codec, record, page.select)
        hits.append(Hit(keys.decode(spec, key), 1.0, document, record.version, seq=record.seq))
    if marking is not None:
        hits = [
            marking.marked(hit, record.body) for hit, (_, record) in zip(hits, shown, strict=True)
        ]
    done = time.perf_counter()
    timings = {"plan": (planned - began) * 1000, "fetch": (done - planned) * 1000}
    shards = len(routing.plan.chosen.shards)
    return SearchResult(len(found), hits, routing.plan, shards, (done - began) * 1000, timings)


def _read(partitions: Partitions, wanted: tuple[Key, ...]) -> list[tuple[bytes, Record]]:
    spec = partitions.definition.key
    encoded = sorted(keys.encode(spec, key) for key in wanted)
    records = partitions.read(encoded)
    return [
        (key, record) for key, record in zip(encoded, records, strict=True) if record is not None
    ]


def routed(partitions: Partitions, request: Request) -> Routing:
    """How to answer a request: as before, while the partitions are the same.

    Where a value of a typed key leads may change with each write, so that is planned anew.
    """
    kept, definition = request.kept, partitions.definition
    if kept is None or kept.partition_map is not definition.partition_map:
        kept = request.kept = Kept(definition.partition_map, _planned(partitions, request))
    elif definition.key.typed and kept.routing.plan.chosen.name != "scatter":
        return _planned(partitions, request)
    return kept.routing


def _planned(partitions: Partitions, request: Request) -> Routing:
    sort = request.sort
    asked = Asked(
        request.query,
        describe(request.query),
        "_score" if sort is None else f"{sort.path}:{'desc' if sort.descending else 'asc'}",
        request.freshness,
        request.notes,
    )
    definition = partitions.definition
    documents = {number: partitions.document_estimate(number) for number in partitions.numbers}
    return plan(asked, definition.partition_map, definition.key, documents, partitions.key_parts)


def _ready(partitions: Partitions, request: Request, views: dict[int, View]) -> Ready:
    """The passes over some views: as before, while the views are the same.

    When they are not, what the shards hold has changed, and the next search is planned on that.
    """
    kept, serials = request.kept, tuple([view.serial for view in views.values()])
    if kept is not None and kept.ready is not None and kept.serials == serials:
        return kept.ready
    partition_map = partitions.definition.partition_map
    ready = Searches(request.query, views, key_texts(partitions)).ready(request.sort)
    request.kept = Kept(partition_map, _planned(partitions, request), serials, ready)
    return ready


def shards_of(partitions: Partitions, request: Request) -> tuple[int, ...]:
    """The shards that can hold a match."""
    return routed(partitions, request).plan.chosen.shards


def key_texts(partitions: Partitions) -> Callable[[Any], str]:
    """What turns a key of a query into the text that indexes hold."""
    spec = partitions.definition.key

    def key_text(key: Any) -> str:
        try:
            return keys.key_text(spec, keys.encode(spec, partitions.key_parts.key(key)))
        except InvalidDocument as error:
            raise InvalidQuery(error.message, hint=error.hint, path="ids") from error

    return key_text


def document_of(codec: DocumentCodec[D], record: Record, select: tuple[str, ...] | None) -> Any:
    """A document as its reader knows it, or a dict of the selected fields."""
    if select is None:
        return codec.decode(record.body)
    document = parsed(record.body)
    selected: dict[str, Any] = {}
    for path in select:
        _copy(document, path.split("."), selected)
    return selected


def _copy(document: dict[str, Any], path: list[str], into: dict[str, Any]) -> None:
    """Copy one path, keeping its nesting; what is not there is left out."""
    name, *rest = path
    if name not in document:
        return
    value = document[name]
    if not rest:
        into[name] = value
    elif isinstance(value, dict):
        _copy(value, rest, into.setdefault(name, {}))
