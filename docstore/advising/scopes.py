"""Which field deserves a global index: what its lookups would save, and what its upkeep costs.

Pure. A lookup asks one partition of the index per value, and then the shards that hold the
documents of the page; a scatter asks every shard. Each write that has the field is one more write.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from docstore.advising.replay import weighed
from docstore.advising.schemes import Laid, Values
from docstore.advising.workload import Asking, Operation
from docstore.queries.router import Asked, plan
from indexing.query import Bool, ConstantScore, Query, Range, Term, Terms
from indexing.schema import Kind, Schema

PAGE = 10
"""Hits that a search fetches when nothing is said of it."""
SHARE_MIN = 0.05
"""Of all operations: less is not worth an index's upkeep."""
POSTINGS_MAX = 1_000
"""Documents of one value: of more, scanning every shard for the best ten costs no more."""
_KEY_KINDS = frozenset({Kind.STRING, Kind.KEYWORD, Kind.INT, Kind.FLOAT, Kind.DATETIME, Kind.ANY})


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """What a global index on a field would do for a workload.

    `asked` is the share of all operations that are searches by its values which now ask several
    shards, `shards_now` and `shards_then` the shards these ask, with the index's own partitions,
    and `postings` the documents that one of their lookups finds. `writes` is the share of
    operations that would also write to it.
    """

    field: str
    asked: float
    shards_now: float
    shards_then: float
    postings: float
    writes: float
    is_worth_it: bool
    reason: str


def fields_asked(operations: Iterable[Operation], schema: Schema) -> list[str]:
    """The fields by whose values is searched and that a key can hold, the most frequent first."""
    kinds = {path: leaf.kind for path, leaf in schema.leaves() if not leaf.many}
    counts: Counter[str] = Counter()
    for each in operations:
        if isinstance(each, Asking):
            named = {clause.field for clause in required(each.query)}
            counts.update(dict.fromkeys(named, each.count))
    return [field for field, _ in counts.most_common() if kinds.get(field, Kind.ANY) in _KEY_KINDS]


def required(query: Query) -> Iterator[Term | Terms | Range]:
    """The clauses on one field's values that every match of a query meets."""
    match query:
        case Bool():
            for clause in (*query.must, *query.filter):
                yield from required(clause)
        case ConstantScore():
            yield from required(query.query)
        case Term() | Terms() | Range():
            yield query


def index_figures(
    field: str, on: Laid, operations: Sequence[Operation], sample: Sequence[Values], scale: float
) -> IndexFigures:
    """An index on a field beside the collection as it is; a document of the sample is `scale`."""
    sizes = Counter(value for values in sample if _is_value(value := values.get(field)))
    counts = weighed(operations)
    total = max(counts["operations"], 1)
    asked, now, then, postings = 0, 0.0, 0.0, 0.0
    for each in operations:
        if not isinstance(each, Asking):
            continue
        wanted = _values_of(each.query, field)
        if wanted is None:
            continue
        question = Asked(each.query, "", "", "current", ())
        shards = plan(question, on.map, on.way.spec, on.documents, on.parts).plan.chosen.shards
        if len(shards) < 2:
            continue
        found = scale * sum(sizes[value] for value in wanted)
        asked += each.count
        now += each.count * len(shards)
        then += each.count * (len(wanted) + min(found, PAGE, len(shards)))
        postings += each.count * found
    of_it = max(asked, 1)
    worth, reason = _judged(asked / total, now / of_it, then / of_it, postings / of_it)
    writes = counts["writes"] / total
    return IndexFigures(
        field, asked / total, now / of_it, then / of_it, postings / of_it, writes, worth, reason
    )


def _values_of(query: Query, field: str) -> tuple[Any, ...] | None:
    for clause in required(query):
        if clause.field == field and isinstance(clause, Term):
            return (clause.value,)
        if clause.field == field and isinstance(clause, Terms):
            return clause.values
    return None


def _judged(asked: float, now: float, then: float, postings: float) -> tuple[bool, str]:
    if not asked:
        return False, "no search by its values asks more than one shard"
    if asked < SHARE_MIN:
        return False, f"only {asked:.1%} of all operations would use it"
    if postings > POSTINGS_MAX:
        return False, f"a value has {postings:,.0f} documents, too many to look up"
    if then * 2 > now:
        return False, f"{then:.1f} places instead of {now:.1f} shards are not worth its upkeep"
    return True, f"{asked:.1%} of all operations would ask {then:.1f} places instead of {now:.1f}"


def _is_value(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
