"""Documents on their way in and out: validated, keyed, as JSON bytes; and back as what they were.

With a pydantic model, documents are its instances; with a declared schema they are dicts checked by
a model made from it; without a schema any JSON object will do. What is stored is always plain JSON,
readable without the model. Every refusal is an InvalidDocument that names the field.
"""

import base64
import datetime
import ipaddress
import math
import re
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, SchemaValidator

from docstore import keys
from docstore.key_parts import KeyParts
from docstore.keys import KeySpec
from docstore.shards.records import parsed
from docstore.types import Key
from indexing.errors import InvalidDocument
from indexing.models import validator_of
from indexing.schema import Kind, Schema

D = TypeVar("D")

DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
LEVELS_MAX = 254
"""What the JSON library takes; deeper nesting is a mistake or an attack."""
_PLAIN = (Kind.STRING, Kind.TEXT, Kind.KEYWORD, Kind.INT, Kind.FLOAT, Kind.BOOL)
"""Kinds of values that Python and JSON hold alike; a date is an object here and text there."""
_MAYBE_OVER_64_BITS = re.compile(rb"\d{19}")


class DocumentCodec(Generic[D]):
    """Encodes and decodes the documents of one collection."""

    def __init__(self, schema: Schema, spec: KeySpec, model: type[BaseModel] | None) -> None:
        self._spec = spec
        self._model = model
        self._validator = validator_of(schema) if schema.fields and model is None else None
        self._is_plain = all(leaf.kind in _PLAIN for _, leaf in schema.leaves())
        self._fields = _attributes(model) if model else {}
        self._key_part = KeyParts(schema, spec).part_of

    def encode(
        self, document: Any, key: Key | None = None, op_id: str | None = None
    ) -> tuple[Key, bytes, bytes]:
        """The key, its bytes and the JSON of a document; generates a missing string key."""
        if type(document) is not dict:
            if self._model is not None and isinstance(document, self._model):
                return self._encode_instance(document, key, op_id)
            if isinstance(document, BaseModel):
                document = document.model_dump(mode="json", by_alias=True)
            if not isinstance(document, dict):
                raise InvalidDocument(
                    f"a document is a JSON object, not {type(document).__name__}",
                    hint="pass a dict or an instance of the collection's model",
                )
        if key is None and self._spec.typed:
            key = self._bytes_key(document)
        document = self._keyed(document, key, op_id)
        if self._model is not None:
            return self._encode_instance(self._validated(document), None)
        body = _json(document)
        if b"null" in body:  # NaN is written so
            check_json(document)
        if self._validator is not None:
            self._validate(self._validator, document, body)
        value = self._key_of(document) if key is None else self._given(key)
        return value, keys.encode(self._spec, value), _sized(body)

    def _encode_instance(
        self, instance: BaseModel, key: Key | None, op_id: str | None = None
    ) -> tuple[Key, bytes, bytes]:
        if key is not None or self._needs_key(instance):
            changed = self._keyed(instance.model_dump(by_alias=True), key, op_id)
            instance = self._validated(changed)
        body = _serialized(instance)
        if _may_hide_nan(body) or _MAYBE_OVER_64_BITS.search(body):
            check_json(instance.model_dump(by_alias=True), whole_numbers_64_bits=True)
        parts = [
            getattr(instance, self._fields.get(field, field), None) for field in self._spec.fields
        ]
        value = self._key_value(parts)
        return value, keys.encode(self._spec, value), _sized(body)

    def _needs_key(self, instance: BaseModel) -> bool:
        if self._spec.typed:
            return False
        (field,) = self._spec.fields
        return getattr(instance, self._fields.get(field, field), None) is None

    def _validated(self, document: dict[str, Any]) -> BaseModel:
        assert self._model is not None  # noqa: S101  narrows the type: callers checked it
        try:
            return self._model.model_validate(document)
        except ValidationError as error:
            raise _refused(error) from error
        except RecursionError as error:
            raise _too_deep() from error

    def _validate(self, validator: SchemaValidator, document: dict[str, Any], body: bytes) -> None:
        """Check a document of a declared schema as it is: nothing is coerced, it is stored so.

        What counts is its JSON; where all values are the same there, to look at them is faster.
        """
        if self._is_plain and validator.isinstance_python(document, strict=True):
            return
        try:
            validator.validate_json(body, strict=True)
        except ValidationError as error:
            raise _refused(error) from error

    def _keyed(
        self, document: dict[str, Any], key: Key | None, op_id: str | None
    ) -> dict[str, Any]:
        """The document with its key in its fields; the caller's own is left alone."""
        if key is None:
            if self._spec.typed or document.get(self._spec.fields[0]) is not None:
                return document
            return {**document, self._spec.fields[0]: keys.new_key(op_id)}
        parts = key if self._spec.typed and isinstance(key, tuple | list) else (key,)
        if len(parts) != len(self._spec.fields):
            keys.encode(self._spec, key)
        missing = {}
        for field, part in zip(self._spec.fields, parts, strict=True):
            held = _reach(document, field)
            if held is None or isinstance(held, bytes):
                missing[field] = part_json(part)
            elif isinstance(part, bytes) and held == part.decode("utf-8", "replace"):
                continue  # a model writes bytes as text
            elif part_json(self._key_part(field, held)) != part_json(self._key_part(field, part)):
                raise InvalidDocument(
                    f"the document's {field!r} is {held!r}, but it is put under {part!r}",
                    hint="leave out the key, or make the two agree",
                    field=field,
                )
        return {**document, **missing}

    def _bytes_key(self, document: dict[str, Any]) -> Key | None:
        """The key, when a part of it is bytes: JSON has none, so the document keeps base64."""
        parts = [document.get(field) for field in self._spec.fields]
        return tuple(parts) if any(isinstance(part, bytes) for part in parts) else None

    def _given(self, key: Key) -> Key:
        parts = list(key) if self._spec.typed and isinstance(key, tuple | list) else [key]
        return self._key_value(parts)

    def _key_of(self, stored: dict[str, Any]) -> Key:
        if not self._spec.typed:
            key = stored.get(self._spec.fields[0])
            if type(key) is str:
                return key
        return self._key_value([_reach(stored, field) for field in self._spec.fields])

    def _key_value(self, parts: list[Any]) -> Key:
        for number, (field, part) in enumerate(zip(self._spec.fields, parts, strict=True)):
            if part is None:
                raise InvalidDocument(
                    f"the document has no {field!r}, which is part of its key",
                    hint="give every part of the key a value",
                    field=field,
                )
            parts[number] = self._key_part(field, part)
        return parts[0] if len(parts) == 1 else tuple(parts)

    @staticmethod
    def as_json(body: bytes) -> dict[str, Any]:
        """A stored document as plain JSON, whatever the model."""
        document: dict[str, Any] = parsed(body)
        return document

    def as_bytes(self) -> "DocumentCodec[bytes]":
        """A codec that reads documents as the JSON bytes they are stored as."""
        codec: DocumentCodec[bytes] = DocumentCodec.__new__(_BytesCodec)
        vars(codec).update(vars(self))
        return codec

    def decode(self, body: bytes) -> D:
        """The document as the caller knows it: the model when there is one, else a dict."""
        if self._model is None:
            return parsed(body)  # type: ignore[no-any-return]  # D is dict here
        try:
            return self._model.model_validate_json(body)  # type: ignore[return-value]  # D is it
        except ValidationError as error:
            raise InvalidDocument(
                f"a stored document does not fit the model {self._model.__name__}: "
                f"{error.errors()[0]['msg']}",
                hint="open the collection without a model, or give new fields a default",
            ) from error


