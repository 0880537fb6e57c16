"""Searches, counts and plans, answered by whatever is cheapest: local indexes, or global ones.

The router's plan over the shards stands beside the ways that global indexes offer; the cheapest
that is as fresh as asked, and within the fan-out allowed, answers. Whichever does, the answer is
the same. A collection without global indexes costs one test.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from docstore import keys
from docstore.documents import DocumentCodec
from docstore.global_index.offers import Offer
from docstore.partitions import Partitions
from docstore.queries import execute, index_answers, searching
from docstore.queries.asking import AUTO, Asking, Choice, Foreseen
from docstore.queries.counting import Counting
from docstore.queries.global_need import Need, need_of
from docstore.queries.index_answers import Matches
from docstore.queries.index_facets import facets_of, facets_price
from docstore.queries.index_ways import Terms, Way, ways_of
from docstore.queries.marking import Marking
from docstore.queries.pricing import HIT_PRICE, behind
from docstore.queries.request import Page, Request
from docstore.queries.tearing import whole
from docstore.shards.records import Record
from docstore.types import Candidate, Hit, Plan, SearchResult
from indexing.errors import (
    Closed,
    Corruption,
    DeadlineExceeded,
    DocstoreError,
    InvalidQuery,
    NotFound,
    Unavailable,
)

D = TypeVar("D")

_GONE = (Unavailable, NotFound, Closed, Corruption)
"""What an index raises that is dropped, emptied or found damaged just now."""
_WAIT_PRICE = 4_000.0
"""A shard whose local index has to take in its log's tail first: a commit waits for the disk."""
_NO_PAGE = Page(0, 10, None)


def search(
    partitions: Partitions,
    codec: DocumentCodec[D],
    request: Request,
    page: Page,
    counting: Counting | None,
    marking: Marking | None,
    deadline: execute.Deadline | None,
    asking: Asking,
) -> SearchResult[D]:
    """Plan and answer one page; raises InvalidQuery when the index that is named cannot answer."""
    if asking.leaves_no_choice(partitions):
        return searching.search(partitions, codec, request, page, counting, marking, deadline)
    began = time.perf_counter()
    choice = _foreseen(partitions, request, page, asking, counting, deadline)
    if choice is None:
        choice = choose(partitions, request, page, asking, counting, deadline)
    if choice.way is not None:
        try:
            return whole(
                lambda may_be_torn: _answered(
                    partitions,
                    codec,
                    request,
                    page,
                    counting,
                    marking,
                    deadline,
                    choice,
                    began,
                    may_be_torn=may_be_torn,
                ),
                page.limit,
                is_current=request.current,
            )
        except _GONE as error:
            _refill(choice.way, error)
            if asking.index != AUTO or isinstance(error, DeadlineExceeded):
                raise  # else the shards answer
    found = searching.search(partitions, codec, request, page, counting, marking, deadline)
    local = found.plan
    offered = [each for each in choice.plan.rejected if each.indexes]
    return replace(found, plan=replace(local, rejected=(*local.rejected, *offered)))


def count(partitions: Partitions, request: Request, asking: Asking) -> int:
    """How many documents match."""
    if asking.leaves_no_choice(partitions):
        return searching.count(partitions, request)
    page = Page(0, 0, None)
    choice = choose(partitions, request, page, asking, is_count=True)
    if choice.way is not None:
        try:
            return _matches(partitions, request, page, choice, choice.way, None).total
        except _GONE as error:
            _refill(choice.way, error)
            if asking.index != AUTO:
                raise
    return searching.count(partitions, request)


def _refill(way: Way, error: DocstoreError) -> None:
    """Have indexes of which an answer found damage made good."""
    for part in way.parts:
        part.offer.live.refill(error)


def explain(partitions: Partitions, request: Request, asking: Asking) -> Plan:
    """How a search for a page of ten would be answered; runs nothing."""
    if asking.leaves_no_choice(partitions):
        return searching.explain(partitions, request)
    choice = choose(partitions, request, _NO_PAGE, asking)
    local = searching.explain(partitions, request)
    return replace(choice.plan, notes=local.notes)


