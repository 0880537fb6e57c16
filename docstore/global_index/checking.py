"""Comparing a global index with the documents, key by key, in bounded memory.

Rules: `global-missing` (a document lacks a posting), `global-extra` (a posting without its
document, or without its entry among the documents of the partition), `global-stale` (a posting says
something else than the document). Writes may go on: what changes during the check is not reported.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docstore.global_index.live_index import LiveIndex
from docstore.global_index.terms import partition_of
from docstore.records import Record


class Divergence(NamedTuple):
    """Where an index and the documents disagree."""

    rule: str
    detail: str
    shard: int | None
    key: bytes


def check(index: LiveIndex, numbers: Sequence[int]) -> Iterator[Divergence]:
    """Every divergence of an index whose lag was none when this began."""
    for number in numbers:
        for key, record in index.shard_of(number).scan():
            if record.seq <= index.floor(number):
                yield from _document(index, number, key, record)
    for place, partition in enumerate(index.partitions):
        for key, _, _ in partition.documents():
            if all(index.shard_of(number).get(key) is None for number in numbers) and (
                partition.held(key) is not None and index.lag(numbers) == 0
            ):
                yield Divergence(
                    "global-extra", f"partition {place} holds a document that is gone", None, key
                )
        for term, number_here, postings in partition.entries():
            key = postings[0].key
            held = partition.held(key)
            if (held is None or held[0] != number_here or term not in held[1]) and (
                partition.postings_of(term, number_here)
            ):
                detail = f"partition {place} holds a posting that its document does not name"
                yield Divergence("global-extra", detail, postings[0].shard, key)


def _document(index: LiveIndex, number: int, key: bytes, record: Record) -> Iterator[Divergence]:
    expected = index.postings_of(key, number, record)
    for place, partition in enumerate(index.partitions):
        mine = {
            t: p for t, p in expected.items() if partition_of(t, len(index.partitions)) == place
        }
        here = partition.held(key)
        held = {} if here is None else {t: partition.postings_of(t, here[0]) for t in here[1]}
        if held == mine or index.shard_of(number).get(key) != record:
            continue
        for term in mine.keys() | held.keys():
            if not held.get(term):
                yield Divergence("global-missing", f"partition {place} lacks it", number, key)
            elif term not in mine:
                detail = f"partition {place} has it under a value that it no longer holds"
                yield Divergence("global-extra", detail, number, key)
            elif held[term] != mine[term]:
                detail = f"partition {place} says {held[term]}, the document {mine[term]}"
                yield Divergence("global-stale", detail, number, key)
