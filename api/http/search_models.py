"""Searches as they go over the wire: what can be asked, and what is answered.

As in `models`: requests are checked by these, and a test holds the answers against them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.http.index_models import IndexUse
from api.http.models import Asked

SortBy = Annotated[
    Any,
    Field(
        description='"price" or "-price": one field, also as a list of one.',
        json_schema_extra={"type": ["string", "object", "array", "null"]},
    ),
]
"""What to sort by; the store checks it, which says better than a type what is wrong with one."""


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

    sort: SortBy = None
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
        False,
        description="Whether to answer with what is found and counted when time runs out, "
        "marked so, instead of failing with 504.",
    )


class Count(Question):
    """A count; of all documents when nothing is asked."""


class Explain(Question):
    """A search that is planned and not run."""

    sort: SortBy = None
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
    """A page of matches; `total` is exact, unless the answer is partial."""

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
    partial: bool = Field(
        False,
        description="Whether time ran out: `missing` and `uncounted` say what the answer lacks.",
    )
    missing: list[int] | None = Field(
        None, description="Shards that were not searched: total and hits are of the others."
    )
    uncounted: list[str] | None = Field(
        None, description="Fields whose facet or histogram was not counted and is left out."
    )
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
