"""A collection that is made again: whether it is what its second definition would make; pure.

What was split, merged or salted since makes no difference; where partitions of key ranges were cut
at first is not known any more once that happened, only into how many.
"""

from collections.abc import Iterable

from docstore.differing import Differences, between, said, schema_differences
from docstore.global_index.definition import GlobalIndex
from docstore.growing.limits import AutoSplit
from docstore.keys import KeySpec, key_text
from docstore.partitioning import PartitionMap
from docstore.partitions import Partitions
from docstore.showing import shown
from indexing.errors import AlreadyExists
from indexing.schema import Schema


def check_same(
    there: Partitions,
    schema: Schema,
    spec: KeySpec,
    first_map: PartitionMap,
    indexes: Iterable[GlobalIndex] = (),
    limits: Differences | None = None,
) -> None:
    """Refuse a definition that a collection was not made with; `limits` is how those differ.

    Indexes may have come besides those of the definition. Raises AlreadyExists.
    """
    definition = there.definition
    differences = {
        f"schema.{part}": each
        for part, each in schema_differences(definition.schema, schema).items()
    }
    differences |= between({"key": _key(definition.key)}, {"key": _key(spec)})
    if definition.key == spec:
        now = definition.partition_map
        is_known = now.is_range and first_map.is_range and not now.history
        differences |= between(
            _cut(spec, now, there.made_with, with_bounds=is_known),
            _cut(spec, first_map, len(first_map.partitions), with_bounds=is_known),
        )
    made = {f"indexes.{each.name}": _index(each) for each in there.indexes}
    given = {f"indexes.{each.name}": _index(each) for each in indexes}
    differences |= between({name: made[name] for name in given if name in made}, given)
    differences |= limits or {}
    if differences:
        name = definition.name
        raise AlreadyExists(
            f"collection {name!r} exists, made with another definition: {said(differences)}",
            hint="use it as it is, or dump it, make a collection of another name, and load the "
            "dump there",
            differences=differences,
        )


def limits_differences(made: AutoSplit | None, given: AutoSplit | None) -> Differences:
    """How the limits at which partitions are split differ."""
    return between({"auto_split": shown(made)}, {"auto_split": shown(given)})


def _key(spec: KeySpec) -> str:
    return f"{'typed ' if spec.typed else ''}{', '.join(spec.fields)}"


def _index(index: GlobalIndex) -> str:
    return str({**index.to_json(), "bounds": [], "salts": []})


def _cut(spec: KeySpec, of: PartitionMap, count: int, *, with_bounds: bool) -> dict[str, str]:
    cut = {"partitioning": of.scheme, "partitions": str(count)}
    if with_bounds:
        cut["pre_split"] = shown([key_text(spec, each.lower) for each in of.partitions[1:]])
    return cut
