"""Comparing a global index with the documents, key by key, in bounded memory.

Rules: `global-missing` (a document lacks a posting), `global-extra` (a posting without its
document, or without its entry among the documents of the partition), `global-stale` (a posting says
something else than the document), `global-count` (a term's documents are miscounted). Writes may go
on: what changes during the check is not reported.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from docstore.global_index.index_partition import IndexPartition
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.postings import Posting, unpacked
from docstore.shards.records import Record


class Divergence(NamedTuple):
    """Where an index and the documents disagree."""

    rule: str
    detail: str
    shard: int | None
    key: bytes


def check(index: LiveIndex, numbers: Sequence[int]) -> Iterator[Divergence]:
    """Every divergence of what an index has on disk, all of the logs' entries being there."""
    heads = {number: index.files.floor(number) for number in numbers}
    for number in numbers:
        for key, record in index.shard_of(number).scan():
            if record.seq <= heads[number]:
                yield from check_document(index, number, key, record)
    for place, partition in enumerate(index.files.partitions):
        for key, _ in partition.documents():
            if all(index.shard_of(number).get(key) is None for number in numbers) and (
                partition.terms_of([key]) and not index.place.behind(_heads(index, numbers))
            ):
                yield Divergence(
                    "global-extra", f"partition {place} holds a document that is gone", None, key
                )
        yield from _check_postings(place, partition)


def _heads(index: LiveIndex, numbers: Sequence[int]) -> dict[int, int]:
    return {number: index.shard_of(number).head for number in numbers}


def _check_postings(place: int, partition: IndexPartition) -> Iterator[Divergence]:
    """Postings against the documents of the partition, and against the counts of terms."""
    counts = partition.counted()
    counted: tuple[bytes, int] | None = next(counts, None)
    for term, postings in groupby(partition.entries(), key=lambda posting: posting.term):
        found = 0
        key = b""
        for posting in postings:
            found += 1
            key = posting.key
            if term not in partition.terms_of([key]).get(key, ()) and (
                partition.posting(term, key) is not None
            ):
                detail = f"partition {place} holds a posting that its document does not name"
                yield Divergence("global-extra", detail, posting.shard, key)
        while counted is not None and counted[0] < term:
            counted = next(counts, None)
        said = counted[1] if counted is not None and counted[0] == term else 0
        if said != found and partition.frequency(term) == said:
            detail = f"partition {place} counts {said} documents of a term, it has {found}"
            yield Divergence("global-count", detail, None, key)


def check_document(
    index: LiveIndex, number: int, key: bytes, record: Record
) -> Iterator[Divergence]:
    """What every partition says otherwise than a document, unless it was written meanwhile."""
    for place, rows in enumerate(index.rows_of(key, number, record)):
        partition, unread = index.files.partitions[place], index.definition.unread
        stored = partition.held([key]).get(key, {})
        held = {
            term: unpacked(term, key, stored[term]) if term in stored else None
            for term in partition.terms_of([key]).get(key, ())
            if term not in unread
        }
        mine = {term: unpacked(term, key, row) for term, row in rows.items() if term not in unread}
        if _said(held) == _said(mine) or index.shard_of(number).get(key) != record:
            continue
        for term in mine.keys() | held.keys():
            if held.get(term) is None:
                yield Divergence("global-missing", f"partition {place} lacks it", number, key)
            elif term not in mine:
                detail = f"partition {place} has it under a value that it no longer holds"
                yield Divergence("global-extra", detail, number, key)
            elif _said(held)[term] != _said(mine)[term]:
                detail = f"partition {place} says {held[term]}, the document {mine[term]}"
                yield Divergence("global-stale", detail, number, key)


def _said(postings: "dict[bytes, Posting | None] | dict[bytes, Posting]") -> dict[bytes, object]:
    """What postings say, apart from the shard, which a split may have replaced."""
    return {
        term: None
        if posting is None
        else (posting.is_several, posting.seq, posting.version, posting.payload)
        for term, posting in postings.items()
    }
