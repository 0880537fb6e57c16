"""Looking after a collection: where its logs end, whether it all agrees, its indexes made again."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

import docstore
from api.http import models
from api.http.answers import POSITION_HEADER, json_response, position_text
from api.http.collections import ONE
from api.http.queries import parameters
from api.http.routing import Call, Operation
from docstore import InvalidRequest

VIOLATIONS_MAX = 1_000
"""Told in one answer; a store with more needs no exact number."""

CHECK = {"limit": {"type": "integer", "minimum": 1, "maximum": VIOLATIONS_MAX}}
_REBUILD = {"partition": {"type": "integer", "minimum": 0}}


class Violation(BaseModel):
    """One broken invariant: where, and what does not agree."""

    collection: str
    partition: int | None
    rule: str
    detail: str
    key: Any = None


class Checked(BaseModel):
    """What a check found; `more` says that it stopped at its limit."""

    violations: list[Violation]
    more: bool


async def position(call: Call) -> Response:
    """Where every shard's log ends now."""
    parameters(call.request, {})
    return _ends(call)


async def check(call: Call) -> Response:
    """Read all of a collection and tell every broken invariant; takes as long as that takes."""
    collection = call.served.collection
    return await told(call, collection.check)


async def told(call: Call, check: Callable[[], Iterable[docstore.Violation]]) -> Response:
    """What a check finds, up to the request's limit."""
    limit = parameters(call.request, CHECK).get("limit", VIOLATIONS_MAX)
    if not 1 <= limit <= VIOLATIONS_MAX:
        raise InvalidRequest(
            f"limit is {limit:,}", hint=f"give 1 to {VIOLATIONS_MAX:,}", path="limit"
        )
    found = await call.service.endure(lambda: list(islice(check(), limit + 1)))
    violations = [
        {
            "collection": each.collection,
            "partition": each.partition,
            "rule": each.rule,
            "detail": each.detail,
            "key": each.key,
        }
        for each in found[:limit]
    ]
    return json_response({"violations": violations, "more": len(found) > limit})


async def rebuild(call: Call) -> Response:
    """Make the local index of one partition, or of all, again; takes as long as that takes."""
    partition = parameters(call.request, _REBUILD).get("partition")
    collection = call.served.collection
    await call.service.endure(lambda: collection.rebuild(partition))
    return _ends(call)


def _ends(call: Call) -> Response:
    ends = position_text(call.served.collection.position())
    return json_response({"position": ends.split()}, 200, {POSITION_HEADER: ends})


OPERATIONS = (
    Operation("GET", ONE + "/position", position, "read", "Where the logs end", models.Positions),
    Operation(
        "POST",
        ONE + "/check",
        check,
        "admin",
        "Check a collection",
        Checked,
        parameters=CHECK,
    ),
    Operation(
        "POST",
        ONE + "/rebuild",
        rebuild,
        "admin",
        "Make indexes again",
        models.Positions,
        parameters=_REBUILD,
    ),
)
