"""The partitions of a collection over HTTP: the map, and its changes while everything goes on."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from api.http import body
from api.http.answers import json_response
from api.http.asking import asked_in
from api.http.index_models import GlobalIndexStats, Verification
from api.http.models import Asked, Limits
from api.http.queries import parameters
from api.http.routing import PREFIX, Call, Operation
from docstore import NotFound, PartitionChange

PATH = PREFIX + "/collections/{collection}/partitions"
ONE = PATH + "/{partition}"


class SaltedKey(BaseModel):
    """A partition key that is spread over `fan` places."""

    key: Any
    fan: int


class Partition(BaseModel):
    """One partition: its slice of tokens or keys, what it holds and how far its index is."""

    partition: int
    lower: int | str
    upper: int | str | None
    documents: int
    document_bytes: int
    index_bytes: int
    log_entries: int
    head: int
    indexed: int
    lag: int
    commits: int
    writes: int
    refreshes: int
    refresh_seconds: float
    error: str | None


class Moving(BaseModel):
    """The change of the partitions that is under way, and how far it is."""

    kind: Literal["split", "merge", "salt"]
    from_: list[int] = Field(alias="from")
    into: list[int]
    phase: str
    done: int
    of: int
    seconds: float


class PastChange(BaseModel):
    """A change of the partitions that was made; `at` is microseconds since 1970.

    `why` tells of one that nobody asked for; what it took is null where it was not kept.
    """

    kind: Literal["split", "merge", "salt"]
    epoch: int
    at: int
    from_: list[int] = Field(alias="from")
    into: list[int]
    why: str | None
    documents: int | None
    seconds: float | None
    pause_ms: float | None


class Unsplittable(BaseModel):
    """A partition above a limit that cannot be cut."""

    partition: int
    why: str


class AutoSplitState(BaseModel):
    """The limits, null for never; what cannot be split; why the last change failed."""

    limits: Limits | None
    unsplittable: list[Unsplittable]
    error: str | None


class Partitions(BaseModel):
    """The partition map with the state of every shard, the change under way, and the last ones."""

    collection: str
    epoch: int
    partitions: list[Partition]
    moving: Moving | None
    history: list[PastChange]
    salts: list[SaltedKey]
    auto_split: AutoSplitState


class Stats(Partitions):
    """The sums over a collection's shards, and each of them."""

    documents: int
    bytes: int
    lag: int
    indexes: list[GlobalIndexStats]
    verification: Verification


class Split(Asked):
    """Where to cut a partition."""

    at: Any = Field(
        None,
        description="A key or its leading parts; of hashed keys a token. Without it, the median.",
    )


class Merge(Asked):
    """With which neighbour to make one partition."""

    neighbour: int


class Changed(BaseModel):
    """A change of the partitions that is done; writers of them waited for `pause_ms`."""

    kind: Literal["split", "merge", "salt"]
    epoch: int
    from_: list[int] = Field(alias="from")
    into: list[int]
    documents: int
    seconds: float
    pause_ms: float


_SHOWN = ("collection", "epoch", "partitions", "moving", "history", "salts", "auto_split")


async def partitions(call: Call) -> Response:
    """The partition map with the state of every shard."""
    parameters(call.request, {})
    found = await call.service.run(call.served.collection.stats)
    return json_response({name: found[name] for name in _SHOWN})


async def split(call: Call) -> Response:
    """Cut a partition in two; answers when it is done."""
    asked, number = await asked_in(call, Split, may_be_left_out=True), _number(call)
    at = tuple(asked.at) if isinstance(asked.at, list) else asked.at
    collection = call.served.collection
    return changed(await call.service.endure(lambda: collection.split(number, at)))


async def merge(call: Call) -> Response:
    """Make one partition of two neighbours; answers when it is done."""
    asked, number = await asked_in(call, Merge), _number(call)
    collection = call.served.collection
    return changed(await call.service.endure(lambda: collection.merge(number, asked.neighbour)))


def _number(call: Call) -> int:
    text: str = call.request.path_params["partition"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise NotFound(f"there is no partition {text[:20]!r}", hint="use a partition's number")
    return int(text)


def changed(change: PartitionChange) -> Response:
    """A change of the partitions that is done."""
    return json_response(
        {
            "kind": change.kind,
            "epoch": change.epoch,
            "from": list(change.sources),
            "into": list(change.targets),
            "documents": change.documents,
            "seconds": round(change.seconds, 3),
            "pause_ms": round(change.pause_ms, 3),
        }
    )


OPERATIONS = (
    Operation("GET", PATH, partitions, "read", "Show the partition map", Partitions),
    Operation(
        "POST",
        ONE + "/split",
        split,
        "admin",
        "Split a partition",
        Changed,
        Split,
        body.JSON,
        body_required=False,
    ),
    Operation(
        "POST", ONE + "/merge", merge, "admin", "Merge two neighbours", Changed, Merge, body.JSON
    ),
)
