"""Schemas from JSON, models and documents, and the models that validate what a schema declares."""

import datetime
import enum
import ipaddress
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    SecretStr,
    ValidationError,
    computed_field,
)
from pydantic import Field as PydanticField

from indexing.errors import InvalidSchema
from indexing.models import Keyword, Text, schema_of, validator_of
from indexing.schema import Field, Kind, Schema


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Seller(BaseModel):
    name: str
    address: ipaddress.IPv4Address | None = None


class Car(BaseModel):
    id: str
    make: Keyword
    text: Text = ""  # type: ignore[assignment]  # a str in truth
    story: Annotated[str, Text(analyzer="english")] = ""
    completion: Text(analyzer="prefix") = ""  # type: ignore[valid-type]  # the marker as annotation
    price: int
    weight: float | None = None
    sold: bool = False
    posted: datetime.datetime | None = None
    color: Color = Color.RED
    fuel: Literal["gas", "electric"] = "gas"
    tags: list[str] = []
    prices: set[int] = set()
    seller: Seller | None = None
    sellers: list[Seller] = []
    extra: dict[str, Any] = {}
    anything: Any = None
    number: int | float = 0
    mixed: int | str = 0


def test_a_model_is_read_field_by_field() -> None:
    kinds = {path: (str(leaf.kind), leaf.many) for path, leaf in schema_of(Car).leaves()}
    assert kinds == {
        "id": ("string", False),
        "make": ("keyword", False),
        "text": ("text", False),
        "story": ("text", False),
        "completion": ("text", False),
        "price": ("int", False),
        "weight": ("float", False),
        "sold": ("bool", False),
        "posted": ("datetime", False),
        "color": ("keyword", False),
        "fuel": ("keyword", False),
        "tags": ("string", True),
        "prices": ("int", True),
        "seller.name": ("string", False),
        "seller.address": ("ip", False),
        "sellers.name": ("string", False),
        "sellers.address": ("ip", False),
        "extra": ("object", False),
        "anything": ("any", False),
        "number": ("float", False),
        "mixed": ("any", False),
    }
    analyzers = {path: leaf.analyzer for path, leaf in schema_of(Car).leaves()}
    assert (analyzers["story"], analyzers["completion"]) == ("english", "prefix")


@pytest.mark.parametrize(
    ("extra", "dynamic"), [("forbid", "strict"), ("allow", "index"), ("ignore", "ignore")]
)
def test_what_a_model_says_of_other_fields(
    extra: Literal["forbid", "allow", "ignore"], dynamic: str
) -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra=extra)
        id: str

    assert schema_of(Open).dynamic == dynamic


def test_a_model_that_contains_itself_is_refused() -> None:
    class Node(BaseModel):
        id: str
        inner: "Node | None" = None

    with pytest.raises(InvalidSchema, match="contains itself"):
        schema_of(Node)


def test_a_schema_survives_its_json_form() -> None:
    schema = schema_of(Car)
    assert Schema.from_json(schema.to_json()) == schema
    custom = {
        "fields": {"t": {"type": "text", "analyzer": "mine"}},
        "analyzers": {"mine": {"tokenizer": "whitespace", "filters": ["lowercase"]}},
    }
    again = Schema.from_json(Schema.from_json(custom).to_json())
    assert (again.dynamic, again.to_json()) == ("strict", {**custom, "dynamic": "strict"})


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ([], "object"),
        ({"field": {}}, "no part 'field'"),
        ({"fields": {"x": "decimal"}}, "decimal"),
        ({"fields": {"x": {}}}, "needs a type"),
        ({"fields": {"x": {"type": "int", "analyzer": "english"}}}, "no analyzer"),
        ({"fields": {"x": {"type": "text", "analyser": "english"}}}, "analyser"),
        ({"fields": {"x": {"type": "text", "analyzer": "klingon"}}}, "klingon"),
        ({"fields": {"x": {"type": "object", "fields": {"y": "z"}}}}, "x.y"),
        ({"dynamic": "maybe"}, "maybe"),
        ({"fields": {f"f{n}": "int" for n in range(1001)}}, "1001"),
        (
            {
                "fields": {"x": {"type": "text", "analyzer": "a"}},
                "analyzers": {"a": {"filters": []}},
            },
            "tokenizer",
        ),
        (
            {
                "fields": {"x": {"type": "text", "analyzer": "a"}},
                "analyzers": {"a": {"tokenizer": "simple", "filters": ["upside-down"]}},
            },
            "upside-down",
        ),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(definition: Any, said: str) -> None:
    with pytest.raises(InvalidSchema, match=said) as refused:
        Schema.from_json(definition)
    assert refused.value.hint


def test_documents_of_a_declared_schema_are_validated_as_they_are() -> None:
    validator = validator_of(
        Schema.from_json(
            {
                "fields": {
                    "price": {"type": "int", "required": True},
                    "posted": "datetime",
                    "a b": {
                        "type": "object",
                        "fields": {"tags": {"type": "keyword", "list": True}},
                    },
                }
            }
        )
    )
    good = b'{"price": 5, "posted": "2024-01-01T00:00:00Z", "a b": {"tags": ["x"]}}'
    validator.validate_json(good, strict=True)
    for bad in (
        b"{}",
        b'{"price": "5"}',
        b'{"price": 9223372036854775808}',
        b'{"price": 5, "posted": "soon"}',
        b'{"price": 5, "a b": {"tags": "x"}}',
        b'{"price": 5, "other": 1}',
    ):
        with pytest.raises(ValidationError):
            validator.validate_json(bad, strict=True)


def test_a_schema_is_inferred_from_what_all_documents_hold() -> None:
    documents: list[dict[str, Any]] = [
        {"s": "a", "i": 1, "f": 1, "b": True, "d": "2024-01-01T10:00:00Z", "l": ["x"], "m": 1},
        {"s": "b", "i": 2, "f": 2.5, "b": None, "d": "2024-01-01 10:00", "l": [], "m": "x"},
        {"p": "word " * 100, "o": {"x": 1}, "big": 2**64, "n": [1], "x": "y"},
        {"n": 2, "x": None},
    ]
    inferred = dict(Schema.infer(documents).fields)
    assert inferred == {
        "s": Field(Kind.STRING),
        "i": Field(Kind.INT),
        "f": Field(Kind.FLOAT),
        "b": Field(Kind.BOOL),
        "d": Field(Kind.DATETIME),
        "l": Field(Kind.STRING, many=True),
        "m": Field(Kind.ANY),
        "p": Field(Kind.TEXT),
        "o": Field(Kind.OBJECT),
        "big": Field(Kind.FLOAT),
        "n": Field(Kind.ANY),
        "x": Field(Kind.STRING),
    }


class WrittenOtherwise(BaseModel):
    price: int = PydanticField(validation_alias="in", serialization_alias="out")


class Left(BaseModel):
    price: int = PydanticField(1, exclude=True)


class Secret(BaseModel):
    word: SecretStr | None = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    price: int

    @computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def double(self) -> int:
        return 2 * self.price


@pytest.mark.parametrize("model", [WrittenOtherwise, Left, Secret, Strict])
def test_a_model_that_cannot_read_what_it_writes_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(InvalidSchema) as refused:
        schema_of(model)
    assert refused.value.data["field"]


def test_a_model_with_one_alias_both_ways_is_taken() -> None:
    class Aliased(BaseModel):
        price: int = PydanticField(alias="p")
        year: int = PydanticField(validation_alias=AliasChoices("y", "year"))

    assert set(schema_of(Aliased).paths) == {"p", "year"}
