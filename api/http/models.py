"""What goes over the wire, as pydantic models: they check what comes and describe what goes.

Requests are checked by these models; answers are made as plain JSON of the same shape, and a test
holds them against the models. Names here are the API: they never change meaning.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from docstore.growing import limits
from docstore.partitioning import PARTITIONS_MAX


class Asked(BaseModel):
    """A part of a request: no field that is not known, nothing turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Limits(Asked):
    """Limits of one partition: one above any of them is split; null is no limit."""

    documents: int | None = limits.DOCUMENTS
    bytes: int | None = limits.BYTES
    writes_per_second: float | None = Field(
        None, description="Taken at every look of the window; the cut then halves the writes."
    )
    merge_below: float = Field(
        limits.MERGE_BELOW,
        description="Part of every limit below which neighbours are merged again; 0 is never.",
    )
    window_seconds: float = limits.WINDOW_SECONDS


class CollectionDefinition(Asked):
    """What a collection is made with."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "schema": {"fields": {"make": "keyword", "price": "int", "about": "text"}},
                    "key": "id",
                    "partitions": 4,
                }
            ]
        }
    )

    schema_: dict[str, Any] | None = Field(
        None, alias="schema", description="Fields and analyzers; without it, whatever arrives."
    )
    key: str | list[str] = Field(
        "id", description="The key's field, or the fields of a typed, compound key."
    )
    partitions: int | None = Field(
        None, ge=1, le=PARTITIONS_MAX, description="Of hashed keys; 4 when nothing is said."
    )
    pre_split: list[Any] | None = Field(
        None, description="For ranges of keys instead: where all but the first begin, ascending."
    )
    auto_split: Limits | bool | None = Field(
        None, description="When partitions split unasked: limits, or true, or false for never."
    )


class Keys(Asked):
    """Keys to read; a compound key is a list of its parts."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"keys": ["car-1", "car-2"]}]})

    keys: list[Any]


class Problem(BaseModel):
    """An error, as RFC 9457 has it. `type` and `code` are stable."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    hint: str | None = None
    path: str | None = Field(None, description="The field, or the place in the query.")
    data: dict[str, Any] | None = None
    request_id: str | None = None


class AnyDocument(RootModel[dict[str, Any]]):
    """A document: the JSON object that was stored, or fields to change."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "car-1", "make": "Ford", "price": 9500}]}
    )


class Collection(BaseModel):
    """A collection and what it was made with."""

    collection: str
    documents: int
    key: list[str]
    key_is_typed: bool
    schema_: dict[str, Any] = Field(alias="schema")
    partitioning: Literal["hash", "range"]
    partitions: int
    epoch: int


class Collections(BaseModel):
    """The collections that the caller may see."""

    collections: list[Collection]


class Written(BaseModel):
    """An acknowledged write."""

    key: Any
    version: int
    position: str
    created: bool = False
    deleted: bool = False


class LineResult(BaseModel):
    """What became of one line of a bulk request; `error` is a problem when it was refused."""

    line: int
    status: int
    key: Any = None
    version: int | None = None
    position: str | None = None
    deleted: bool = False
    error: Problem | None = None


class StoredDocument(BaseModel):
    """A document with its key and version."""

    key: Any
    version: int
    document: dict[str, Any]


class Page(BaseModel):
    """A page of documents in key order; `next` is the cursor of the following page."""

    documents: list[StoredDocument]
    next: str | None


class Documents(BaseModel):
    """The documents under some keys, null where there is none."""

    documents: list[dict[str, Any] | None]


class Health(BaseModel):
    """How a server is."""

    status: Literal["live", "ready"]
    version: str = ""
    lag: int = 0
    collections: int = 0


class Positions(BaseModel):
    """Where every shard's log ends."""

    position: list[str]


class Change(BaseModel):
    """One write of the feed; `document` is null where a later change replaces it."""

    position: str
    operation: Literal["put", "delete"]
    key: Any
    version: int
    at: str
    document: dict[str, Any] | None
