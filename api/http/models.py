"""What goes over the wire, as pydantic models: they check what comes and describe what goes.

Requests are checked by these models; answers are made as plain JSON of the same shape, and a test
holds them against the models. Names here are the API: they never change meaning.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from api.http.index_models import IndexUse
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


class Question(Asked):
    """What documents a request is about."""

    q: str | None = Field(None, description="What a person types.")
    filter: dict[str, Any] | None = Field(None, description="The short form of conditions.")
    query: dict[str, Any] | None = Field(None, description="A query object.")
    operator: Literal["or", "and"] | None = None
    freshness: Literal["current", "any"] = "current"
    after: str | list[str] | None = Field(
        None, description="Positions the answer must cover, instead of `freshness`."
    )
    index: str | None = Field(
        "auto", description="A global index's name, null for none, or the cheapest way."
    )
    max_fanout: int | None = Field(
        None, ge=1, description="How many shards and index partitions may be asked."
    )


class Search(Question):
    """A search: the arguments of the Python API's `search`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "q": "ford f-150",
                    "filter": {"price": {"lt": 20000}},
                    "sort": "price",
                    "limit": 5,
                },
                {"filter": {"color": "red"}, "sort": "-price", "index": "color"},
            ]
        }
    )

    sort: str | dict[str, Any] | None = Field(None, description='"price" or "-price".')
    limit: int = Field(10, ge=0)
    offset: int = Field(0, ge=0)
    select: list[str] | None = Field(None, description="Only these fields of each document.")
    facets: str | list[str] | dict[str, Any] | None = Field(
        None, description="Values to count: a field, several, or each with how many."
    )
    histograms: str | list[str] | dict[str, Any] | None = Field(
        None, description="Numbers and dates to count: fields, each with buckets or an interval."
    )
    highlight: bool | str | list[str] | None = Field(
        None, description="Whether, or in which fields, to mark what was searched for."
    )
    plan: bool = Field(True, description="Whether the answer says how it was found.")
    timeout_ms: int | None = Field(None, ge=1, description="Less time than the server allows.")
    partial: bool = Field(
        False, description="Whether to answer with what is found when time runs out."
    )


class Count(Question):
    """A count; of all documents when nothing is asked."""


class Explain(Question):
    """A search that is planned and not run."""

    sort: str | dict[str, Any] | None = None
    limit: int = Field(10, ge=0)
    offset: int = Field(0, ge=0)
    select: list[str] | None = None


class Complete(Asked):
    """What a person has typed so far."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"prefix": "for", "field": "make"}]})

    prefix: str
    field: str | list[str] | None = None
    limit: int = Field(10, ge=0, le=1_000)
    filter: dict[str, Any] | None = None
    freshness: Literal["current", "any"] = "current"
    after: str | list[str] | None = None
    timeout_ms: int | None = Field(None, ge=1, description="Less time than the server allows.")


class MoreLike(Asked):
    """A document to find similar ones of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"key": "car-1", "limit": 5}]})

    key: Any
    fields: list[str] | None = None
    limit: int = Field(10, ge=0)
    offset: int = Field(0, ge=0)
    filter: dict[str, Any] | None = None
    freshness: Literal["current", "any"] = "current"
    after: str | list[str] | None = None
    timeout_ms: int | None = Field(None, ge=1, description="Less time than the server allows.")
    plan: bool = True


class DeleteByQuery(Question):
    """Which documents to delete; `max_documents` bounds one request, which can be repeated.

    What is deleted is always found as of now.
    """

    freshness: Literal["current"] = "current"
    after: None = None
    max_documents: int = Field(10_000, ge=1, le=100_000)


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


class Hit(BaseModel):
    """One match."""

    key: Any
    score: float | None
    sort: Any
    version: int
    seq: int = Field(description="Of the write that made the document so, for `if_seq`.")
    document: dict[str, Any]
    highlights: dict[str, list[str]] | None = Field(
        None, description="HTML, escaped, with <mark> around what was found."
    )


class ValueCount(BaseModel):
    """A value and how many documents have it."""

    value: Any
    documents: int


class Bucket(BaseModel):
    """How many documents have a value from `low` to before `high`."""

    low: Any
    high: Any
    documents: int


class Histogram(BaseModel):
    """Buckets side by side; `interval` is their width."""

    interval: float | str | None
    buckets: list[Bucket]


class Completion(BaseModel):
    """What a person may be typing; `field` null is any."""

    value: str
    field: str | None
    documents: int


class Completions(BaseModel):
    """Completions, those of most documents first."""

    completions: list[Completion]


class SearchAnswer(BaseModel):
    """A page of matches; `total` is exact."""

    total: int
    cached: bool = Field(
        False,
        description="Whether the answer was kept from before, and nothing was written since: "
        "the times it tells are those of when it was found.",
    )
    hits: list[Hit]
    shards_touched: int
    took_ms: float
    timings_ms: dict[str, float]
    facets: dict[str, list[ValueCount]] | None = None
    histograms: dict[str, Histogram] | None = None
    indexes: list[IndexUse] | None = Field(
        None, description="The global indexes it was answered from."
    )
    plan: dict[str, Any] | None = None


class Plan(BaseModel):
    """How a search would be answered."""

    chosen: dict[str, Any]
    rejected: list[dict[str, Any]]
    freshness: str
    query: str
    sort: str
    notes: list[str]


class Counted(BaseModel):
    """How many documents match."""

    count: int


class Deleted(BaseModel):
    """What a delete-by-query did; `more` says that matches are left, so that it can be repeated."""

    deleted: int
    more: bool
    position: list[str]


class Health(BaseModel):
    """How a server is."""

    status: Literal["live", "ready"]
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
