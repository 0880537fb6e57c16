"""The router: which shards can hold an answer, and what each way to ask them would cost.

`plan` is pure: no I/O, only the query, the partition map and counts that are kept anyway. Every
candidate covers all shards that can hold a match; the cheapest that does is chosen, and the rest
is kept with its reason for `explain`. Prices are microseconds on one core, fitted on two cores and
226,000 documents; only their order matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docstore.key_parts import KeyParts
from docstore.keys import KeySpec, encode, partition_bytes, prefix_range
from docstore.partitioning import PartitionMap
from docstore.queries.fixed_keys import fixed_keys
from docstore.queries.key_spans import partitions_within
from docstore.types import Candidate, Key, Plan
from indexing.errors import InvalidDocument
from indexing.query import Bool, ConstantScore, Ids, Query, Term, Terms

_READ_PRICE = 8.0
"""A document by key."""
_SHARD_PRICE = 30.0
"""A search of one shard, however little it finds: query building and Tantivy's own start."""
_DOCUMENT_PRICE = 0.0015
"""Per document of a shard: an upper bound of what scanning its postings takes."""
PINNED_MAX = 1000
"""More keys than this are searched for, not read one by one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the router needs of a search."""

    query: Query
    text: str
    sort: str
    freshness: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """A plan, the keys to read when it is a point read, and the partition keys that it is about."""

    plan: Plan
    keys: tuple[Key, ...] = ()
    about: tuple[bytes, ...] = ()


def plan(
    asked: Asked,
    partition_map: PartitionMap,
    spec: KeySpec,
    documents: Mapping[int, int],
    parts: KeyParts,
) -> Routing:
    """Choose the cheapest way to answer.

    `documents` counts each shard's documents; `parts` turns a query's values into parts of keys, so
    that a date given as a string finds the partition of the date.
    """
    everywhere = tuple(partition_map.numbers)
    candidates = [
        Candidate(
            "scatter",
            everywhere,
            _search_price(everywhere, documents),
            f"all {len(everywhere)} shards can hold a match",
        )
    ]
    refused: list[Candidate] = []
    keys = _whole_keys(asked.query, spec, parts)
    if keys and len(keys) <= PINNED_MAX:
        shards = _shards_of(keys, spec, partition_map)
        candidates.append(
            Candidate(
                "point_read",
                shards,
                _READ_PRICE * len(keys),
                f"the query is nothing but {len(keys)} key(s), read straight from the documents",
            )
        )
    else:
        reason = "the query asks for something else than a few whole keys"
        refused.append(Candidate("point_read", (), float("inf"), reason))
    pinned = None if partition_map.is_range else _pinned(asked.query, spec, parts)
    narrowed = _narrowed(asked.query, partition_map, spec, documents, parts, pinned)
    (candidates if narrowed.price < float("inf") else refused).append(narrowed)
    # Of two that ask the same shards, the one that says why.
    candidates.sort(key=lambda candidate: (candidate.price, candidate.name == "scatter"))
    chosen, *dearer = candidates
    decision = Plan(
        chosen, (*dearer, *refused), asked.freshness, asked.text, asked.sort, asked.notes
    )
    about = () if pinned is None or chosen.name == "scatter" else tuple(sorted(pinned))
    return Routing(decision, keys or () if chosen.name == "point_read" else (), about)


