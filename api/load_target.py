"""The collection a load writes to: the one that is there, checked, or a new one, decided here.

Deciding is pure: from the options and the first documents to a schema and a key. Absent on purpose:
changing a collection; a load that does not fit the collection is refused before it writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from api.keys import parse_key
from api.lines import Line
from docstore import (
    Collection,
    DocstoreError,
    InvalidRequest,
    InvalidSchema,
    Key,
    NotFound,
    Range,
    Schema,
    Store,
)
from docstore.differing import said, schema_differences

SAMPLE_DOCUMENTS = 10_000
"""Documents from which a schema is inferred: enough to meet most fields, a second's work."""
SAMPLE_BYTES = 64 * 1024 * 1024
PARTITIONS = 4
INFER, NONE = "infer", "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options ask of the collection; None where they say nothing."""

    name: str
    key: tuple[str, ...] | None
    schema: str
    partitions: int | None
    is_range: bool = False
    pre_split: tuple[str, ...] = ()


def key_fields_of(options: list[str] | None) -> tuple[str, ...] | None:
    """The key's fields from a repeated option whose values may hold commas."""
    if not options:
        return None
    fields = tuple(field.strip() for option in options for field in option.split(","))
    if not all(fields):
        raise InvalidRequest("--key has an empty field name", hint="--key id, or --key seller,id")
    return fields


def existing(store: Store, wanted: Wanted) -> Collection[Any] | None:
    """The collection if it is there; raises InvalidRequest when it is not as the options say."""
    try:
        collection = store.collection(wanted.name)
    except NotFound:
        return None
    if wanted.key is not None and wanted.key != collection.key_fields:
        raise InvalidRequest(
            f"collection {wanted.name!r} has the key {','.join(collection.key_fields)}, "
            f"not {','.join(wanted.key)}",
            hint="leave --key out, or load into a new collection",
        )
    if wanted.schema not in (INFER, NONE):
        differences = schema_differences(collection.schema, schema_in(wanted.schema))
        if differences:
            raise InvalidRequest(
                f"collection {wanted.name!r} has another schema than {wanted.schema}: "
                + said(differences),
                hint="leave --schema out, or load into a new collection",
                differences=differences,
            )
    _check_cut(collection, wanted)
    return collection


def _check_cut(collection: Collection[Any], wanted: Wanted) -> None:
    """Refuse another first cut than was made; what was split or merged since does not matter."""
    made_with = collection.partitions.made_with
    asked = wanted.partitions
    if wanted.is_range:
        if not collection.partitions.definition.partition_map.is_range:
            raise InvalidRequest(
                f"collection {wanted.name!r} is partitioned by hash, not by ranges of keys",
                hint="leave --range and --pre-split out, or load into a new collection",
            )
        asked = len(wanted.pre_split) + 1 if wanted.pre_split else None
    if asked not in (None, made_with):
        raise InvalidRequest(
            f"collection {wanted.name!r} was made with {made_with} partitions, not {asked}",
            hint="leave --partitions and --pre-split out, or load into a new collection",
        )


def create(store: Store, wanted: Wanted, sample: list[dict[str, Any]]) -> Collection[Any]:
    """Make the collection; raises InvalidSchema."""
    if wanted.schema == INFER:
        schema = Schema.infer(sample)
    elif wanted.schema == NONE:
        schema = Schema()
    else:
        schema = schema_in(wanted.schema)
    key = key_for(wanted.key or ("id",), schema, sample)
    if wanted.is_range:
        fields = (key,) if isinstance(key, str) else key.fields
        bounds = Range(parse_key(schema, fields, bound) for bound in wanted.pre_split)
        return store.create_collection(wanted.name, schema, key=key, partitioning=bounds)
    partitions = PARTITIONS if wanted.partitions is None else wanted.partitions
    return store.create_collection(wanted.name, schema, key=key, partitions=partitions)


def key_for(fields: tuple[str, ...], schema: Schema, sample: list[dict[str, Any]]) -> str | Key:
    """The key of a new collection; pure.

    One field of strings is a plain key. A field that the schema does not declare, but that holds
    something else than strings, is a typed key, or no document could be put.
    """
    if len(fields) > 1:
        return Key(*fields)
    (field,) = fields
    values = [document[field] for document in sample if document.get(field) is not None]
    declared = any(path == field for path, _ in schema.leaves())
    if declared or all(isinstance(value, str) for value in values):
        return field
    return Key(field)


def schema_in(file: str) -> Schema:
    """The schema of a JSON file; raises InvalidSchema, NotFound."""
    try:
        definition = orjson.loads(Path(file).expanduser().read_bytes())
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no schema file {file}", hint=f"or use --schema {INFER} or --schema {NONE}"
        ) from error
    except OSError as error:
        raise InvalidSchema(
            f"{file}: {error.strerror or error}", hint="name a JSON file with a schema"
        ) from error
    except orjson.JSONDecodeError as error:
        raise InvalidSchema(
            f"{file} is not JSON: {error.msg} at line {error.lineno} column {error.colno}",
            hint='a schema is {"fields": {"make": "keyword", "price": "int"}}',
        ) from error
    return Schema.from_json(definition)


def sampled(lines: Iterator[Line]) -> tuple[list[Line], Iterator[Line]]:
    """The lines to infer a schema from, and all lines with those first.

    The sample is at most SAMPLE_DOCUMENTS lines and about SAMPLE_BYTES. When reading fails after
    some lines, the error comes again after them; when it fails at once, it is raised.
    """
    sample: list[Line] = []
    size = 0
    try:
        for line in islice(lines, SAMPLE_DOCUMENTS):
            sample.append(line)
            size += len(line.data)
            if size >= SAMPLE_BYTES:
                break
    except DocstoreError as error:
        if not sample:
            raise
        return sample, chain(sample, map(_raised, [error]))
    return sample, chain(sample, lines)


def _raised(error: DocstoreError) -> Line:
    raise error


def documents_of(lines: list[Line]) -> list[dict[str, Any]]:
    """The JSON objects among some lines; what is broken is reported when it is loaded."""
    documents = []
    for line in lines:
        try:
            value = orjson.loads(line.data)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            documents.append(value)
    return documents
