"""A search from what a caller passes to typed hits: parse, plan, refresh, run, fetch.

Each stage is timed, and the result carries the plan, so every answer can say how it was found.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson

from docstore import execute, keys
from docstore.documents import DocumentCodec
from docstore.merge import Ranked
from docstore.partitions import Partitions
from docstore.records import Record
from docstore.router import Asked, Routing, plan
from docstore.types import Hit, Key, Plan, Position, SearchResult
from indexing.describe import describe
from indexing.dsl import parse_query
from indexing.errors import InvalidDocument, InvalidQuery, InvalidRequest
from indexing.filters import parse_filter
from indexing.freetext import parse_text
from indexing.query import Bool, MatchAll, Query
from indexing.search import Searches, Sort

D = TypeVar("D")

WINDOW_MAX = 100_000
"""The most hits from the first one on; beyond, a scan or a narrower filter is the right tool."""


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed search without its page."""

    query: Query
    sort: Sort | None
    current: bool
    after: tuple[Position, ...]
    notes: tuple[str, ...]

    @property
    def freshness(self) -> str:
        """The freshness as it was asked for."""
        if self.after:
            return "after " + " ".join(map(str, self.after))
        return "current" if self.current else "any"


@dataclass(frozen=True, slots=True)
class Page:
    """Which hits to return, and which of their fields; raises InvalidQuery when out of bounds."""

    offset: int
    limit: int
    select: tuple[str, ...] | None

    def __post_init__(self) -> None:
        for name, value in (("limit", self.limit), ("offset", self.offset)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InvalidQuery(
                    f"{name} is {value!r}", hint="use a whole number from 0", path=name
                )
        if self.select is not None and not all(isinstance(each, str) for each in self.select):
            raise InvalidQuery(
                f"select is {list(self.select)!r}", hint="name the fields to return", path="select"
            )
        if self.offset + self.limit > WINDOW_MAX:
            raise InvalidQuery(
                f"offset + limit is {self.offset + self.limit:,}, at most {WINDOW_MAX:,} hits can "
                "be paged through",
                hint="narrow the search, or scan the collection",
                path="limit",
            )


def request_of(
    partitions: Partitions,
    q: str | None,
    short_filter: Any,
    query: Any,
    sort: Any,
    freshness: Any,
    after: Any,
    operator: str | None,
) -> Request:
    """Parse what a caller passes; raises InvalidQuery or InvalidRequest.

    By score, documents with more of the words come first; sorted by a field nothing would put them
    first, so all words are required then unless the caller says otherwise.
    """
    order = _sort(sort)
    if operator not in ("or", "and", None):
        raise InvalidQuery(f"operator is {operator!r}", hint='use "or" or "and"', path="operator")
    required = operator == "and" or (operator is None and order is not None)
    current, positions = _freshness(freshness, after)
    must: list[Query] = []
    notes: tuple[str, ...] = ()
    if q is not None:
        if not isinstance(q, str):
            raise InvalidQuery(f"q is a {type(q).__name__}", hint="pass text", path="q")
        # What schemaless documents hold is looked up only when the text may name a field.
        fields = partitions.field_paths(current=current) if ":" in q else frozenset[str]()
        text, notes = parse_text(q, operator="and" if required else "or", fields=fields)
        must.append(text)
    if query is not None:
        must.append(parse_query(query))
    narrowed = () if short_filter is None else (parse_filter(short_filter),)
    if len(must) == 1 and not narrowed:
        (whole,) = must
    elif must or narrowed:
        whole = Bool(must=tuple(must), filter=narrowed)
    else:
        whole = MatchAll()
    return Request(whole, order, current, positions, notes)


def _freshness(freshness: Any, after: Any) -> tuple[bool, tuple[Position, ...]]:
    if after is not None:
        return False, _positions(after)
    if freshness in ("current", "any"):
        return freshness == "current", ()
    if isinstance(freshness, str) and "@" not in freshness:
        raise InvalidRequest(
            f"freshness is {freshness!r}", hint='use "current", "any", or a position'
        )
    return False, _positions(freshness)


def _positions(after: Any) -> tuple[Position, ...]:
    if isinstance(after, Position):
        return (after,)
    if isinstance(after, str):
        return tuple(map(Position.parse, after.replace(",", " ").split()))
    if not isinstance(after, Iterable):
        raise InvalidRequest(
            f"{after!r} is not a position", hint="pass what a write returned as its position"
        )
    return tuple(
        each if isinstance(each, Position) else Position.parse(str(each)) for each in after
    )


def _sort(sort: Any) -> Sort | None:
    """`"price"`, `"-price"`, `"price:desc"`, `{"price": "desc"}`, `"_score"` or a Sort."""
    if sort is None or isinstance(sort, Sort):
        return sort
    if isinstance(sort, list | tuple) and len(sort) == 1:
        return _sort(sort[0])
    if isinstance(sort, dict) and len(sort) == 1:
        ((path, direction),) = sort.items()
        direction = direction.get("order") if isinstance(direction, dict) else direction
    elif isinstance(sort, str) and sort:
        path, _, direction = sort.partition(":")
        if path.startswith("-"):
            path, direction = path[1:], direction or "desc"
        if not path:
            raise InvalidQuery(f"sort is {sort!r}", hint='name a field, like "price"', path="sort")
        direction = direction or ("desc" if path == "_score" else "asc")
    else:
        raise InvalidQuery(
            f"sort is {sort!r}", hint='sort by one field, like "price" or "price:desc"', path="sort"
        )
    if direction not in ("asc", "desc"):
        raise InvalidQuery(f"sort direction is {direction!r}", hint="asc or desc", path="sort")
    if path == "_score":
        if direction == "asc":
            raise InvalidQuery("the worst score first", hint="sort by _score:desc", path="sort")
        return None
    return Sort(path, descending=direction == "desc")


def explain(partitions: Partitions, request: Request) -> Plan:
    """The plan of a search, with the notes of resolving it; runs nothing."""
    routing = _routed(partitions, request)
    searches = Searches(
        request.query,
        partitions.views(routing.plan.chosen.shards, None, current=False),
        _key_text(partitions),
    )
    return replace(routing.plan, notes=(*routing.plan.notes, *searches.notes))


def count(partitions: Partitions, request: Request) -> int:
    """How many documents match."""
    routing = _routed(partitions, request)
    if routing.keys:
        return len(_read(partitions, routing.keys))
    views = partitions.views(routing.plan.chosen.shards, request.after, current=request.current)
    return Searches(request.query, views, _key_text(partitions)).counted()


def search(
    partitions: Partitions, codec: DocumentCodec[D], request: Request, page: Page
) -> SearchResult[D]:
    """Plan, refresh, run and fetch one page."""
    began = time.perf_counter()
    routing = _routed(partitions, request)
    planned = time.perf_counter()
    if routing.keys and request.sort is None:
        return _point_read(partitions, codec, routing, page, began, planned)
    shards = routing.plan.chosen.shards
    views = partitions.views(shards, request.after, current=request.current)
    refreshed = time.perf_counter()
    found = execute.search(
        request.query,
        views,
        _key_text(partitions),
        request.sort,
        page.offset,
        page.limit,
        partitions.search_pool,
    )
    fetching = time.perf_counter()
    hits = _hits(partitions, codec, found.ranked, page.select, by_score=request.sort is None)
    done = time.perf_counter()
    timings = {
        "plan": (planned - began) * 1000,
        "refresh": (refreshed - planned) * 1000,
        "search": found.search_ms,
        "merge": found.merge_ms,
        "fetch": (done - fetching) * 1000,
    }
    decision = routing.plan
    if found.notes:
        decision = replace(decision, notes=(*decision.notes, *found.notes))
    took = (done - began) * 1000
    return SearchResult(found.total, hits, decision, len(shards), took, timings)


def _hits(
    partitions: Partitions,
    codec: DocumentCodec[D],
    ranked: list[Ranked],
    select: tuple[str, ...] | None,
    *,
    by_score: bool,
) -> list[Hit[D]]:
    """The documents of matches; one that was deleted since the view was taken is left out."""
    spec = partitions.definition.key
    by_shard: dict[int, list[bytes]] = {}
    for match in ranked:
        by_shard.setdefault(match.shard, []).append(keys.from_key_text(spec, match.key_text))
    # Matches of a shard come back in the order they were asked for, one transaction per shard.
    read = {
        shard: iter(zip(wanted, partitions.shard(shard).get_many(wanted), strict=True))
        for shard, wanted in by_shard.items()
    }
    hits = []
    for _, _, shard, value in ranked:
        key, record = next(read[shard])
        if record is not None:
            document = _document(codec, record, select)
            score, sort = (value, None) if by_score else (None, value)
            hits.append(Hit(keys.decode(spec, key), score, document, record.version, sort))
    return hits


def _point_read(
    partitions: Partitions,
    codec: DocumentCodec[D],
    routing: Routing,
    page: Page,
    began: float,
    planned: float,
) -> SearchResult[D]:
    """Hits straight from the documents, in key order: always current, no index involved."""
    found = _read(partitions, routing.keys)
    spec = partitions.definition.key
    hits = [
        Hit(keys.decode(spec, key), 1.0, _document(codec, record, page.select), record.version)
        for key, record in found[page.offset : page.offset + page.limit]
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


def _routed(partitions: Partitions, request: Request) -> Routing:
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


def _key_text(partitions: Partitions) -> Callable[[Any], str]:
    spec = partitions.definition.key

    def key_text(key: Any) -> str:
        try:
            return keys.key_text(spec, keys.encode(spec, partitions.key_parts.key(key)))
        except InvalidDocument as error:
            raise InvalidQuery(error.message, hint=error.hint, path="ids") from error

    return key_text


def _document(codec: DocumentCodec[D], record: Record, select: tuple[str, ...] | None) -> Any:
    if select is None:
        return codec.decode(record.body)
    document = orjson.loads(record.body)
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
