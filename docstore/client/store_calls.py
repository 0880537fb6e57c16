"""The calls of a whole store: its collections listed, made and dropped; pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from docstore.catalog import check_name
from docstore.client.calls import COLLECTIONS, CollectionCalls, hot_keys_in, hot_terms_in
from docstore.client.questions import json_of
from docstore.client.wire import JSON, Answer, Call
from docstore.differing import check_model
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.key_ranges import Range
from docstore.keys import Key, KeySpec
from docstore.new_collection import check_key, key_spec_of, schema_from
from docstore.partitioning import Hash
from indexing.errors import AlreadyExists
from indexing.schema import Schema

HASH = Hash()


def collections() -> Call[list[str]]:
    """The names of the collections that may be seen."""

    def read(answer: Answer) -> list[str]:
        return sorted(each["collection"] for each in answer.json()["collections"])

    return Call("GET", COLLECTIONS, read)


def describe(name: str, model: type[BaseModel] | None) -> Call[CollectionCalls[Any]]:
    """What is needed to use a collection; raises InvalidSchema for another model."""

    def read(answer: Answer) -> CollectionCalls[Any]:
        calls = described(answer.json(), model)
        if model is not None:
            check_model(model, calls.schema, name)
        return calls

    return Call("GET", _path(name), read)


def create(
    name: str,
    schema: Any,
    key: Any,
    partitions: int | None,
    partitioning: Hash | Range,
    auto_split: AutoSplit | bool,
    *,
    exist_ok: bool,
) -> Call[CollectionCalls[Any]]:
    """Make a collection; the answer to a first attempt that was lost is not a conflict."""
    limits = AutoSplit.of(auto_split)
    model = schema if isinstance(schema, type) and issubclass(schema, BaseModel) else None
    declared = schema_from(schema)
    check_key(key_spec_of(key, declared), declared, model)
    if isinstance(key, Key):
        key = key.fields
    wanted = {
        "schema": declared.to_json(),
        "key": key if isinstance(key, str) else list(key),
        "partitions": partitions,
        "auto_split": None if limits == AutoSplit() else limits.as_dict() if limits else False,
        "pre_split": list(partitioning.pre_split) if isinstance(partitioning, Range) else None,
    }

    def read(answer: Answer) -> CollectionCalls[Any]:
        if answer.status == 200 and answer.attempt == 1 and not exist_ok:
            raise AlreadyExists(
                f"collection {name!r} exists",
                hint="open it with collection(), or pass exist_ok=True",
            )
        return described(answer.json(), model)

    return Call("PUT", _path(name), read, json_of(wanted), {"content-type": JSON})


def hot_keys(limit: int) -> Call[list[HotKey]]:
    """The partition keys with most of the traffic, of all collections."""
    return Call("GET", f"/v1/hot-keys?limit={limit}", hot_keys_in)


def hot_terms(limit: int) -> Call[list[HotTerm]]:
    """The values of global indexes with most documents or traffic, of all collections."""
    return Call("GET", f"/v1/hot-terms?limit={limit}", hot_terms_in)


def drop(name: str) -> Call[None]:
    """Remove a collection; one that a first attempt removed is removed."""

    return Call("DELETE", _path(name), lambda _: None, absent=lambda answer, _: answer.attempt > 1)


def _path(name: str) -> str:
    return f"{COLLECTIONS}/{quote(check_name(name), safe='')}"


def described(said: Mapping[str, Any], model: type[BaseModel] | None) -> CollectionCalls[Any]:
    """The calls of a collection that a server described."""
    schema = Schema.from_json(said["schema"])
    spec = KeySpec(tuple(said["key"]), said["key_is_typed"])
    return CollectionCalls(said["collection"], schema, spec, model)
