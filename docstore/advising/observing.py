"""Advice for a collection that exists: its documents are sampled, a workload is replayed.

Reads only; nothing is changed. Bounded: SAMPLE documents, and those the workload reads by key.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from docstore import keys
from docstore.advising.advice import Advice, best_of, in_words
from docstore.advising.replay import replayed, weighed
from docstore.advising.schemes import Values, laid, ways_for
from docstore.advising.scopes import fields_asked, index_figures
from docstore.advising.workload import ByKey, OfDocument, Operation, operations_in
from docstore.collection import Collection
from docstore.partitioning import PARTITIONS_MAX
from docstore.partitions import Partitions
from docstore.shards.records import parsed
from docstore.types import Key
from indexing.errors import DocstoreError, InvalidRequest

SAMPLE = 20_000
"""Documents that stand for all: a partition's share of 64 is then known within a tenth."""
FIELDS_MAX = 5
"""Fields that are tried as the first part of a key, the most asked for first."""


def advise(
    collection: Collection[Any],
    workload: Iterable[bytes],
    fields: Sequence[str] | None = None,
    partitions: int | None = None,
) -> Advice:
    """Compare ways to partition a collection, and global indexes, by a workload: lines of JSON.

    `fields` are tried as the first part of a key, those searched by most unless given; `partitions`
    is their number, the present one unless given. Changes nothing. Raises InvalidRequest.
    """
    lines = list(enumerate(workload, 1))
    return collection.ask(lambda of: _advised(of, lines, fields, partitions))


def _advised(
    partitions: Partitions,
    lines: Iterable[tuple[int, bytes]],
    fields: Sequence[str] | None,
    count: int | None,
) -> Advice:
    definition = partitions.definition
    spec, of = definition.key, definition.partition_map
    if count is not None and not (type(count) is int and 1 <= count <= PARTITIONS_MAX):
        raise InvalidRequest(
            f"{count!r} partitions", hint=f"use a whole number from 1 to {PARTITIONS_MAX}"
        )
    operations = list(operations_in(lines, spec, definition.name))
    if not operations:
        raise InvalidRequest(
            f"the workload has no operations on {definition.name}",
            hint="one JSON object per line; see --help",
        )
    asked = fields_asked(operations, definition.schema)
    tried = list(fields if fields is not None else asked[:FIELDS_MAX])
    paths = tuple(dict.fromkeys((*spec.fields, *tried, *asked)))
    documents = partitions.count()
    sample = _sample(partitions, paths, max(documents // SAMPLE, 1))
    known = _known(partitions, operations, paths)
    operations = [_flat(each, paths) for each in operations]
    number = len(of.numbers) if count is None else count
    layouts = [
        laid(
            way,
            definition.schema,
            sample,
            number,
            of if way.is_current and count is None else None,
        )
        for way in ways_for(spec, of.scheme, tried)
    ]
    ways = tuple(replayed(on, operations, known.get, len(sample)) for on in layouts)
    count_asked = weighed(operations)["operations"]
    best = best_of(ways, count_asked)
    scale = documents / len(sample) if sample else 0.0
    indexes = tuple(
        index_figures(field, layouts[0], operations, sample, scale)
        for field in tried
        if field not in spec.fields
    )
    return Advice(
        definition.name,
        documents,
        len(sample),
        count_asked,
        ways,
        best,
        indexes,
        tuple(in_words(ways, best, indexes, count_asked)),
    )


def _sample(partitions: Partitions, paths: tuple[str, ...], step: int) -> list[Values]:
    scans = (partitions.shard(number).scan() for number in partitions.numbers)
    found = islice(chain.from_iterable(scans), 0, None, step)
    return [_values(parsed(record.body), paths) for _, record in found]


def _known(
    partitions: Partitions, operations: Sequence[Operation], paths: tuple[str, ...]
) -> dict[Key, Values]:
    """The documents that the workload reads or writes by key."""
    wanted: dict[Key, bytes] = {}
    for each in operations:
        if isinstance(each, ByKey) and each.key not in wanted:
            try:
                key = partitions.key_parts.key(each.key)
                wanted[each.key] = keys.encode(partitions.definition.key, key)
            except DocstoreError as error:
                raise InvalidRequest(
                    f"the workload has a key that is none: {error.message}", hint=error.hint
                ) from error
    records = partitions.read(list(wanted.values()))
    return {
        key: _values(parsed(record.body), paths)
        for key, record in zip(wanted, records, strict=True)
        if record is not None
    }


def _flat(operation: Operation, paths: tuple[str, ...]) -> Operation:
    if isinstance(operation, OfDocument):
        return OfDocument(_values(operation.document, paths), operation.count)
    return operation


def _values(document: Mapping[str, Any], paths: tuple[str, ...]) -> Values:
    return {path: value for path in paths if (value := _reach(document, path)) is not None}


def _reach(document: Any, path: str) -> Any:
    if isinstance(document, Mapping) and path in document:
        return document[path]
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
