"""What a caller says of a new collection: its schema, its key and how it is cut first. Pure."""

import difflib
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


def check_key(spec: KeySpec, schema: Schema, model: type[BaseModel] | None = None) -> None:
    """Refuse a key that no document can hold, which would leave the collection empty for ever.

    Documents of a schema that is not strict may hold fields beside it, so a key may be left out of
    it; those of a model hold what it names, its properties, and others only if it allows extra
    ones. Raises InvalidSchema.
    """
    is_closed = schema.dynamic == "strict" if model is None else schema.dynamic != "index"
    if not is_closed:
        return
    known = {name for name, _ in schema.fields} if model else set(schema.paths)
    of = "the schema" if model is None else f"the model {model.__name__}"
    for field in spec.fields:
        if field in known or _is_beside(field, schema, model):
            continue
        near = difflib.get_close_matches(field, sorted(known), 1)
        listed = f"the fields are: {', '.join(sorted(known)[:20]) or 'none'}"
        raise InvalidSchema(
            f"the key {field!r} is no field of {of}",
            hint=f"did you mean {near[0]!r}?" if near else f"{listed}; say which is the key",
            field=field,
        )


def _is_beside(field: str, schema: Schema, model: type[BaseModel] | None) -> bool:
    """Whether documents can hold a field that the schema does not name."""
    if model is not None:
        return field in model.model_fields or not callable(getattr(model, field, callable))
    parents = {path for path, leaf in schema.leaves() if leaf.kind in (Kind.OBJECT, Kind.ANY)}
    return any(field.startswith(f"{parent}.") for parent in parents)


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
