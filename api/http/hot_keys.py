"""Hot keys over HTTP: which partition keys get most of the traffic, and spreading them by salts."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

import docstore
from api.http import body
from api.http.answers import json_response
from api.http.asking import asked_in
from api.http.models import Asked
from api.http.partitions import Changed, SaltedKey, changed
from api.http.queries import parameters
from api.http.routing import PREFIX, Call, Operation
from docstore import InvalidRequest
from docstore.map_changes.spreading import salted

LIMIT = 10
PARAMETERS = {
    "limit": {
        "type": "integer",
        "minimum": 0,
        "maximum": 256,
        "default": LIMIT,
        "description": "How many to tell, the heaviest first.",
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
    return await told(call, "hot_keys", call.served.collection.hot_keys)


async def of_store(call: Call) -> Response:
    """The heaviest partition keys of the collections the caller may see."""
    store = call.service.store
    return await told(call, "hot_keys", lambda limit: store.hot_keys(limit, collections=call.seen))


async def told(
    call: Call, name: str, heaviest: Callable[[int], Sequence[docstore.HotKey | docstore.HotTerm]]
) -> Response:
    """An answer that holds as many of the heaviest, under `name`, as are asked for."""
    limit = parameters(call.request, PARAMETERS).get("limit", LIMIT)
    found = await call.service.run(lambda: heaviest(limit))
    return json_response({name: [each.as_dict() for each in found]})


class Salt(Asked):
    """A partition key and over how many places it is to be spread; 1 takes the salt away."""

    key: Any
    fan: int


class Salts(BaseModel):
    """The partition keys of a collection that are salted."""

    salts: list[SaltedKey]


async def salts(call: Call) -> Response:
    """The partition keys that are salted, with their fans."""
    parameters(call.request, {})
    found = salted(call.served.collection.partitions)
    return json_response({"salts": [{"key": key, "fan": fan} for key, fan in found.items()]})


async def salt(call: Call) -> Response:
    """Spread the documents of a partition key over several places; answers when it is done."""
    wanted = await asked_in(call, Salt)
    collection = call.served.collection
    return changed(await call.service.endure(lambda: collection.salt(_key(wanted.key), wanted.fan)))


def _key(given: Any) -> Any:
    if not isinstance(given, str | int | float | list) or isinstance(given, bool):
        raise InvalidRequest("key is no key", hint="give a value of the key's first field")
    return tuple(given) if isinstance(given, list) else given


OPERATIONS = (
    Operation(
        "GET",
        PREFIX + "/collections/{collection}/salts",
        salts,
        "read",
        "List the salted keys",
        Salts,
    ),
    Operation(
        "POST",
        PREFIX + "/collections/{collection}/salts",
        salt,
        "admin",
        "Salt a key, or take its salt away",
        Changed,
        Salt,
        body.JSON,
    ),
    Operation(
        "GET",
        PREFIX + "/collections/{collection}/hot-keys",
        of_collection,
        "read",
        "Show the hot keys of a collection",
        HotKeys,
        parameters=PARAMETERS,
    ),
    Operation(
        "GET",
        PREFIX + "/hot-keys",
        of_store,
        "read",
        "Show the hot keys of all collections",
        HotKeys,
        parameters=PARAMETERS,
    ),
)
