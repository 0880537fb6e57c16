"""The partition keys that get most of the traffic, over HTTP: of one collection, or of all."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from api.http.answers import json_response
from api.http.queries import parameters
from api.http.routing import PREFIX, Call, Operation

LIMIT = 10
_PARAMETERS = {
    "limit": {
        "type": "integer",
        "minimum": 0,
        "maximum": 256,
        "default": LIMIT,
        "description": "How many keys to tell, the heaviest first.",
    }
}


class HotKey(BaseModel):
    """A partition key with its requests of late, and what to do about it."""

    collection: str
    key: Any
    reads_per_second: float
    read_share: float
    writes_per_second: float
    write_share: float
    fan: int
    is_hot: bool
    proposed_fan: int | None
    action: str


class HotKeys(BaseModel):
    """The heaviest partition keys, the heaviest first."""

    hot_keys: list[HotKey]


async def of_collection(call: Call) -> Response:
    """The heaviest partition keys of a collection."""
    limit = parameters(call.request, _PARAMETERS).get("limit", LIMIT)
    collection = call.served.collection
    found = await call.service.run(lambda: collection.hot_keys(limit))
    return json_response({"hot_keys": [each.as_dict() for each in found]})


async def of_store(call: Call) -> Response:
    """The heaviest partition keys of the collections the caller may see."""
    limit = parameters(call.request, _PARAMETERS).get("limit", LIMIT)
    service, grant = call.service, call.grant

    def told() -> list[dict[str, Any]]:
        seen = [name for name in service.store.collections() if grant.sees(name)]
        return [each.as_dict() for each in service.store.hot_keys(limit, collections=seen)]

    return json_response({"hot_keys": await service.run(told)})


OPERATIONS = (
    Operation(
        "GET",
        PREFIX + "/collections/{collection}/hot-keys",
        of_collection,
        "read",
        "Show the hot keys of a collection",
        HotKeys,
        parameters=_PARAMETERS,
    ),
    Operation(
        "GET",
        PREFIX + "/hot-keys",
        of_store,
        "read",
        "Show the hot keys of all collections",
        HotKeys,
        parameters=_PARAMETERS,
    ),
)
