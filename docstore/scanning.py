"""Scans in key order over the shards that can hold the keys, merged without holding them.

Under hash partitioning a range of keys is everywhere, unless a compound key's first part is fixed:
then it is one shard's, or those of its fan. Under range partitioning it is in the shards that
overlap, which are read one after another, each only when the one before is exhausted.
"""

import heapq
from collections.abc import Iterator
from itertools import chain, islice

from docstore.keys import KeySpec, encode, partition_bytes, prefix_range
from docstore.partitions import Partitions
from docstore.queries.request import check_limit
from docstore.shards.records import Record
from docstore.shards.shard import SCAN_BATCH
from docstore.types import Key


def scan(
    partitions: Partitions,
    start: Key | None,
    end: Key | None,
    prefix: Key | None,
    limit: int | None,
    *,
    reverse: bool,
) -> Iterator[tuple[bytes, Record]]:
    """Encoded keys and records with start <= key < end and the prefix, at most `limit`.

    Raises InvalidRequest, InvalidDocument when called, not when first read.
    """
    check_limit(limit)
    spec = partitions.definition.key
    start, end, prefix = (
        None if given is None else partitions.key_parts.key(given) for given in (start, end, prefix)
    )
    lower, upper = _bounds(spec, start, end, prefix)
    ranges = partitions.definition.partition_map
    numbers = partitions.numbers
    if ranges.is_range:
        numbers = ranges.overlapping(lower, upper)
    elif spec.typed and len(spec.fields) > 1 and prefix not in (None, "", ()):
        first = _any_key_with(spec, prefix)
        partitions.traffic.reads.note(first)
        numbers = ranges.owners_of(partition_bytes(spec, first))
    ordered = reversed(numbers) if reverse else numbers
    fewest = SCAN_BATCH if limit is None else max(1, min(limit, SCAN_BATCH))
    scans = (
        partitions.shard(each).scan(lower, upper, reverse=reverse, first=fewest) for each in ordered
    )
    if ranges.is_range:
        # A shard is opened when its turn comes, so a limit leaves the rest untouched.
        return islice(chain.from_iterable(scans), limit)
    # Of every shard something is read, of no more documents than the limit at first.
    merged = heapq.merge(*scans, key=lambda found: found[0], reverse=reverse)
    return islice(merged, limit)


def _bounds(
    spec: KeySpec, start: Key | None, end: Key | None, prefix: Key | None
) -> tuple[bytes, bytes | None]:
    lower: bytes = b""
    upper: bytes | None = None
    if prefix not in (None, "", ()):
        lower, upper = prefix_range(spec, prefix)
    if start is not None:
        lower = max(lower, _bound(spec, start))
    if end is not None:
        bound = _bound(spec, end)
        upper = bound if upper is None else min(upper, bound)
    return lower, upper


def _bound(spec: KeySpec, bound: Key) -> bytes:
    """A bound's bytes: a whole key, or the leading parts of a compound one."""
    if not spec.typed:
        return b"" if bound == "" else encode(spec, bound)
    return prefix_range(spec, bound)[0]


def _any_key_with(spec: KeySpec, prefix: Key) -> bytes:
    """Bytes with the prefix's first part, which is all that decides the shard."""
    return prefix_range(spec, prefix)[0]