def price(partitions: Partitions, request: Request, window: int, asking: Asking) -> float:
    """Estimated microseconds of a search up to hit `window`; infinite when it has to wait.

    What it was priced by is kept for the search itself, which is not planned again.
    """
    if not asking.leaves_no_choice(partitions):
        choice = choose(partitions, request, Page(0, window, None), asking)
        partition_map = partitions.definition.partition_map
        request.foreseen = Foreseen.now(choice, partition_map, window, asking)
        if choice.way is not None:
            return choice.way.price + HIT_PRICE * window
    return searching.price(partitions, request, window)


def _foreseen(
    partitions: Partitions,
    request: Request,
    page: Page,
    asking: Asking,
    counting: Counting | None,
    deadline: execute.Deadline | None,
) -> Choice | None:
    """What was chosen when the search was priced; another that asks the same may take it."""
    foreseen, request.foreseen = request.foreseen, None
    is_priced = counting is None and (deadline is None or not deadline.is_partial)
    window, partition_map = page.offset + page.limit, partitions.definition.partition_map
    if foreseen is None or not is_priced or not foreseen.fits(partition_map, window, asking):
        return None
    return foreseen.choice


def choose(
    partitions: Partitions,
    request: Request,
    page: Page,
    asking: Asking,
    counting: Counting | None = None,
    deadline: execute.Deadline | None = None,
    *,
    is_count: bool = False,
) -> Choice:
    """Price the shards and every global index, and take the cheapest that may be taken."""
    local = searching.routed(partitions, request)
    need = _need(partitions, request, is_point_read=bool(local.keys), is_count=is_count)
    is_forced = asking.index not in (AUTO, None)
    offers: tuple[Offer, ...] = ()
    if is_forced:
        offers = _ready(partitions, str(asking.index))
    elif asking.index is not None:
        offers = partitions.indexes.offers()
    may_fetch = deadline is None or not deadline.is_partial
    terms = Terms(
        not request.current and not request.after, page.offset + page.limit, is_forced, may_fetch
    )
    ways, refused = ways_of(need, offers, terms)
    if counting is not None:
        ways = sorted(
            (
                replace(way, price=way.price + facets_price(partitions, request, counting, way))
                for way in ways
            ),
            key=lambda way: way.price,
        )
    shards = local.plan.chosen
    if ways and shards.price <= ways[0].price:
        shards = _waiting(partitions, request, shards)
    others = [*local.plan.rejected, *refused]
    if is_forced and not ways:
        raise InvalidQuery(
            f"the index {asking.index!r} cannot answer this: {refused[0].reason}",
            hint='let the index be "auto", or ask for a value, range or prefix of its fields',
            path="index",
        )
    allowed = [way for way in ways if asking.max_fanout is None or way.fan_out <= asking.max_fanout]
    is_local_allowed = not is_forced and (
        asking.max_fanout is None or len(shards.shards) <= asking.max_fanout
    )
    if not allowed and not is_local_allowed:
        raise _too_far(asking, shards, ways, partitions)
    way: Way | None = allowed[0] if allowed else None
    if way is not None and is_local_allowed and shards.price <= way.price:
        way = None
    chosen = shards if way is None else way.as_candidate()
    rejected = [each.as_candidate() for each in ways if each is not way]
    if way is not None:
        rejected.append(shards)
    rejected.sort(key=lambda each: each.price)
    plan = replace(local.plan, chosen=chosen, rejected=(*rejected, *others))
    return Choice(plan, way, need, offers)


def _need(partitions: Partitions, request: Request, *, is_point_read: bool, is_count: bool) -> Need:
    """What the search asks of an index, found once for each question."""
    need = request.need
    if need is None:
        need = request.need = need_of(request.query, request.sort, partitions.readers)
    if need.refusal is not None or is_count:
        return need
    if request.sort is None and need.score is None:
        return Need(refusal="hits are ordered by scores, which only the local indexes know")
    if is_point_read and request.sort is None:
        return Need(refusal="the query is nothing but keys, read straight from the documents")
    return need


def _ready(partitions: Partitions, name: str) -> tuple[Offer, ...]:
    found = partitions.indexes.offers(name)
    if found[0].state != "ready":
        raise Unavailable(
            f"the index {name!r} is {found[0].state}",
            hint="search without it, or ask again later",
            retryable=True,
        )
    return found


