"""Global indexes over HTTP: made on a live collection, listed, dropped, filled again."""

from typing import Any

from starlette.responses import Response

from api.http import body, index_models
from api.http.answers import json_response
from api.http.asking import asked_in
from api.http.collections import ONE
from api.http.maintenance import CHECK, Checked, told
from api.http.queries import parameters
from api.http.routing import Call, Operation
from docstore import AlreadyExists, Collection, GlobalIndex, NotFound

PATH = ONE + "/indexes"
NAMED = PATH + "/{index}"


async def list_indexes(call: Call) -> Response:
    """The global indexes of a collection, with where each stands."""
    parameters(call.request, {})
    indexes = call.served.collection.indexes
    return json_response({"indexes": await call.service.run(indexes.stats)})


async def create(call: Call) -> Response:
    """Make a global index; making the same again does nothing."""
    wanted = await asked_in(call, index_models.IndexDefinition, may_be_left_out=True)
    collection = call.served.collection
    name = _name(call)
    index = GlobalIndex(
        name if wanted.field is None else wanted.field,
        wanted.include,
        wanted.partitions,
        name,
        wanted.by,
    )

    def made() -> tuple[int, dict[str, Any]]:
        try:
            collection.indexes.create(index)
        except AlreadyExists:
            if not any(_is_as_wanted(each, index) for each in collection.indexes):
                raise
            return 200, _shown(collection, index.name)
        return 201, _shown(collection, index.name)

    status, answer = await call.service.run(made)
    return json_response(answer, status)


def _is_as_wanted(there: GlobalIndex, wanted: GlobalIndex) -> bool:
    """Whether an index is what a definition would make, so that a PUT can be repeated."""
    return {**there.to_json(), "bounds": [], "salts": []} == wanted.to_json()


async def describe(call: Call) -> Response:
    """Where a global index stands."""
    parameters(call.request, {})
    collection, name = call.served.collection, _name(call)
    return json_response(await call.service.run(lambda: _shown(collection, name)))


async def drop(call: Call) -> Response:
    """Remove a global index; documents and searches stay as they are."""
    parameters(call.request, {})
    indexes, name = call.served.collection.indexes, _name(call)
    await call.service.run(lambda: indexes.drop(name))
    return Response(status_code=204)


async def rename(call: Call) -> Response:
    """Give a global index another name; what it holds stays."""
    to = (await asked_in(call, index_models.NewName)).name
    collection, name = call.served.collection, _name(call)

    def renamed() -> dict[str, Any]:
        collection.indexes.rename(name, to)
        return _shown(collection, to)

    return json_response(await call.service.run(renamed))


async def rebuild(call: Call) -> Response:
    """Fill a global index again from the documents; searches do without it meanwhile."""
    parameters(call.request, {})
    collection, name = call.served.collection, _name(call)

    def begun() -> dict[str, Any]:
        collection.indexes.rebuild(name)
        return _shown(collection, name)

    return json_response(await call.service.run(begun))


async def check(call: Call) -> Response:
    """Compare a global index with all documents; takes as long as that takes."""
    collection, name = call.served.collection, _name(call)
    return await told(call, lambda: collection.indexes.check(name))


async def verify(call: Call) -> Response:
    """Go on comparing documents with the global indexes, slowly, or stop."""
    wanted = await asked_in(call, index_models.VerificationRate)
    indexes = call.served.collection.indexes

    def set_so() -> dict[str, Any]:
        indexes.verify(wanted.rate)
        return indexes.verification

    return json_response(await call.service.run(set_so))


def _name(call: Call) -> str:
    name: str = call.request.path_params["index"]
    return name


def _shown(collection: Collection[Any], name: str) -> dict[str, Any]:
    for each in collection.indexes.stats():
        if each["name"] == name:
            return each
    known = ", ".join(index.name for index in collection.indexes)
    raise NotFound(f"there is no index {name!r}", hint=f"indexes: {known or 'none'}")


OPERATIONS = (
    Operation("GET", PATH, list_indexes, "read", "List global indexes", index_models.GlobalIndexes),
    Operation(
        "PUT",
        NAMED,
        create,
        "admin",
        "Make a global index",
        index_models.GlobalIndexStats,
        index_models.IndexDefinition,
        body.JSON,
        body_required=False,
        status=201,
        also=(200,),
        refusals=(409, 422),
    ),
    Operation(
        "GET", NAMED, describe, "read", "Describe a global index", index_models.GlobalIndexStats
    ),
    Operation(
        "POST",
        NAMED + "/rename",
        rename,
        "admin",
        "Rename a global index",
        index_models.GlobalIndexStats,
        index_models.NewName,
        body.JSON,
        refusals=(409, 422),
    ),
    Operation("DELETE", NAMED, drop, "admin", "Drop a global index", status=204),
    Operation(
        "POST",
        NAMED + "/rebuild",
        rebuild,
        "admin",
        "Fill a global index again",
        index_models.GlobalIndexStats,
    ),
    Operation(
        "POST",
        NAMED + "/check",
        check,
        "admin",
        "Check a global index",
        Checked,
        parameters=CHECK,
    ),
    Operation(
        "PUT",
        ONE + "/verification",
        verify,
        "admin",
        "Verify global indexes",
        index_models.Verification,
        index_models.VerificationRate,
        body.JSON,
    ),
)
