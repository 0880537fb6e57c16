"""A search as it is asked for: what a caller passes, parsed and checked before it is planned.

Pure apart from its errors, which say what to write instead, and from remembering: the same question
asked again is the same request, with whatever was kept of answering it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from docstore.partitioning import PartitionMap
from docstore.partitions import Partitions
from docstore.queries.asking import Foreseen
from docstore.queries.global_need import Need
from docstore.queries.kept_counts import KeptCounts
from docstore.queries.router import Routing
from docstore.types import Position
from indexing.dsl import parse_query
from indexing.errors import InvalidQuery, InvalidRequest
from indexing.filters import parse_filter
from indexing.freetext import parse_text
from indexing.narrowing import Narrowed
from indexing.passes import Sort
from indexing.query import Query
from indexing.search import Ready

WINDOW_MAX = 100_000
"""The most hits from the first one on; beyond, a scan or a narrower filter is the right tool."""


class Kept(NamedTuple):
    """How a request was routed, and made ready for views with these serials, if it was.

    Good for the partition map it was planned on; what is ready, for as long as the views are those.
    """

    partition_map: PartitionMap
    routing: Routing
    serials: tuple[int, ...] = ()
    ready: Ready | None = None


@dataclass(slots=True)
class Request:
    """A parsed search without its page; only what was found out for it changes, replaced whole."""

    query: Query
    sort: Sort | None
    current: bool
    after: tuple[Position, ...]
    notes: tuple[str, ...]
    narrowed: Narrowed
    kept: Kept | None = field(default=None, init=False, compare=False)
    need: Need | None = field(default=None, init=False, compare=False)
    foreseen: Foreseen | None = field(default=None, init=False, compare=False)
    counted: KeptCounts = field(default_factory=KeptCounts, init=False, compare=False)

    @property
    def freshness(self) -> str:
        """The freshness as it was asked for."""
        if self.after:
            return "after " + " ".join(map(str, self.after))
        return "current" if self.current else "any"


def check_limit(limit: object) -> None:
    """Refuse what says not how many to return at most, None being all; raises InvalidRequest."""
    if limit is not None and (type(limit) is not int or limit < 0):
        raise InvalidRequest(
            f"limit is {limit!r}", hint="use a number from 0, or None for all", path="limit"
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Which hits to return, and which of their fields; raises InvalidQuery when out of bounds."""

    offset: int
    limit: int
    select: tuple[str, ...] | None

    @classmethod
    def of(cls, offset: int, limit: int, select: Iterable[str] | None) -> "Page":
        """A page as a caller asks for it; one field may be selected by its bare name."""
        if select is None:
            return cls(offset, limit, None)
        return cls(offset, limit, (select,) if isinstance(select, str) else tuple(select))

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
                hint="narrow the search, or ask for what comes after the last hit: a greater sort "
                "value, or the same value and a greater key",
                path="limit",
            )


_UNPLANNED = frozenset(
    ("limit", "offset", "select", "facets", "histograms", "highlight", "timeout", "partial")
)


def check_unplanned(given: Iterable[str]) -> None:
    """Refuse arguments beside those of a search that do not change its plan."""
    unknown = set(given) - _UNPLANNED
    if unknown:
        raise InvalidRequest(
            f"explain takes no {', '.join(sorted(unknown))}", hint="pass what search takes"
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
    """What a caller passes, parsed, or known from before; raises InvalidQuery or InvalidRequest."""
    question = q, short_filter, query, sort, freshness, after, operator
    if isinstance(q, str) and ":" in q:
        return _parsed(partitions, *question)  # may name a field that only some documents have
    return partitions.questions.parsed(question, partial(_parsed, partitions))


def _parsed(
    partitions: Partitions,
    q: str | None,
    short_filter: Any,
    query: Any,
    sort: Any,
    freshness: Any,
    after: Any,
    operator: str | None,
) -> Request:
    """A new request.

    By score, documents with more of the words come first; sorted by a field nothing would put them
    first, so all words are required then unless the caller says otherwise.
    """
    order = sort_of(sort)
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
    narrowing = None if short_filter is None else parse_filter(short_filter)
    narrowed = Narrowed.of(tuple(must), narrowing)
    return Request(narrowed.query, order, current, positions, notes, narrowed)


def _freshness(freshness: Any, after: Any) -> tuple[bool, tuple[Position, ...]]:
    if after is not None:
        return False, positions_of(after)
    if freshness in ("current", "any"):
        return freshness == "current", ()
    if isinstance(freshness, str) and "@" not in freshness:
        raise InvalidRequest(
            f"freshness is {freshness!r}", hint='use "current", "any", or a position'
        )
    return False, positions_of(freshness)


def positions_of(after: Any) -> tuple[Position, ...]:
    """Positions as a caller gives them: one, some, or their text; raises InvalidRequest."""
    if isinstance(after, Position):
        return (after,)
    if isinstance(after, str):
        # Nothing, as an unset variable gives it, is no position: it would mean from the beginning.
        return tuple(map(Position.parse, after.replace(",", " ").split() or [after]))
    if not isinstance(after, Iterable):
        raise InvalidRequest(
            f"{after!r} is not a position", hint="pass what a write returned as its position"
        )
    return tuple(
        each if isinstance(each, Position) else Position.parse(str(each)) for each in after
    )


def sort_of(sort: Any) -> Sort | None:
    """`"price"`, `"-price"`, `"price:desc"`, `{"price": "desc"}`, `"_score"` or a Sort.

    None is by score. Raises InvalidQuery.
    """
    if sort is None or isinstance(sort, Sort):
        return sort
    if isinstance(sort, list | tuple) and len(sort) == 1:
        return sort_of(sort[0])
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
