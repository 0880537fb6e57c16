"""Every method that takes a key takes all spellings of it: what one finds, the others find."""

import datetime
import enum
import ipaddress
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from docstore import Collection, Delete, Key, Put, Range, Store

Things = Collection[dict[str, Any]]
TEXT = {"text": "rusty turbo"}
DAY = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)
NAME = "00000000-0000-0000-0000-000000000007"


class Named(enum.Enum):
    """A key as programs like to write it."""

    LONG = NAME


MOMENTS = ["2020-01-02T00:00:00Z", "2020-01-02T01:00:00+01:00", DAY, (DAY,)]
KEYS: list[tuple[Any, Any, list[Any]]] = [
    ({"id": "float"}, "id", [5, 5.0, (5,), [5.0]]),
    ({"id": "int"}, "id", [5, (5,), [5]]),
    ({"id": "datetime"}, "id", MOMENTS),
    ({"id": "keyword"}, "id", [NAME, uuid.UUID(NAME), Named.LONG]),
    ({"id": "ip"}, "id", ["10.0.0.1", ipaddress.ip_address("10.0.0.1")]),
    ({"id": "float", "at": "datetime"}, Key("id", "at"), [(5, DAY), [5.0, MOMENTS[1]]]),
]
"""The kinds of the key's fields, the key, and spellings of one."""

FINDS: dict[str, Callable[[Things, Any], bool]] = {
    "get": lambda things, key: things.get(key) is not None,
    "fetch": lambda things, key: things.fetch(key) is not None,
    "stored": lambda things, key: things.stored(key) is not None,
    "exists": lambda things, key: things.exists(key),
    "get_many": lambda things, key: things.get_many([key]) != [None],
    "scan prefix": lambda things, key: len(list(things.scan(prefix=key))) == 1,
    "scan start": lambda things, key: len(list(things.scan(start=key))) == 2,
    "scan end": lambda things, key: len(list(things.scan(end=key))) == 0,
    "more_like": lambda things, key: things.more_like(key).total == 1,
    "owner": lambda things, key: things.partitions.owner_of(key) in things.partitions.numbers,
    "put": lambda things, key: things.put(TEXT, key, if_present=True).version == 2,
    "patch": lambda things, key: things.patch(key, {"n": 1}).version == 2,
    "delete": lambda things, key: things.delete(key).deleted,
    "delete_many": lambda things, key: things.delete_many([key]).written[0].deleted,
    "write_many": lambda things, key: (
        things.write_many([Put(TEXT, key, if_version=1), Delete(key, if_version=2)]).errors == []
    ),
}
"""The methods that take a key, each with whether it found the one document that has it."""
LATER = {
    "float": 6,
    "int": 6,
    "datetime": "2021-01-01T00:00:00Z",
    "keyword": "zz",
    "ip": "10.0.0.9",
}


@pytest.mark.parametrize("method", FINDS)
@pytest.mark.parametrize(("kinds", "key", "spellings"), KEYS)
def test_a_method_finds_a_document_by_each_spelling_of_its_key(
    store: Store, method: str, kinds: dict[str, str], key: Any, spellings: list[Any]
) -> None:
    schema = {"fields": {**kinds, "text": "text", "n": "int"}}
    for number, asked in enumerate(spellings):
        things = store.create_collection(f"things{number}", schema, key=key, partitions=2)
        things.put(TEXT, spellings[number - 1])
        things.put({**TEXT, **{field: LATER[kind] for field, kind in kinds.items()}})
        assert FINDS[method](things, asked), asked


@pytest.mark.parametrize(("kinds", "key", "spellings"), KEYS)
def test_a_range_is_cut_at_each_spelling_of_a_key(
    store: Store, kinds: dict[str, str], key: Any, spellings: list[Any]
) -> None:
    schema = {"fields": {**kinds, "text": "text"}}
    for number, at in enumerate(spellings):
        name = f"things{number}"
        things = store.create_collection(name, schema, key=key, partitioning=Range())
        things.put(TEXT, spellings[0])
        things.split(0, at)
        assert things.partitions.owner_of(spellings[0]) == 2
        other = store.create_collection(f"o{name}", schema, key=key, partitioning=Range([at]))
        assert other.partitions.owner_of(spellings[0]) == 1


@pytest.mark.parametrize("first", [5, 5.0, (5,), [5.0]])
def test_a_partition_key_is_salted_in_each_spelling(store: Store, first: Any) -> None:
    schema = {"fields": {"id": "float", "at": "datetime"}}
    things = store.create_collection("things", schema, key=Key("id", "at"))
    things.put({}, (5, DAY))
    things.salt(first, 2)
    assert things.stats()["salts"] == [{"key": 5.0, "fan": 2}]
