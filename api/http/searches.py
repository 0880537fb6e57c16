"""Searches, counts, plans and deletes by query.

Where a search runs is decided by its price: a cheap one on the event loop, where no thread has to
be woken, a dear one or one that has to wait for an index in a bounded pool.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from starlette.responses import Response

from api.http import body
from api.http import search_models as models
from api.http.answers import POSITION_HEADER, json_response, position_text, search_json
from api.http.collections import ONE
from api.http.key_paths import key_of_json
from api.http.models import Asked
from api.http.queries import parameters
from api.http.routing import Call, Operation
from docstore import Collection, InvalidQuery, Position, SearchResult
from docstore.deleting import DELETE_BATCH, Deletions, check_narrowed, delete_some
from docstore.partitions import Partitions
from docstore.queries.answering import price
from docstore.queries.asking import Asking
from docstore.queries.request import positions_of, request_of
from docstore.types import Freshness
from indexing.dsl import parse_query
from indexing.place import CLAUSES_MAX, DEPTH_MAX

T = TypeVar("T")
Q = TypeVar("Q", bound=Asked)

PARTIAL_SHARE = 0.75
"""The part of a request's time in which a partial search looks for more: what is asked of a shard
is not cut short, and the answer has to be made too."""

_NO_TIME = 1e-6

_SEARCH_PARAMETERS: dict[str, Any] = {
    "q": {"type": "string"},
    "filter": {"type": "object"},
    "query": {"type": "object"},
    "sort": {"type": "string"},
    "limit": {"type": "integer", "minimum": 0},
    "offset": {"type": "integer", "minimum": 0},
    "select": {"type": "string", "description": "Fields with commas between them."},
    "freshness": {"type": "string", "enum": ["current", "any"]},
    "after": {"type": "string"},
    "operator": {"type": "string", "enum": ["or", "and"]},
    "index": {"type": "string", "description": "A global index; empty for none."},
    "max_fanout": {"type": "integer", "minimum": 1},
    "plan": {"type": "boolean"},
    "timeout_ms": {"type": "integer", "minimum": 1},
    "partial": {"type": "boolean"},
}


async def search(call: Call) -> Response:
    """Find documents; the body is what the Python API's `search` takes."""
    question = await _body(call)
    return await _answered(
        call, question, lambda: body.fitted(models.Search, body.parsed(question), InvalidQuery)
    )


async def search_link(call: Call) -> Response:
    """Find documents, as a link: the same with query parameters."""

    def asked() -> models.Search:
        given = parameters(call.request, _SEARCH_PARAMETERS)
        if "select" in given:
            given["select"] = [field for field in given["select"].split(",") if field]
        if given.get("index") == "":
            given["index"] = None
        return body.fitted(models.Search, given, InvalidQuery)

    return await _answered(call, call.request.scope["query_string"], asked)


async def _answered(call: Call, question: bytes, asked: Callable[[], models.Search]) -> Response:
    """The answer to a question as it came: the one kept, if nothing was written since."""
    served, cache = call.served, call.service.answers
    state = served.collection.ask(Partitions.indexed_state)
    after = call.request.headers.get(POSITION_HEADER)
    named = tuple(index.name for index in served.collection.indexes)
    key = (served, call.request.method == "POST", question, after, state, named)
    kept = None if state is None else cache.get(key)
    if kept is not None:
        call.service.slow.note_kept()
        call.service.metrics.kept.inc()
        return Response(kept, 200, None, "application/json")
    response, is_whole = await _searched(call, asked())
    call.service.metrics.searched.inc()
    if is_whole and state is not None and served.collection.ask(Partitions.indexed_state) == state:
        cache.keep(key, question, _as_kept(bytes(response.body)))
    return response


def _as_kept(answer: bytes) -> bytes:
    """An answer as it is given again: its times are those of when it was found."""
    return answer[:-1] + b',"cached":true}'


