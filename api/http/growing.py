"""Growing over HTTP: when the partitions of a collection are split and merged unasked."""

from typing import Any

from starlette.responses import Response

from api.http import body
from api.http.answers import json_response
from api.http.asking import asked_in
from api.http.models import Asked, Limits
from api.http.partitions import AutoSplitState
from api.http.queries import parameters
from api.http.routing import PREFIX, Call, Operation
from docstore import AutoSplit

PATH = PREFIX + "/collections/{collection}/auto-split"


class SetLimits(Asked):
    """Limits, true for the default ones, false for never."""

    limits: Limits | bool


def limits_of(given: Limits | bool) -> AutoSplit | None:
    """What a request says; raises InvalidRequest for limits that are none."""
    return AutoSplit.of(given.model_dump() if isinstance(given, Limits) else given)


async def show(call: Call) -> Response:
    """When partitions are split and merged unasked, and what cannot be."""
    parameters(call.request, {})
    return json_response(await _state(call))


async def replace(call: Call) -> Response:
    """Have other limits from now on."""
    wanted = limits_of((await asked_in(call, SetLimits)).limits)
    collection = call.served.collection
    await call.service.run(lambda: collection.set_auto_split(wanted or False))
    return json_response(await _state(call))


async def _state(call: Call) -> Any:
    found = await call.service.run(call.served.collection.stats)
    return found["auto_split"]


OPERATIONS = (
    Operation("GET", PATH, show, "read", "Show when partitions split", AutoSplitState),
    Operation(
        "PUT",
        PATH,
        replace,
        "admin",
        "Say when partitions split",
        AutoSplitState,
        SetLimits,
        body.JSON,
    ),
)
