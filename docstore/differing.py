"""What differs between two definitions, told part by part; pure.

Two schemas differ by their parts (`fields.price`, `dynamic`, `analyzers.mine`): the order of their
fields is none of them, and makes no difference to what is stored.
"""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from docstore.showing import shown
from indexing.errors import InvalidSchema
from indexing.models import schema_of
from indexing.schema import Field, Kind, Schema

SHOWN = 5
"""Differences that a message names; the data of the error names all."""
Differences = dict[str, dict[str, str | None]]
"""By part: what it is in the collection (`made`) and what was asked for (`given`); None: absent."""


def between(made: Mapping[str, str], given: Mapping[str, str]) -> Differences:
    """The parts that are not the same: those asked for in their order, then those only made."""
    return {
        part: {"made": made.get(part), "given": given.get(part)}
        for part in dict.fromkeys((*given, *made))
        if made.get(part) != given.get(part)
    }


def parts_of(schema: Schema) -> dict[str, str]:
    """A schema part by part, each as a person would say it."""
    parts = _fields("fields", schema.fields)
    parts["dynamic"] = schema.dynamic
    for name, definition in schema.analyzers.items():
        parts[f"analyzers.{name}"] = shown(definition)
    return parts


def schema_differences(made: Schema, given: Schema) -> Differences:
    """How one schema differs from another."""
    return {} if made == given else between(parts_of(made), parts_of(given))


def _fields(path: str, fields: Iterable[tuple[str, Field]]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for name, each in fields:
        words = ["required"] if each.required else []
        words += ["list of"] if each.many else []
        words.append(each.kind)
        words += [f"({each.analyzer})"] if each.kind in (Kind.TEXT, Kind.STRING) else []
        parts[f"{path}.{name}"] = " ".join(words)
        parts |= _fields(f"{path}.{name}", each.fields)
    return parts


def check_model(model: type[BaseModel], schema: Schema, collection: str) -> None:
    """Refuse a model that is not what a collection was made with; raises InvalidSchema."""
    differences = schema_differences(schema, schema_of(model))
    if differences:
        raise InvalidSchema(
            f"the model {model.__name__} is not what collection {collection!r} was made with: "
            + said(differences),
            hint="open it without a model, or dump it, make a new collection with this model, "
            "and load the dump there",
            differences=differences,
        )


def said(differences: Differences) -> str:
    """The differences as a sentence of bounded length."""
    told = [_said(part, **each) for part, each in differences.items()]
    more = [f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return "; ".join((*told[:SHOWN], *more))


def _said(part: str, made: str | None, given: str | None) -> str:
    if made is None:
        return f"it has no {part} ({given})"
    return f"its {part} is {made}, not {given}" if given else f"it has {part} ({made}) besides"
