"""What goes over the wire about global indexes: their definitions, where they stand, their uses."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from docstore.global_index.definition import PARTITIONS_MAX

_EXAMPLE: dict[str, Any] = {"field": "color", "include": ["make", "price"], "partitions": 4}


class IndexDefinition(BaseModel):
    """What a global index is made with; without `field` it is over the field it is named after."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [_EXAMPLE]}
    )

    field: str | list[str] | None = Field(
        None, description="The field it is over, or several; by default the one it is named after."
    )
    include: list[str] | Literal["all"] = Field(
        [], description="Fields that it carries, so that answers need no document."
    )
    partitions: int = Field(4, ge=1, le=PARTITIONS_MAX)
    by: Literal["hash", "range"] = Field(
        "hash", description="How values are spread: ranges serve scans of ranges."
    )


class SaltedTerm(BaseModel):
    """A value whose postings are spread over `fan` index partitions; a list of several fields."""

    value: Any
    fan: int


class NewName(BaseModel):
    """What a global index is to be named."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"name": "colour"}]}
    )

    name: str


class MadeAnew(BaseModel):
    """How far another index is that is made to take an index's place, which is cut badly."""

    state: Literal["filling", "comparing", "ready"]
    filling: int
    documents: int


class GlobalIndexStats(BaseModel):
    """A global index: what it is, how far it is, what it holds."""

    name: str
    field: str | list[str]
    include: list[str] | Literal["all"]
    partitions: int
    by: Literal["hash", "range"]
    bounds: list[str]
    salts: list[SaltedTerm]
    state: Literal["filling", "comparing", "ready"]
    documents: int
    postings: int
    terms: int
    lag: int
    lag_ms: float
    overlay: int
    filling: int
    error: str | None
    made_anew: MadeAnew | None


class VerificationRate(BaseModel):
    """How many documents a second to compare with the global indexes; null compares none."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"rate": 100}]}
    )

    rate: float | None = Field(gt=0)


class Verification(BaseModel):
    """The comparing that goes on: documents looked at, those that differed, times over all."""

    rate: float | None
    verified: int
    divergent: int
    rounds: int
    last: str | None


class GlobalIndexes(BaseModel):
    """The global indexes of a collection, in the order they were made."""

    indexes: list[GlobalIndexStats]


class IndexUse(BaseModel):
    """A global index that an answer is from, and how far it was; `checkpoint` is seq by shard."""

    index: str
    partitions: list[int]
    lag: int
    lag_ms: float
    pending: int
    overlay: int
    checkpoint: dict[str, int]