class _BytesCodec(DocumentCodec[bytes]):
    """Decodes nothing."""

    def decode(self, body: bytes) -> bytes:
        """The bytes as they are."""
        return body


def _may_hide_nan(body: bytes) -> bool:
    """Whether NaN may have been written: as null, so only documents with nulls are looked through.

    Three searches for fixed bytes are thirty times faster than one pattern.
    """
    return b"null" in body or b"NaN" in body or b"Infinity" in body


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """The attribute of each field by its name in JSON."""
    return {
        info.serialization_alias or info.alias or name: name
        for name, info in model.model_fields.items()
    }


def _reach(document: dict[str, Any], path: str) -> Any:
    if path in document:
        return document[path]
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def check_json(value: Any, *, whole_numbers_64_bits: bool = False, path: str = "") -> None:
    """Refuse what JSON or the index cannot hold: NaN, over-deep nesting, keys that are no strings.

    Raises InvalidDocument with the field's path.
    """
    _check(value, path, 0, whole_numbers_64_bits)


def _check(value: Any, path: str, level: int, strict: bool) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int or kind is float:
        _check_number(value, path, strict)
    elif level >= LEVELS_MAX:
        raise _too_deep()
    elif kind is dict:
        for name, each in value.items():
            if type(name) is not str:
                raise InvalidDocument(
                    f"{name!r} in {path or 'the document'!r} is not a field name",
                    hint="field names are strings",
                    field=path,
                )
            _check(each, f"{path}.{name}" if path else name, level + 1, strict)
    elif kind in (list, tuple, set, frozenset):
        for each in value:
            _check(each, path, level + 1, strict)


