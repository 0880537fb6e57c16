"""The vocabulary of the store: the values that go in and come out of a collection.

Nothing here holds a connection to a store, and all compares by value and is frozen, but for two: a
frozen Hit would take three times as long to make, and a BatchResult makes its items when asked.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, overload

from indexing.counts import Histogram, ValueCount
from indexing.errors import DocstoreError, InvalidRequest

Scalar = str | int | float | bytes
Key = Any
"""A document's key as the user writes it: a string, or a scalar or tuple of typed parts."""

D = TypeVar("D")

_POSITION = re.compile(r"(\d+)@(\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a write stands: entry `seq` of `partition`'s log, under map `epoch`.

    Its text form is `partition@epoch:seq`; a search takes one or many back as `after`.
    """

    partition: int
    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.partition}@{self.epoch}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read the text form back; raises InvalidRequest on anything else."""
        match = _POSITION.fullmatch(text)
        if match is None:
            raise InvalidRequest(
                f"{text!r} is not a position",
                hint="pass a position that a write returned, like 3@1:57",
            )
        return cls(*map(int, match.groups()))


Freshness = Literal["current", "any"]
"""`current` sees every write acknowledged before the search; `any` never waits."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """An acknowledged write: durable in its shard's log. `version` is 0 after a delete.

    A delete of a key that did not exist wrote nothing: `deleted` is False.
    """

    key: Key
    version: int
    position: Position
    created: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class FailedWrite:
    """One document of a batch that was not written: its place in the batch, its key, and why."""

    index: int
    key: Key | None
    error: DocstoreError


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """What `delete_by_query` did: how many it deleted, whether more matches are left, and where.

    `position` is what a search takes as `after`.
    """

    deleted: int
    more: bool
    position: tuple[Position, ...]


class BatchResult(Sequence["WriteResult | FailedWrite"]):
    """What `put_many` and `delete_many` did, per document, in the order given.

    A sequence: item i is the WriteResult or FailedWrite of document i, made when it is looked at,
    because most callers look at `errors` only. `position` is what a search takes as `after`.
    """

    __slots__ = ("_answers", "_failed", "_result_of", "position")

    def __init__(
        self,
        answers: Sequence[Any],
        failed: Mapping[int, FailedWrite],
        position: tuple[Position, ...],
        result_of: Callable[[Any], WriteResult],
    ) -> None:
        self._answers = answers
        self._failed = failed
        self._result_of = result_of
        self.position = position

    @overload
    def __getitem__(self, index: int) -> WriteResult | FailedWrite: ...

    @overload
    def __getitem__(self, index: slice) -> "list[WriteResult | FailedWrite]": ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        failed = self._failed.get(index)
        return self._result_of(self._answers[index]) if failed is None else failed

    def __iter__(self) -> "Iterator[WriteResult | FailedWrite]":
        failed, result_of = self._failed, self._result_of
        for index, answer in enumerate(self._answers):
            yield failed[index] if answer is None else result_of(answer)

    def __len__(self) -> int:
        return len(self._answers)

    def __repr__(self) -> str:
        return f"BatchResult(written={self.written_count}, errors={len(self._failed)})"

    @property
    def results(self) -> "list[WriteResult | FailedWrite]":
        """All results, in the order of the documents."""
        return list(self)

    @property
    def written(self) -> list[WriteResult]:
        """The acknowledged writes."""
        return [result for result in self if isinstance(result, WriteResult)]

    @property
    def written_count(self) -> int:
        """How many writes were acknowledged."""
        return len(self._answers) - len(self._failed)

    @property
    def errors(self) -> list[FailedWrite]:
        """The documents that were refused, in order."""
        return [self._failed[index] for index in sorted(self._failed)]


@dataclass(frozen=True, slots=True)
class Document(Generic[D]):
    """A stored document with its key and version; `document` is the model when there is one."""

    key: Key
    version: int
    document: D


@dataclass(frozen=True, slots=True)
class Change(Generic[D]):
    """One acknowledged write, as a reader of the changes sees it.

    `version` is 0 and `document` None for a delete. `document` is also None where the document was
    written or deleted again since: a later change says how. `at` is microseconds since 1970 UTC.
    """

    position: Position
    operation: Literal["put", "delete"]
    key: Key
    version: int
    at: int
    document: D | None


@dataclass(slots=True)
class Hit(Generic[D]):
    """One search result. `score` is None under a field sort; `sort` is the value it was sorted by,
    as a query takes it (a date as ISO 8601 text).

    With `select`, `document` is a dict of the selected fields. With `highlight`, `highlights` holds
    fragments of each field in which something that was searched for occurs: HTML, escaped, with
    `<mark>` around what was found. `seq` is that of the write that made the document, as `if_seq`
    takes it.
    """

    key: Key
    score: float | None
    document: D
    version: int
    sort: Any = None
    highlights: Mapping[str, list[str]] = field(default_factory=dict)
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to answer, priced. `price` is in estimated microseconds on one core.

    `indexes` are the global indexes that it asks, by name.
    """

    name: Literal[
        "point_read",
        "single_shard",
        "salted_key",
        "key_range",
        "scatter",
        "global_covered",
        "global_fetch",
        "global_intersection",
        "global_index",
    ]
    shards: tuple[int, ...]
    price: float
    reason: str
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexUse:
    """How far a global index was when it answered.

    `lag` acknowledged entries were not in it, the oldest of them `lag_ms` old; `pending` were read
    on the way; `overlay` documents were in memory and not yet in its files, which hold each shard's
    log up to `checkpoint`.
    """

    index: str
    partitions: tuple[int, ...]
    lag: int
    lag_ms: float
    pending: int
    overlay: int
    checkpoint: Mapping[int, int]

    def as_dict(self) -> dict[str, Any]:
        """The use as JSON-ready data."""
        return {
            "index": self.index,
            "partitions": list(self.partitions),
            "lag": self.lag,
            "lag_ms": round(self.lag_ms, 3),
            "pending": self.pending,
            "overlay": self.overlay,
            "checkpoint": {str(shard): seq for shard, seq in self.checkpoint.items()},
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The router's decision: the chosen candidate, the rejected ones and why, and what was asked.

    `query` is the parsed query as text; `notes` say what a person would want to know (a field that
    no document has, a word that was ignored).
    """

    chosen: Candidate
    rejected: tuple[Candidate, ...]
    freshness: str
    query: str
    sort: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON-ready data."""

        def candidate(c: Candidate) -> dict[str, Any]:
            return {
                "name": c.name,
                "shards": list(c.shards),
                "price": round(c.price, 1) if c.price < math.inf else None,
                "reason": c.reason,
                "indexes": list(c.indexes),
            }

        return {
            "chosen": candidate(self.chosen),
            "rejected": [candidate(c) for c in self.rejected],
            "freshness": self.freshness,
            "query": self.query,
            "sort": self.sort,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class SearchResult(Generic[D]):
    """A page of hits, the exact total, and how the answer was found.

    `timings_ms` holds milliseconds per stage: plan, refresh, search, merge, fetch, count. `facets`
    and `histograms` hold the exact counts that were asked for, by field. `indexes` are the global
    indexes it was answered from, each with how far it was. Only when a partial answer was asked for
    and time ran out: `missing` are shards that were not searched, so that total and hits are of the
    others, and `uncounted` are fields whose facet or histogram was not counted and is left out.
    """

    total: int
    hits: list[Hit[D]]
    plan: Plan
    shards_touched: int
    took_ms: float
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    facets: Mapping[str, list[ValueCount]] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    indexes: tuple[IndexUse, ...] = ()
    uncounted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionChange:
    """A change of the partitions that was made: which partitions went, which came, in which epoch.

    `pause_ms` is how long writers of those partitions waited; everything else went on meanwhile.
    """

    kind: Literal["split", "merge", "salt"]
    epoch: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    documents: int
    seconds: float
    pause_ms: float


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant that `check` found: where, and what does not agree."""

    collection: str
    partition: int | None
    rule: str
    detail: str
    key: Key | None = None