def _narrowed(
    query: Query,
    partition_map: PartitionMap,
    spec: KeySpec,
    documents: Mapping[int, int],
    parts: KeyParts,
    pinned: set[bytes] | None,
) -> Candidate:
    """The shards left by what the query says of the key; its price is infinite if it says nothing.

    What can match nothing is still asked of one shard: it says what is wrong with a query.
    """
    field = spec.fields[0]
    if partition_map.is_range:
        within = partitions_within(query, spec, partition_map, parts)
        if within is None:
            reason = f"the query does not bound {field!r}, by which documents are partitioned"
            return Candidate("key_range", (), float("inf"), reason)
        shards = tuple(sorted(within)) or partition_map.numbers[:1]
        reason = f"the query bounds {field!r} to {len(within)} key range(s)"
        return Candidate("key_range", shards, _search_price(shards, documents), reason)
    if pinned is None:
        reason = f"the query does not fix {field!r}, by which documents are partitioned"
        return Candidate("single_shard", (), float("inf"), reason)
    owners = {each for data in pinned for each in partition_map.owners_of(data)}
    shards = tuple(sorted(owners)) or partition_map.numbers[:1]
    reason = f"the query fixes {field!r} to {len(pinned)} value(s)"
    spread = [fan for data in pinned if (fan := partition_map.fan_of(data)) > 1]
    if spread:
        reason += f", {len(spread)} of them salted over {sum(spread)} places in all"
        keys = fixed_keys(query, spec, parts)
        if keys is not None:
            whole = [key for key in keys if partition_bytes(spec, key) in pinned]
            owners = {partition_map.owner_of(spec, key) for key in whole}
            shards = tuple(sorted(owners)) or shards[:1]
            reason += f", and the whole key to {len(whole)}"
    price = _search_price(shards, documents)
    return Candidate("salted_key" if spread else "single_shard", shards, price, reason)


def _search_price(shards: tuple[int, ...], documents: Mapping[int, int]) -> float:
    return sum(_SHARD_PRICE + _DOCUMENT_PRICE * documents.get(shard, 0) for shard in shards)


def _shards_of(
    keys: tuple[Key, ...], spec: KeySpec, partition_map: PartitionMap
) -> tuple[int, ...]:
    return tuple(sorted({partition_map.owner_of(spec, encode(spec, key)) for key in keys}))


def _whole_keys(query: Query, spec: KeySpec, parts: KeyParts) -> tuple[Key, ...] | None:
    """The keys that are all the query asks for, in order and once each, or None."""
    found: tuple[Key, ...] | None = None
    if isinstance(query, Ids):
        found = query.values
    elif isinstance(query, ConstantScore):
        found = _whole_keys(query.query, spec, parts)
    elif isinstance(query, Bool) and not (query.should or query.must_not):
        clauses = (*query.must, *query.filter)
        found = _whole_keys(clauses[0], spec, parts) if len(clauses) == 1 else None
    elif not spec.typed:
        named = _named(query, spec, parts)
        found = None if named is None else tuple(named)
    if found is None:
        return None
    try:
        whole = [parts.key(key) for key in found]
        return tuple({encode(spec, key): key for key in whole}.values())
    except InvalidDocument:
        return None


def _named(query: Query, spec: KeySpec, parts: KeyParts) -> list[Any] | None:
    """The first parts of all keys that a term query on the partition field can find, or None."""
    if not isinstance(query, Term | Terms) or query.field != spec.fields[0]:
        return None
    values = (query.value,) if isinstance(query, Term) else query.values
    named: list[Any] = []
    for value in values:
        matching = parts.matching(query.field, value)
        if matching is None:
            return None
        named += matching
    return named


def _pinned(query: Query, spec: KeySpec, parts: KeyParts) -> set[bytes] | None:
    """The encoded partition keys that every match must have one of, or None when any will do."""
    if isinstance(query, Bool):
        known = [
            pinned
            for clause in (*query.must, *query.filter)
            if (pinned := _pinned(clause, spec, parts)) is not None
        ]
        return set.intersection(*known) if known else None
    if isinstance(query, ConstantScore):
        return _pinned(query.query, spec, parts)
    try:
        if isinstance(query, Ids):
            return {partition_bytes(spec, encode(spec, parts.key(key))) for key in query.values}
        named = _named(query, spec, parts)
        return None if named is None else {_partition_key(spec, part) for part in named}
    except InvalidDocument:
        # A value that cannot be part of a key: the search itself will say what is wrong.
        return None


def _partition_key(spec: KeySpec, part: Any) -> bytes:
    if len(spec.fields) == 1:
        return partition_bytes(spec, encode(spec, part))
    return prefix_range(spec, (part,))[0]
