"""Hot terms over HTTP: which values of global indexes are heaviest, and spreading them."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from api.http import body
from api.http.answers import json_response
from api.http.asking import asked_in
from api.http.collections import ONE
from api.http.hot_keys import PARAMETERS, told
from api.http.indexes import NAMED
from api.http.models import Asked
from api.http.routing import PREFIX, Call, Operation


class HotTerm(BaseModel):
    """A value of a global index with its documents and requests of late, and what to do about it.

    Of an index over several fields the value is a list.
    """

    collection: str
    index: str
    value: Any
    documents: int
    document_share: float
    reads_per_second: float
    read_share: float
    writes_per_second: float
    write_share: float
    fan: int
    is_hot: bool
    proposed_fan: int | None
    action: str


class HotTerms(BaseModel):
    """The heaviest values of global indexes, hot ones first."""

    hot_terms: list[HotTerm]


async def of_collection(call: Call) -> Response:
    """The heaviest values of a collection's global indexes."""
    return await told(call, "hot_terms", call.served.collection.hot_terms)


async def of_store(call: Call) -> Response:
    """The heaviest values of the global indexes of the collections the caller may see."""
    store = call.service.store
    return await told(
        call, "hot_terms", lambda limit: store.hot_terms(limit, collections=call.seen)
    )


class TermSalt(Asked):
    """A value and over how many index partitions it is to be spread; 1 takes the salt away."""

    value: Any
    fan: int


class TermChanged(BaseModel):
    """What was done: the documents under the value, and how long it took."""

    index: str
    value: Any
    fan: int
    documents: int
    seconds: float


async def salt(call: Call) -> Response:
    """Spread the postings of a value over several index partitions; answers when it is done."""
    wanted = await asked_in(call, TermSalt)
    indexes, name = call.served.collection.indexes, call.request.path_params["index"]
    value = tuple(wanted.value) if isinstance(wanted.value, list) else wanted.value
    made = await call.service.endure(lambda: indexes.salt(name, value, wanted.fan))
    return json_response(asdict(made))


OPERATIONS = (
    Operation(
        "POST",
        NAMED + "/salts",
        salt,
        "admin",
        "Salt a value of a global index, or take its salt away",
        TermChanged,
        TermSalt,
        body.JSON,
    ),
    Operation(
        "GET",
        ONE + "/hot-terms",
        of_collection,
        "read",
        "Show the hot values of a collection's global indexes",
        HotTerms,
        parameters=PARAMETERS,
    ),
    Operation(
        "GET",
        PREFIX + "/hot-terms",
        of_store,
        "read",
        "Show the hot values of all global indexes",
        HotTerms,
        parameters=PARAMETERS,
    ),
)