def _check_number(value: float, path: str, strict: bool) -> None:
    if type(value) is float and not math.isfinite(value):
        raise InvalidDocument(
            f"{path!r} is {value}, which JSON cannot hold",
            hint="leave the field out, or use null",
            field=path,
        )
    if strict and type(value) is int and not -(2**63) <= value < 2**63:
        raise InvalidDocument(
            f"{path!r} does not fit in 64 bits", hint="store it as a string", field=path
        )


def _too_deep() -> InvalidDocument:
    return InvalidDocument(
        f"the document is nested deeper than {LEVELS_MAX} levels", hint="flatten it"
    )


def _json(document: Any) -> bytes:
    try:
        return orjson.dumps(document, default=_json_default)
    except orjson.JSONEncodeError as error:
        if "Recursion" in str(error):
            raise _too_deep() from error
        raise InvalidDocument(
            f"the document cannot be written as JSON: {error}",
            hint="use strings, numbers, booleans, nulls, dates, lists and objects; 64-bit integers",
        ) from error


def part_json(part: Any) -> Any:
    """A part of a key as a document holds it."""
    if isinstance(part, bytes):
        return base64.b64encode(part).decode()
    if isinstance(part, datetime.datetime):
        aware = part if part.tzinfo else part.replace(tzinfo=datetime.UTC)
        return aware.astimezone(datetime.UTC).isoformat()
    return part


def _json_default(value: Any) -> Any:
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _serialized(instance: BaseModel) -> bytes:
    try:
        return instance.__pydantic_serializer__.to_json(instance, by_alias=True, warnings="error")
    except (PydanticSerializationError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidDocument(
            f"the document cannot be written as JSON: {error}",
            hint="check the types of its fields; text must be valid Unicode, and bytes need "
            'a model with ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")',
        ) from error


def _sized(body: bytes) -> bytes:
    if len(body) > DOCUMENT_BYTES_MAX:
        raise InvalidDocument(
            f"the document has {len(body):,} bytes, at most {DOCUMENT_BYTES_MAX:,} are allowed",
            hint="store large content elsewhere and keep a reference",
            bytes=len(body),
        )
    return body


def _refused(error: ValidationError) -> InvalidDocument:
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    more = error.error_count() - 1
    return InvalidDocument(
        f"field {field!r}: {first['msg']}" + (f" (and {more} more)" if more else ""),
        hint="correct the field, or the schema if the document is right",
        field=field,
    )