def _waiting(partitions: Partitions, request: Request, chosen: Candidate) -> Candidate:
    """The local way with the price of waiting for indexes that are behind."""
    if chosen.name == "point_read":
        return chosen
    late = behind(partitions, chosen.shards, request.after, current=request.current)
    return replace(chosen, price=chosen.price + _WAIT_PRICE * late) if late else chosen


def _too_far(
    asking: Asking, shards: Candidate, ways: Sequence[Way], partitions: Partitions
) -> InvalidQuery:
    """The refusal of a search that would ask too many places, with what would ask fewer."""
    field = partitions.definition.key.fields[0]
    hint = f"fix {field!r}, by which documents are partitioned, or allow more"
    if ways:
        least = min(ways, key=lambda way: way.fan_out)
        names = " and ".join(part.name for part in least.parts)
        hint = f"max_fanout={least.fan_out} suffices with the index {names}; else {hint}"
    elif not len(partitions.indexes):
        hint = f"{hint}; a global index on what is asked for would ask fewer"
    needed = min([len(shards.shards), *(way.fan_out for way in ways)])
    return InvalidQuery(
        f"this asks {len(shards.shards)} shards, and {asking.max_fanout} places are allowed",
        hint=hint,
        path="max_fanout",
        needed=needed,
    )


def _matches(
    partitions: Partitions,
    request: Request,
    page: Page,
    choice: Choice,
    way: Way,
    deadline: execute.Deadline | None,
    *,
    keep: bool = False,
) -> Matches:
    if way.fetches:
        return index_answers.fetched(
            partitions, request, choice.need, way, page, deadline, keep=keep
        )
    return index_answers.covered(partitions, request, choice.need, way.parts[0], page)


def _answered(
    partitions: Partitions,
    codec: DocumentCodec[D],
    request: Request,
    page: Page,
    counting: Counting | None,
    marking: Marking | None,
    deadline: execute.Deadline | None,
    choice: Choice,
    began: float,
    *,
    may_be_torn: bool,
) -> SearchResult[D]:
    """One page from global indexes; raises Torn."""
    way, need = choice.way, choice.need
    assert way is not None  # noqa: S101  narrows the type: the caller checked it
    planned = time.perf_counter()
    if deadline is not None and not deadline.is_partial:
        deadline.check()
    found = _matches(partitions, request, page, choice, way, deadline, keep=counting is not None)
    searched = time.perf_counter()
    of_row = None
    if marking is None and not way.fetches:
        of_row = index_answers.selected_from_rows(partitions, way.parts[0], page.select)

    def of_record(record: Record) -> Any:
        return searching.document_of(codec, record, page.select)

    shown, touched = index_answers.shown_of(
        partitions,
        need,
        found.rows,
        of_row,
        of_record,
        is_any=not request.current and not request.after,
        may_be_torn=may_be_torn,
    )
    score = need.score if request.sort is None else None
    spec = partitions.definition.key
    hits: list[Hit[D]] = []
    for key, document, version, seq, sort, body in shown:
        told = None if request.sort is None else partitions.readers.told(request.sort.path, sort)
        hit = Hit(keys.decode(spec, key), score, document, version, told, seq=seq)
        hits.append(hit if marking is None or body is None else marking.marked(hit, body))
    done = time.perf_counter()
    timings = {
        "plan": (planned - began) * 1000,
        "search": (searched - planned) * 1000,
        "fetch": (done - searched) * 1000,
    }
    result = SearchResult(found.total, hits, choice.plan, touched, 0.0, timings, indexes=found.uses)
    if counting is not None:
        facets, histograms, notes, more = facets_of(
            partitions, request, counting, way, found, deadline
        )
        timings["count"] = (time.perf_counter() - done) * 1000
        plan = replace(choice.plan, notes=(*choice.plan.notes, *notes))
        uses = tuple({use.index: use for use in (*more, *result.indexes)}.values())
        result = replace(
            result,
            facets=facets,
            histograms=histograms,
            plan=plan,
            indexes=uses,
            uncounted=counting.left_out(facets, histograms),
        )
    return replace(result, took_ms=(time.perf_counter() - began) * 1000)
