"""Where an index by ranges of terms is cut: so that its partitions hold alike many postings."""

from collections.abc import Iterable

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.extracting import Extractor
from docstore.shards.records import parsed
from docstore.shards.shard import Shard
from indexing.schema import Schema

TERMS_MIN = 10
"""Terms per partition below which the bounds would be chance, and are left out."""


def bounded(definition: GlobalIndex, schema: Schema, shards: Iterable[Shard]) -> GlobalIndex:
    """An index by ranges of terms with bounds that fit the documents; any other as it is."""
    if definition.by != "range":
        return definition
    return definition.changed(bounds=bounds_of(definition, schema, shards))


def bounds_of(
    definition: GlobalIndex, schema: Schema, shards: Iterable[Shard]
) -> tuple[bytes, ...]:
    """Bounds from a sample: the first documents of every shard. Few documents give no bounds."""
    unbounded = GlobalIndex(definition.fields, partitions=1, name=definition.name)
    extractor = Extractor(unbounded, schema)
    terms = sorted(
        term
        for shard in shards
        for key, record in shard.scan_batch(b"")
        for term in extractor.rows(parsed(record.body), key, shard.number, record)[0]
    )
    parts = definition.partitions
    if len(terms) < TERMS_MIN * parts:
        return ()
    cuts = {terms[len(terms) * part // parts] for part in range(1, parts)}
    return tuple(sorted(cuts - {terms[0]}))
