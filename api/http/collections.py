"""Collections: listing, making, describing, dropping; their statistics."""

from typing import Any

from starlette.responses import Response

from api.http import body, models
from api.http.answers import POSITION_HEADER, json_response, position_text
from api.http.asking import asked_in
from api.http.growing import limits_of
from api.http.partitions import Stats
from api.http.queries import parameters
from api.http.routing import PREFIX, Call, Operation
from docstore import AlreadyExists, AutoSplit, Collection, Hash, Key, Range
from docstore.differing import Differences
from docstore.made_again import check_same, limits_differences
from docstore.new_collection import first_map_of, key_spec_of, schema_from

PATH = PREFIX + "/collections"
ONE = PATH + "/{collection}"


async def list_collections(call: Call) -> Response:
    """The collections the caller may see."""
    parameters(call.request, {})
    service, grant = call.service, call.grant

    def seen(collection: Collection[Any]) -> list[dict[str, Any]]:
        return [described(collection)] if grant.sees(collection.name) else []

    found = await service.run(lambda: service.store.of_each(seen))
    return json_response({"collections": [each for some in found for each in some]})


async def create(call: Call) -> Response:
    """Make a collection; making the same again does nothing."""
    service, name = call.service, call.name
    wanted = await asked_in(call, models.CollectionDefinition, may_be_left_out=True)
    key = wanted.key if isinstance(wanted.key, str) else Key(*wanted.key)

    def made() -> tuple[int, dict[str, Any]]:
        try:
            collection = service.store.create_collection(
                name,
                wanted.schema_,
                key=key,
                partitions=wanted.partitions,
                partitioning=_partitioning(wanted),
                auto_split=_auto_split(wanted) or False,
            )
        except AlreadyExists:
            collection = service.store.collection(name)
            _check_same(collection, wanted)
            return 200, described(collection)
        return 201, described(collection)

    status, answer = await service.run(made)
    return json_response(answer, status, {"location": f"{PATH}/{name}"} if status == 201 else None)


def _check_same(collection: Collection[Any], wanted: models.CollectionDefinition) -> None:
    """Refuse a definition that would make another collection, so that a PUT can be repeated.

    A schema and limits that it leaves out are those that are there.
    """
    schema = collection.schema if wanted.schema_ is None else schema_from(wanted.schema_)
    key = wanted.key if isinstance(wanted.key, str) else Key(*wanted.key)
    spec = key_spec_of(key, schema)
    first_map = first_map_of(_partitioning(wanted), wanted.partitions, schema, spec)
    limits: Differences = {}
    if wanted.auto_split is not None:
        limits = limits_differences(collection.auto_split(), _auto_split(wanted))
    check_same(collection.partitions, schema, spec, first_map, limits=limits)


def _auto_split(wanted: models.CollectionDefinition) -> AutoSplit | None:
    return limits_of(True if wanted.auto_split is None else wanted.auto_split)


def _partitioning(wanted: models.CollectionDefinition) -> Hash | Range:
    return Hash() if wanted.pre_split is None else _ranges(wanted.pre_split)


def _ranges(bounds: list[Any]) -> Range:
    """The ranges of keys that a definition names; a compound bound is a list in JSON."""
    return Range(tuple(each) if isinstance(each, list) else each for each in bounds)


async def describe(call: Call) -> Response:
    """What a collection was made with, and how many documents it holds."""
    parameters(call.request, {})
    collection = call.served.collection
    return json_response(await call.service.run(lambda: described(collection)))


def described(collection: Collection[Any]) -> dict[str, Any]:
    """A collection as the API shows it."""
    positions = collection.position()
    return {
        "collection": collection.name,
        "documents": collection.count(),
        "key": list(collection.key_fields),
        "key_is_typed": collection.key_is_typed,
        "schema": collection.schema.to_json(),
        "partitioning": (
            "range" if collection.partitions.definition.partition_map.is_range else "hash"
        ),
        "partitions": len(positions),
        "epoch": collection.partitions.definition.partition_map.epoch,
    }


async def drop(call: Call) -> Response:
    """Remove a collection with all its documents."""
    parameters(call.request, {})
    service, name = call.service, call.name
    served = call.served
    await served.writes.drained()
    service.forget(name)
    await service.run(lambda: service.store.drop_collection(name))
    return Response(status_code=204)


async def stats(call: Call) -> Response:
    """Documents, bytes, log and index of the collection and of each partition."""
    parameters(call.request, {})
    return json_response(await call.service.run(call.served.collection.stats))


async def refresh(call: Call) -> Response:
    """Make every acknowledged write searchable now."""
    parameters(call.request, {})
    collection = call.served.collection

    def refreshed() -> str:
        positions = collection.position()
        collection.refresh()
        return position_text(positions)

    position = await call.service.run(refreshed)
    return json_response({"position": position.split()}, 200, {POSITION_HEADER: position})


OPERATIONS = (
    Operation("GET", PATH, list_collections, "read", "List collections", models.Collections),
    Operation(
        "PUT",
        ONE,
        create,
        "admin",
        "Make a collection",
        models.Collection,
        models.CollectionDefinition,
        body.JSON,
        body_required=False,
        status=201,
        also=(200,),
        refusals=(409,),
    ),
    Operation("GET", ONE, describe, "read", "Describe a collection", models.Collection),
    Operation("DELETE", ONE, drop, "admin", "Drop a collection", status=204),
    Operation("GET", ONE + "/stats", stats, "read", "Show statistics", Stats),
    Operation(
        "POST", ONE + "/refresh", refresh, "write", "Index every write now", models.Positions
    ),
)
