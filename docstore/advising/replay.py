"""A workload replayed against one way to partition: which shards it would touch, and how evenly.

Pure. The router itself plans every search, over the map and the key that the way would give.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from docstore import keys
from docstore.advising.schemes import Laid, Values
from docstore.advising.workload import Asking, ByKey, OfDocument, Operation
from docstore.partitioning import Scheme, token_of
from docstore.queries.router import Asked, plan
from docstore.types import Key

Lookup = Callable[[Key], Values | None]
"""The values of the document under a key of the collection as it is; None when there is none."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a way does with a workload.

    `shards_per_search` and `shards_per_read` are means; `busiest` is how much of all operations the
    busiest shard has a part in (1 when every operation asks it), and `skew` that over the mean of
    all shards. `hottest_key` is the partition key with the most reads and writes of one shard, and
    `hottest_share` its part of all operations. `uneven` is the fullest partition over the mean.
    `missing` is the part of the documents that could not have such a key.
    """

    way: str
    scheme: Scheme
    key: tuple[str, ...]
    is_current: bool
    partitions: int
    shards_per_search: float
    shards_per_search_max: int
    shards_per_read: float
    shards_per_operation: float
    busiest_partition: int
    busiest: float
    skew: float
    uneven: float
    hottest_key: Key | None
    hottest_share: float
    missing: float


def replayed(on: Laid, operations: Iterable[Operation], lookup: Lookup, sample: int) -> Figures:
    """Replay operations; `sample` is how many documents the layout was made of."""
    tally = _Tally(on, lookup)
    for operation in operations:
        tally.take(operation)
    return tally.figures(sample)


class _Tally:
    def __init__(self, on: Laid, lookup: Lookup) -> None:
        self._on = on
        self._lookup = lookup
        self._touched: Counter[int] = Counter(dict.fromkeys(on.map.numbers, 0))
        self._hot: Counter[bytes] = Counter()
        self._counts = {"search": 0, "read": 0, "all": 0}
        self._shards = {"search": 0, "read": 0, "all": 0}
        self._most = 0

    def take(self, operation: Operation) -> None:
        shards = self._shards_of(operation)
        kind = "search" if isinstance(operation, Asking) else "read"
        for name in (kind, "all"):
            self._counts[name] += operation.count
            self._shards[name] += operation.count * len(shards)
        if kind == "search":
            self._most = max(self._most, len(shards))
        for shard in shards:
            self._touched[shard] += operation.count

    def _shards_of(self, operation: Operation) -> tuple[int, ...]:
        on = self._on
        if isinstance(operation, Asking):
            asked = Asked(operation.query, "", "", "current", ())
            routing = plan(asked, on.map, on.way.spec, on.documents, on.parts)
            return routing.plan.chosen.shards
        values = self._values(operation)
        key = None if values is None else on.key_of(values)
        if key is None:
            # It is somewhere, and nothing says where: as good as any other place.
            return (on.map.numbers[_drawn(operation) % len(on.map.numbers)],)
        self._hot[keys.partition_bytes(on.way.spec, key)] += operation.count
        return (on.map.owner_of(on.way.spec, key),)

    def _values(self, operation: ByKey | OfDocument) -> Values | None:
        if isinstance(operation, ByKey):
            return self._lookup(operation.key)
        return operation.document

    def figures(self, sample: int) -> Figures:
        on, total = self._on, max(self._counts["all"], 1)
        partitions = len(on.map.numbers)
        busiest, touches = max(self._touched.items(), key=lambda each: (each[1], -each[0]))
        fullest = max(on.documents.values(), default=0)
        mean = sum(on.documents.values()) / partitions
        hottest = self._hot.most_common(1)
        return Figures(
            str(on.way),
            on.way.scheme,
            on.way.spec.fields,
            on.way.is_current,
            partitions,
            self._mean("search"),
            self._most,
            self._mean("read"),
            self._mean("all"),
            busiest,
            touches / total,
            touches * partitions / max(sum(self._touched.values()), 1),
            fullest / mean if mean else 1.0,
            _first_part(on, hottest[0][0]) if hottest else None,
            hottest[0][1] / total if hottest else 0.0,
            on.missing / sample if sample else 0.0,
        )

    def _mean(self, kind: str) -> float:
        return self._shards[kind] / self._counts[kind] if self._counts[kind] else 0.0


def _drawn(operation: ByKey | OfDocument) -> int:
    said: Any = operation.key if isinstance(operation, ByKey) else operation.document
    return token_of(repr(said).encode("utf-8", "replace"))


def _first_part(on: Laid, partition_key: bytes) -> Key:
    spec = on.way.spec
    return keys.decode(keys.KeySpec(spec.fields[:1], spec.typed), partition_key)


def weighed(operations: Iterable[Operation]) -> Mapping[str, int]:
    """How many operations there are, searches and writes among them."""
    counts = {"operations": 0, "searches": 0, "writes": 0}
    for each in operations:
        counts["operations"] += each.count
        if isinstance(each, Asking):
            counts["searches"] += each.count
        elif isinstance(each, OfDocument) or each.is_write:
            counts["writes"] += each.count
    return counts
