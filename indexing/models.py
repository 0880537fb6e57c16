"""Pydantic models as schemas, and schemas as pydantic models.

`schema_of` reads a model's annotations; `validator_of` builds what validates documents of a schema
given as JSON. So documents are validated in one way, by pydantic, whichever came first.
"""

import datetime
import decimal
import enum
import ipaddress
import types
import uuid
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    SecretBytes,
    SecretStr,
    TypeAdapter,
    with_config,
)
from pydantic import Field as PydanticField
from pydantic_core import CoreSchema, SchemaValidator, core_schema
from typing_extensions import TypedDict

from indexing.analysis import STANDARD
from indexing.errors import InvalidSchema
from indexing.schema import Dynamic, Field, Kind, Schema


class Text:
    """A field searched by its words only: `Annotated[str, Text(analyzer="english")]`.

    `Text` and `Text(analyzer="english")` alone do too, where no type checker looks. It validates
    as a str and its values are plain strings; it only marks the field.
    """

    __slots__ = ("analyzer",)

    def __init__(self, analyzer: str = STANDARD) -> None:
        self.analyzer = analyzer

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if source is cls or isinstance(source, cls):
            return core_schema.str_schema()
        return handler(source)


class ExactValue:
    """The marker behind `Keyword`."""

    __slots__ = ()


Keyword = Annotated[str, ExactValue()]
"""A field matched, sorted and counted by its whole value."""

_SCALARS: dict[Any, Kind] = {
    str: Kind.STRING,
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    decimal.Decimal: Kind.FLOAT,
    datetime.datetime: Kind.DATETIME,
    datetime.date: Kind.DATETIME,
    ipaddress.IPv4Address: Kind.IP,
    ipaddress.IPv6Address: Kind.IP,
    uuid.UUID: Kind.KEYWORD,
    bytes: Kind.KEYWORD,
    dict: Kind.OBJECT,
}
_LISTS = (list, set, frozenset, tuple)


def schema_of(model: type[BaseModel]) -> Schema:
    """The schema of a pydantic model; raises InvalidSchema on a model that contains itself.

    `extra="forbid"` makes it strict, `extra="allow"` indexes unnamed fields, else pydantic drops
    them. A union of several kinds, or Any, is indexed by the type of each value.
    """
    extra = model.model_config.get("extra")
    dynamics: dict[str | None, Dynamic] = {"forbid": "strict", "allow": "index"}
    return Schema(_model_fields(model, ()), dynamics.get(extra, "ignore"))


def _model_fields(
    model: type[BaseModel], within: tuple[type[BaseModel], ...]
) -> tuple[tuple[str, Field], ...]:
    if model in within:
        raise InvalidSchema(
            f"model {model.__name__} contains itself",
            hint="annotate the inner field as dict: it is then indexed by its values",
        )
    _check_comes_back(model)
    return tuple(
        (
            info.serialization_alias or info.alias or name,
            _field_of(info.annotation, tuple(info.metadata), info.is_required(), (*within, model)),
        )
        for name, info in model.model_fields.items()
    )


def _check_comes_back(model: type[BaseModel]) -> None:
    """Refuse a model whose documents could be stored but not read again as they were."""
    config = model.model_config
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    for name, info in model.model_fields.items():
        written = info.serialization_alias or info.alias or name
        read = _names(info.validation_alias) or {info.alias or name}
        if written not in read and not (by_name and written == name):
            raise _not_stored(model, name, f"is written as {written!r} but read as {sorted(read)}")
        if info.exclude:
            raise _not_stored(model, name, "is excluded from what is stored")
        if any(issubclass(each, SecretStr | SecretBytes) for each in _classes(info.annotation)):
            raise _not_stored(model, name, "is a secret, which is stored as asterisks")
    if model.model_computed_fields and config.get("extra") == "forbid":
        name = next(iter(model.model_computed_fields))
        raise _not_stored(model, name, "is computed, and the model forbids it when it is read")


def _not_stored(model: type[BaseModel], name: str, why: str) -> InvalidSchema:
    return InvalidSchema(
        f"field {name!r} of model {model.__name__} {why}",
        hint="use a model whose JSON it can read itself",
        field=name,
    )


def _names(alias: str | AliasPath | AliasChoices | None) -> set[str]:
    """The top-level names that a validation alias reads."""
    if isinstance(alias, AliasChoices):
        return {name for choice in alias.choices for name in _names(choice)}
    if isinstance(alias, AliasPath):
        return set()
    return set() if alias is None else {alias}


