"""A collection's schema: which fields documents have, of which kind, and what else may appear.

Invariants: paths are dotted and unique; a schema equals itself after a trip through its JSON form.
A schema says nothing of storage: documents are kept whole, the schema decides what is validated
and how it is indexed. Absent on purpose: defaults and computed fields, which belong to a model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from indexing.analysis import STANDARD, analyzer_of
from indexing.errors import InvalidSchema
from indexing.values import microseconds_of


class Kind(StrEnum):
    """What a field holds. The names are stored in collection.json and never change meaning."""

    STRING = "string"  # text and keyword at once: what a plain str is
    TEXT = "text"
    KEYWORD = "keyword"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATETIME = "datetime"
    IP = "ip"
    OBJECT = "object"
    ANY = "any"  # whatever arrives, indexed by the type of each value


Dynamic = Literal["strict", "ignore", "index"]
"""Fields the schema does not name: refused, stored but not indexed, or indexed by their values."""
FIELDS_MAX = 1000
"""More declared fields than this is a map, not a schema; each costs columns in every shard."""


_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
PROSE_CHARACTERS = 200
"""A field with any value longer than this is prose: nobody filters or sorts by it whole."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `many` allows a list of the kind; `fields` are an object's own fields.

    An object with no declared fields takes any, indexed by the type of each value.
    """

    kind: Kind
    analyzer: str = STANDARD
    many: bool = False
    required: bool = False
    fields: tuple[tuple[str, "Field"], ...] = ()


@dataclass(frozen=True)
class Schema:
    """Named fields, the treatment of unnamed ones, and custom analyzers.

    `Schema()` is the schemaless collection: nothing declared, everything indexed.
    """

    fields: tuple[tuple[str, Field], ...] = ()
    dynamic: Dynamic = "index"
    analyzers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        leaves = list(self.leaves())
        if len(leaves) > FIELDS_MAX:
            raise InvalidSchema(
                f"{len(leaves)} fields declared, at most {FIELDS_MAX} are allowed",
                hint="use an object field for open-ended data",
            )
        seen: set[str] = set()
        for path, leaf in leaves:
            if path in seen:
                raise InvalidSchema(
                    f"two fields have the path {path!r}",
                    hint="a dot in a name reads like an object's field: rename one",
                    field=path,
                )
            seen.add(path)
            if leaf.kind in (Kind.TEXT, Kind.STRING):
                try:
                    analyzer_of(leaf.analyzer, self.analyzers)
                except InvalidSchema as error:
                    error.data["field"] = path
                    raise

    def leaves(self) -> Iterator[tuple[str, Field]]:
        """Every field that holds values, as (dotted path, field); open objects included."""
        yield from _leaves("", self.fields)

    @cached_property
    def paths(self) -> frozenset[str]:
        """The dotted paths of all fields that hold values."""
        return frozenset(path for path, _ in self.leaves())

    @classmethod
    def from_json(cls, definition: Any) -> "Schema":
        """Read the JSON form; raises InvalidSchema naming the place that is wrong."""
        if not isinstance(definition, dict):
            raise InvalidSchema(
                f"a schema is an object, not {type(definition).__name__}",
                hint='for example {"fields": {"make": "keyword", "price": "int"}}',
            )
        _only_known(definition, {"fields", "dynamic", "analyzers"}, "the schema")
        dynamic = definition.get("dynamic", "strict" if definition.get("fields") else "index")
        if dynamic not in ("strict", "ignore", "index"):
            raise InvalidSchema(
                f"dynamic is {dynamic!r}", hint="use strict, ignore or index", field="dynamic"
            )
        analyzers = definition.get("analyzers", {})
        if not isinstance(analyzers, dict):
            raise InvalidSchema("analyzers must be an object", hint="map a name to a definition")
        return cls(_fields(definition.get("fields", {}), ""), dynamic, analyzers)

    @classmethod
    def infer(cls, documents: list[dict[str, Any]]) -> "Schema":
        """The narrowest schema all documents fit; new fields stay welcome and are indexed.

        Strings that all read as ISO 8601 date-times become datetimes, long prose becomes text,
        other strings stay strings. Values that disagree make the field `any`, which takes both.
        """
        seen: dict[str, list[Any]] = {}
        for document in documents:
            for name, value in document.items():
                seen.setdefault(name, []).append(value)
        return cls(tuple((name, _inferred(values)) for name, values in seen.items()), "index")

    def to_json(self) -> dict[str, Any]:
        """The JSON form, which `from_json` reads back to an equal schema."""
        form: dict[str, Any] = {
            "fields": {name: _field_json(each) for name, each in self.fields},
            "dynamic": self.dynamic,
        }
        if self.analyzers:
            form["analyzers"] = dict(self.analyzers)
        return form


def _leaves(prefix: str, fields: tuple[tuple[str, Field], ...]) -> Iterator[tuple[str, Field]]:
    for name, each in fields:
        if each.kind is Kind.OBJECT and each.fields:
            yield from _leaves(f"{prefix}{name}.", each.fields)
        else:
            yield prefix + name, each


def _only_known(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise InvalidSchema(
                f"{where} has no part {name!r}", hint=f"use {', '.join(sorted(known))}", field=name
            )


def _fields(definition: Any, prefix: str) -> tuple[tuple[str, Field], ...]:
    if not isinstance(definition, dict):
        raise InvalidSchema(
            f"fields of {prefix or 'the schema'} must be an object",
            hint='map each field to its type, like {"price": "int"}',
            field=prefix,
        )
    return tuple((name, _field(each, f"{prefix}{name}")) for name, each in definition.items())


def _field(definition: Any, path: str) -> Field:
    if isinstance(definition, str):
        definition = {"type": definition}
    if not isinstance(definition, dict) or "type" not in definition:
        raise InvalidSchema(
            f"field {path!r} needs a type", hint=f"use one of {', '.join(Kind)}", field=path
        )
    _only_known(definition, {"type", "analyzer", "list", "required", "fields"}, f"field {path!r}")
    if definition["type"] not in list(Kind):
        raise InvalidSchema(
            f"field {path!r} has the unknown type {definition['type']!r}",
            hint=f"use one of {', '.join(Kind)}",
            field=path,
        )
    kind = Kind(definition["type"])
    if "analyzer" in definition and kind not in (Kind.TEXT, Kind.STRING):
        raise InvalidSchema(
            f"field {path!r} is a {kind} and takes no analyzer",
            hint="only text and string fields are analyzed",
            field=path,
        )
    if not isinstance(definition.get("analyzer", STANDARD), str):
        raise InvalidSchema(
            f"the analyzer of field {path!r} is not a name",
            hint="define it in `analyzers` under a name, and use that",
            field=path,
        )
    return Field(
        kind=kind,
        analyzer=definition.get("analyzer", STANDARD),
        many=bool(definition.get("list", False)),
        required=bool(definition.get("required", False)),
        fields=_fields(definition.get("fields", {}), f"{path}.") if kind is Kind.OBJECT else (),
    )


def _field_json(each: Field) -> Any:
    form: dict[str, Any] = {"type": str(each.kind)}
    if each.kind in (Kind.TEXT, Kind.STRING) and each.analyzer != STANDARD:
        form["analyzer"] = each.analyzer
    if each.many:
        form["list"] = True
    if each.required:
        form["required"] = True
    if each.fields:
        form["fields"] = {name: _field_json(inner) for name, inner in each.fields}
    return form["type"] if len(form) == 1 else form


def _inferred(values: list[Any]) -> Field:
    many = any(isinstance(value, list) for value in values)
    items = [
        item
        for value in values
        for item in (value if isinstance(value, list) else [value])
        if item is not None
    ]
    if many and not all(isinstance(value, list) or value is None for value in values):
        return Field(Kind.ANY)
    if many and any(item is None for value in values for item in value or ()):
        return Field(Kind.ANY, many=True)  # a list of a kind holds no nulls
    return Field(_inferred_kind(items), many=many)


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        microseconds_of(text)
    except ValueError:
        return False
    return True


def _inferred_kind(items: list[Any]) -> Kind:
    types = {type(item) for item in items}
    if types == {str}:
        if all(map(_is_date_time, items)):
            return Kind.DATETIME
        return Kind.TEXT if any(len(item) > PROSE_CHARACTERS for item in items) else Kind.STRING
    if types == {bool}:
        return Kind.BOOL
    if types == {int}:
        return Kind.INT if all(-(2**63) <= item < 2**63 for item in items) else Kind.FLOAT
    if types in ({float}, {int, float}):
        return Kind.FLOAT
    return Kind.OBJECT if types == {dict} else Kind.ANY
