"""What a caller says of a new collection: its schema, its key and how it is cut first. Pure."""

from typing import Any

from pydantic import BaseModel

from docstore.key_parts import KeyParts
from docstore.key_ranges import Range, pre_split
from docstore.keys import Key, KeySpec
from docstore.partitioning import Hash, PartitionMap
from indexing.errors import InvalidSchema
from indexing.models import schema_of
from indexing.schema import Kind, Schema

PARTITIONS = 4
"""Of a hashed collection that does not say: more than one, so that nothing relies on one."""
KeyLike = str | Key | tuple[str, ...]
SchemaLike = type[BaseModel] | Schema | dict[str, Any] | None


def schema_from(schema: SchemaLike) -> Schema:
    """The schema; None is one without fields. Raises InvalidSchema."""
    if schema is None:
        return Schema()
    if isinstance(schema, Schema):
        return schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema_of(schema)
    return Schema.from_json(schema)


def first_map_of(
    partitioning: object, partitions: int | None, schema: Schema, spec: KeySpec
) -> PartitionMap:
    """The first partition map; raises InvalidSchema."""
    if isinstance(partitioning, Range) and partitions is None:
        return pre_split(spec, KeyParts(schema, spec), partitioning)
    if isinstance(partitioning, Hash):
        return PartitionMap.even(PARTITIONS if partitions is None else partitions)
    raise InvalidSchema(
        f"partitioning is {partitioning!r}, with {partitions!r} partitions",
        hint="use Hash() with a number of partitions, or Range(pre_split=[...]) without one",
    )


def key_spec_of(key: KeyLike, schema: Schema) -> KeySpec:
    """The key's specification: a declared field that is no string makes a typed key."""
    if isinstance(key, tuple | list):
        key = Key(*key)
    if isinstance(key, str):
        kinds = {path: leaf.kind for path, leaf in schema.leaves()}
        kind = kinds.get(key, Kind.STRING)
        if kind in (Kind.BOOL, Kind.OBJECT):
            raise InvalidSchema(
                f"{key!r} is a {kind} and cannot be a key", hint="use a string, number or date"
            )
        return KeySpec.of(Key(key) if kind in (Kind.INT, Kind.FLOAT, Kind.DATETIME) else key)
    if isinstance(key, Key):
        return KeySpec.of(key)
    raise InvalidSchema(
        f"key is {key!r}", hint='use a field name, or Key("seller_id", "listed_at")'
    )
