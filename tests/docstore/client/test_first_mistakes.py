"""What people get wrong on their first day is told at once, however the store is reached."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, computed_field

from docstore import AlreadyExists, Delete, InvalidRequest, InvalidSchema, Key, Put, Range
from tests.docstore.client.stores import KINDS, opened


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    found, end = opened(request.param, tmp_path)
    yield found
    end()


class Car(BaseModel):
    id: str
    make: str = ""


@pytest.mark.parametrize(
    "one", [{"id": "a", "make": "Ford"}, "abc", b"abc", Car(id="a"), None, 5, Put({"id": "a"})]
)
def test_one_document_is_not_taken_for_many(store: Any, one: Any) -> None:
    cars = store.create_collection("cars", Car)
    with pytest.raises(InvalidRequest) as refused:
        cars.put_many(one)
    assert "put_many([" in refused.value.hint
    assert cars.count() == 0
    assert cars.put_many(iter([{"id": "a"}, Car(id="b")])).written_count == 2


def test_one_key_or_write_is_not_taken_for_many(store: Any) -> None:
    cars = store.create_collection("cars", Car)
    cars.put_many([{"id": key} for key in "abc"])
    for call in (cars.delete_many, cars.get_many):
        with pytest.raises(InvalidRequest):
            call("abc")
    for one in (Put({"id": "d"}), Delete("a")):
        with pytest.raises(InvalidRequest):
            cars.write_many(one)
    assert cars.count() == 3
    assert cars.delete_many({"a", "b"}).written_count == 2


@pytest.mark.parametrize(
    ("schema", "key", "hint"),
    [
        (Car, "mak", "did you mean 'make'?"),
        (Car, "nope", "the fields are: id, make"),
        (Car, Key("make", "idd"), "did you mean 'id'?"),
        ({"fields": {"ident": "keyword"}}, "id", "the fields are: ident"),
    ],
)
def test_a_key_that_no_document_can_hold_is_refused_when_the_collection_is_made(
    store: Any, schema: Any, key: Any, hint: str
) -> None:
    with pytest.raises(InvalidSchema) as refused:
        store.create_collection("cars", schema, key=key)
    assert hint in refused.value.hint
    assert store.collections() == []


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    n: int


class Computed(BaseModel):
    n: int

    @computed_field  # type: ignore[prop-decorator]  # as pydantic has it
    @property
    def id(self) -> str:
        return f"k{self.n}"


@pytest.mark.parametrize(
    ("schema", "key", "put_under"),
    [
        (None, "id", "a"),
        (Open, "id", "a"),
        (Computed, "id", None),
        ({"fields": {"n": "int"}, "dynamic": "ignore"}, "id", "a"),
        ({"fields": {"n": "int", "of": "object"}}, Key("of.id"), None),
    ],
)
def test_a_key_beside_the_schema_is_welcome_where_documents_can_hold_it(
    store: Any, schema: Any, key: Any, put_under: str | None
) -> None:
    made = store.create_collection("made", schema, key=key)
    document = {"n": 1, "of": {"id": "x"}} if isinstance(key, Key) else {"n": 1}
    assert made.put(document, put_under).created
    assert made.count() == 1


def test_a_collection_can_be_made_again_as_it_was(store: Any) -> None:
    made = store.create_collection("cars", Car, key="id", partitions=2, exist_ok=True)
    made.put_many({"id": f"{n}"} for n in range(20))
    with pytest.raises(AlreadyExists):
        store.create_collection("cars", Car, partitions=2)
    again = store.create_collection("cars", Car, partitions=2, exist_ok=True)
    assert again.get("7") == Car(id="7")
    made.set_auto_split(False)
    made.split(0)
    assert store.create_collection("cars", Car, partitions=2, exist_ok=True).count() == 20


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        ({"key": "make"}, ["key"]),
        ({"schema": None}, ["schema.dynamic", "schema.fields.id", "schema.fields.make"]),
        ({"partitions": 3}, ["partitions"]),
        ({"partitions": None, "partitioning": Range(["b"])}, ["partitioning"]),
        ({"auto_split": False}, ["auto_split"]),
    ],
)
def test_a_collection_made_otherwise_is_not_taken_for_the_same(
    store: Any, other: dict[str, Any], differences: list[str]
) -> None:
    asked: dict[str, Any] = {"schema": Car, "key": "id", "partitions": 2, "exist_ok": True}
    store.create_collection("cars", **asked)
    with pytest.raises(AlreadyExists) as refused:
        store.create_collection("cars", **{**asked, **other})
    assert list(refused.value.data["differences"]) == differences
    assert f"its {differences[0]} is" in refused.value.message