async def _searched(call: Call, asked: models.Search) -> tuple[Response, bool]:
    """The answer, and whether it stays true until something is written."""
    window = asked.offset + asked.limit
    _check_window(call, window)
    collection = call.served.bytes
    question = _question(call, asked)

    seconds, began = _seconds(call, asked.timeout_ms), time.monotonic()
    if asked.partial:
        seconds = min(seconds, PARTIAL_SHARE * call.service.settings.request_seconds)

    def run() -> tuple[Response, bool]:
        waited = time.monotonic() - began
        result: SearchResult[bytes] = collection.search(
            **question,
            sort=asked.sort,
            limit=asked.limit,
            offset=asked.offset,
            select=asked.select,
            facets=asked.facets,
            histograms=asked.histograms,
            highlight=asked.highlight,
            timeout=max(seconds - waited, _NO_TIME),
            partial=asked.partial,
        )
        call.service.slow.note(collection.name, result)
        is_whole = not (result.missing or result.uncounted)
        is_whole = is_whole and not any(use.lag for use in result.indexes)
        return json_response(search_json(result, with_plan=asked.plan)), is_whole

    if asked.facets is not None or asked.histograms is not None or asked.highlight:
        # Counting looks at every match, and marking analyzes every hit: no price tells yet.
        return await call.service.run_dear(_patience(call, asked), run)
    return await _placed(call, collection, {**question, "sort": asked.sort}, window, asked, run)


def _check_window(call: Call, window: int) -> None:
    window_max = call.service.settings.window_max
    if window > window_max:
        raise InvalidQuery(
            f"offset + limit is {window:,}, at most {window_max:,} hits can be paged through",
            hint="narrow the search, or ask for what comes after the last hit: a greater sort "
            "value, or the same value and a greater key",
            path="limit",
        )


async def _placed(
    call: Call,
    collection: Collection[Any],
    question: dict[str, Any],
    window: int,
    asked: models.Question,
    run: Callable[[], T],
) -> T:
    """Run a search where its price says."""
    settings = call.service.settings
    if priced(collection, question, window) <= settings.cheap_microseconds:
        return run()
    return await call.service.run_dear(_patience(call, asked), run)


def _patience(call: Call, asked: models.Question) -> float:
    """Seconds after which a search is given up; a partial one ends by itself after its time."""
    if not isinstance(asked, models.Search) or asked.partial:
        return call.service.settings.request_seconds
    return _seconds(call, asked.timeout_ms)


def _seconds(call: Call, timeout_ms: int | None) -> float:
    """How long a search may take: what the server allows, or less when asked."""
    allowed = call.service.settings.request_seconds
    return allowed if timeout_ms is None else min(allowed, timeout_ms / 1000)


def priced(collection: Collection[Any], question: dict[str, Any], window: int) -> float:
    """Estimated microseconds of a search; infinite when it has to wait for an index."""
    partitions = collection.partitions
    request = request_of(
        partitions,
        question["q"],
        question["filter"],
        question["query"],
        question.get("sort"),
        question["freshness"],
        question["after"],
        question["operator"],
    )
    asking = Asking(question["index"], question["max_fanout"])
    return price(partitions, request, window, asking)


async def count(call: Call) -> Response:
    """How many documents match."""
    asked = await _asked(call, models.Count)
    collection = call.served.bytes
    question = _question(call, asked)

    def run() -> Response:
        return json_response({"count": collection.count(**question)})

    return await _placed(call, collection, question, 0, asked, run)


async def complete(call: Call) -> Response:
    """What a person may be typing."""
    asked = await _asked(call, models.Complete)
    collection, freshness = call.served.collection, _freshness(call, asked)
    seconds = _seconds(call, asked.timeout_ms)

    def run() -> Response:
        found = collection.complete(
            asked.prefix,
            asked.field,
            limit=asked.limit,
            filter=asked.filter,
            freshness=freshness,
            timeout=seconds,
        )
        return json_response({"completions": [each._asdict() for each in found]})

    return await call.service.run_dear(seconds, run)


async def more_like(call: Call) -> Response:
    """Documents that share the most telling words and values with one."""
    asked = await _asked(call, models.MoreLike)
    _check_window(call, asked.offset + asked.limit)
    served = call.served
    key = key_of_json(served.collection, asked.key)

    freshness = _freshness(call, asked)
    seconds = _seconds(call, asked.timeout_ms)

    def run() -> Response:
        result = served.bytes.more_like(
            key,
            asked.fields,
            limit=asked.limit,
            offset=asked.offset,
            filter=asked.filter,
            freshness=freshness,
            timeout=seconds,
        )
        return json_response(search_json(result, with_plan=asked.plan))

    return await call.service.run_dear(seconds, run)