def _classes(annotation: Any) -> list[type[Any]]:
    """The classes an annotation names anywhere."""
    inner = [each for argument in get_args(annotation) for each in _classes(argument)]
    return [*inner, annotation] if isinstance(annotation, type) else inner


def _field_of(  # noqa: C901  one branch per form an annotation takes
    annotation: Any,
    metadata: tuple[Any, ...],
    required: bool,
    within: tuple[type[BaseModel], ...],
) -> Field:
    for marker in (*metadata, annotation):
        if isinstance(marker, Text):
            return Field(Kind.TEXT, marker.analyzer, required=required)
        if isinstance(marker, ExactValue):
            return Field(Kind.KEYWORD, required=required)
    if annotation is Text:
        return Field(Kind.TEXT, required=required)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _field_of(arguments[0], arguments[1:], required, within)
    if origin in (Union, types.UnionType):
        return _union(arguments, within)
    if origin is Literal:
        return Field(_literal_kind(arguments), required=required)
    if origin in _LISTS or annotation in _LISTS:
        inner = [each for each in arguments if each is not Ellipsis]
        item = _union(tuple(inner), within) if inner else Field(Kind.ANY)
        return Field(item.kind, item.analyzer, many=True, required=required, fields=item.fields)
    if origin is dict:
        return Field(Kind.OBJECT, required=required)
    if isinstance(annotation, type):
        return _class_field(annotation, required, within)
    return Field(Kind.ANY, required=required)


def _union(arguments: tuple[Any, ...], within: tuple[type[BaseModel], ...]) -> Field:
    options = {_field_of(each, (), False, within) for each in arguments if each is not type(None)}
    if len(options) == 1:
        return options.pop()
    if {option.kind for option in options} == {Kind.INT, Kind.FLOAT}:
        return Field(Kind.FLOAT, many=any(option.many for option in options))
    return Field(Kind.ANY)


def _literal_kind(values: tuple[Any, ...]) -> Kind:
    kinds = {_SCALARS.get(type(value), Kind.ANY) for value in values if value is not None}
    if kinds == {Kind.STRING}:
        return Kind.KEYWORD
    return kinds.pop() if len(kinds) == 1 else Kind.ANY


def _class_field(
    annotation: type[Any], required: bool, within: tuple[type[BaseModel], ...]
) -> Field:
    if issubclass(annotation, BaseModel):
        return Field(Kind.OBJECT, required=required, fields=_model_fields(annotation, within))
    if issubclass(annotation, enum.Enum):
        return Field(_literal_kind(tuple(member.value for member in annotation)), required=required)
    for scalar, kind in _SCALARS.items():
        if annotation is scalar:
            return Field(kind, required=required)
    if issubclass(annotation, str):
        return Field(Kind.STRING, required=required)
    return Field(Kind.ANY, required=required)


_TYPES: dict[Kind, Any] = {
    Kind.STRING: str,
    Kind.TEXT: str,
    Kind.KEYWORD: str,
    Kind.INT: Annotated[int, PydanticField(ge=-(2**63), le=2**63 - 1)],
    Kind.FLOAT: float,
    Kind.BOOL: bool,
    Kind.DATETIME: datetime.datetime,
    Kind.IP: ipaddress.IPv4Address | ipaddress.IPv6Address,
    Kind.ANY: Any,
}


def validator_of(schema: Schema) -> SchemaValidator:
    """What validates documents of a schema: absent and null fields stay as they are.

    It builds no instance, only a dict that nobody looks at, which takes half as long.
    """
    extra: Literal["forbid", "ignore"] = "forbid" if schema.dynamic == "strict" else "ignore"
    validator = TypeAdapter(_object_type("Document", schema.fields, extra)).validator
    assert isinstance(validator, SchemaValidator)  # noqa: S101  no plugin stands in between
    return validator


def _object_type(
    name: str, fields: tuple[tuple[str, Field], ...], extra: Literal["forbid", "ignore"]
) -> Any:
    kinds: dict[str, Any] = {}
    for field, each in fields:
        annotation = _annotation(field, each, extra)
        kinds[field] = Required[annotation] if each.required else NotRequired[annotation | None]
    # Not typing's own: before Python 3.12 that does not tell pydantic what is required.
    typed = TypedDict(name, kinds)  # type: ignore[misc]  # built at run time
    return with_config(ConfigDict(extra=extra))(typed)


def _annotation(name: str, each: Field, extra: Literal["forbid", "ignore"]) -> Any:
    if each.kind is Kind.OBJECT:
        inner = _object_type(name, each.fields, extra) if each.fields else dict[str, Any]
    else:
        inner = _TYPES[each.kind]
    return list[inner] if each.many else inner  # type: ignore[valid-type]  # built at run time