def _freshness(
    call: Call, asked: models.Complete | models.MoreLike
) -> Freshness | tuple[Position, ...]:
    after = asked.after or call.request.headers.get(POSITION_HEADER)
    return asked.freshness if after is None else positions_of(after)


async def explain(call: Call) -> Response:
    """How a search would be answered; runs nothing."""
    asked = await _asked(call, models.Explain)
    collection = call.served.bytes
    question = _question(call, asked)
    plan = await call.service.run(lambda: collection.explain(**question, sort=asked.sort))
    return json_response(plan.as_dict())


async def delete_by_query(call: Call) -> Response:
    """Delete what matches, a batch at a time; `more` says that matches are left.

    Begins no further batch when a request's time is over: what is done then is told.
    """
    asked = await _asked(call, models.DeleteByQuery)
    check_narrowed(asked.q, asked.filter, asked.query)
    collection, seconds = call.served.bytes, call.service.settings.request_seconds
    question = {**_question(call, asked), "after": None}
    done, began = Deletions(asked.max_documents), time.monotonic()
    while most := done.next(DELETE_BATCH):
        batch = partial(delete_some, collection, question, most)
        done.add(await call.service.run_dear(seconds, batch))
        if time.monotonic() - began > seconds:
            break
    result = done.result()
    position = position_text(result.position)
    answer = {"deleted": result.deleted, "more": result.more, "position": position.split()}
    return json_response(answer, 200, {POSITION_HEADER: position} if position else None)


async def _asked(call: Call, model: type[Q]) -> Q:
    return body.fitted(model, body.parsed(await _body(call)), InvalidQuery)


async def _body(call: Call) -> bytes:
    parameters(call.request, {})
    body.check_type(call.request, body.JSON)
    settings = call.service.settings
    return await body.read(call.request, settings.search_bytes_max, settings.body_seconds)


def _question(call: Call, asked: models.Question) -> dict[str, Any]:
    """The arguments of the Python API.

    A query stays as it came, by which it is known when it is asked again, unless the server's
    bounds are others than the library's.
    """
    settings = call.service.settings
    query: Any = asked.query
    bounds = settings.query_depth_max, settings.query_clauses_max
    if query is not None and bounds != (DEPTH_MAX, CLAUSES_MAX):
        query = parse_query(query, depth_max=bounds[0], clauses_max=bounds[1])
    after = asked.after or call.request.headers.get(POSITION_HEADER)
    return {
        "q": asked.q,
        "filter": asked.filter,
        "query": query,
        "operator": asked.operator,
        "freshness": asked.freshness,
        "after": after,
        "index": asked.index,
        "max_fanout": asked.max_fanout,
    }


OPERATIONS = (
    Operation(
        "POST",
        ONE + "/search",
        search,
        "read",
        "Search",
        models.SearchAnswer,
        models.Search,
        body.JSON,
    ),
    Operation(
        "GET",
        ONE + "/search",
        search_link,
        "read",
        "Search by a link",
        models.SearchAnswer,
        parameters=_SEARCH_PARAMETERS,
    ),
    Operation(
        "POST",
        ONE + "/count",
        count,
        "read",
        "Count matches",
        models.Counted,
        models.Count,
        body.JSON,
    ),
    Operation(
        "POST",
        ONE + "/explain",
        explain,
        "read",
        "Explain a search",
        models.Plan,
        models.Explain,
        body.JSON,
    ),
    Operation(
        "POST",
        ONE + "/documents:delete-by-query",
        delete_by_query,
        "write",
        "Delete what matches",
        models.Deleted,
        models.DeleteByQuery,
        body.JSON,
    ),
    Operation(
        "POST",
        ONE + "/complete",
        complete,
        "read",
        "Complete what is typed",
        models.Completions,
        models.Complete,
        body.JSON,
    ),
    Operation(
        "POST",
        ONE + "/more-like",
        more_like,
        "read",
        "Find similar documents",
        models.SearchAnswer,
        models.MoreLike,
        body.JSON,
    ),
)
