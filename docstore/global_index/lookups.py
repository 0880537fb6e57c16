"""A lookup as a person writes it, and its answer: one index asked by hand, without a router."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from docstore import keys
from docstore.global_index.candidates import Candidates
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.wanted import Asked, Beginning, Between, Condition, Values
from docstore.keys import KeySpec
from docstore.types import Freshness, Key, Position
from indexing.errors import InvalidQuery, InvalidRequest, NotFound

_BOUNDS = ("prefix", "gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A document as an index knows it: key, version, the value found and the included fields.

    The value is a list where the index is over several fields; with `include="all"` the included
    fields are the document.
    """

    key: Key
    version: int
    value: Any
    included: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """A page of rows and the exact total; `pending` entries were overlaid, `lag` are unapplied."""

    total: int
    rows: list[IndexRow]
    pending: int
    lag: int
    index_partitions: list[int] = field(default_factory=list)
    lag_ms: float = 0.0
    overlay: int = 0


def needed_of(freshness: Freshness, after: Sequence[Position]) -> dict[int, int] | None:
    """The seqs that an answer must include, None for every shard's last; raises InvalidRequest."""
    if after:
        needed: dict[int, int] = {}
        for each in after:
            needed[each.partition] = max(each.seq, needed.get(each.partition, 0))
        return needed
    if freshness == "any":
        return {}
    if freshness != "current":
        raise InvalidRequest(f"freshness is {freshness!r}", hint="use current or any")
    return None


def answer_of(
    found: Candidates, spec: KeySpec, offset: int, limit: int, lag: tuple[int, float]
) -> IndexAnswer:
    """A page of what an index found."""
    definition = found.of.definition
    rows = [
        IndexRow(
            keys.decode(spec, each.key),
            each.version,
            each.value,
            each.included[0]
            if definition.covers_all
            else dict(zip(definition.include, each.included, strict=True)),
        )
        for each in found.page(offset, limit)
    ]
    places = list(found.index_partitions)
    return IndexAnswer(found.total, rows, found.pending, lag[0], places, lag[1], found.overlay)


def check_conditions(where: Any) -> None:
    """Refuse what are no conditions; raises InvalidQuery."""
    is_some = isinstance(where, Sequence) and not isinstance(where, str)
    if not is_some or not all(isinstance(each, Condition) for each in where):
        raise InvalidQuery(
            f"where is {where!r}",
            hint='give conditions, like [Condition("price", Between(lt=9000))], or search with '
            "a filter and index=",
        )


def check_partition(of: GlobalIndex, partition: Any) -> None:
    """Refuse what is neither a partition of an index nor None, for all; raises NotFound."""
    is_one = type(partition) is int and partition in range(of.partitions)
    if partition is not None and not is_one:
        raise NotFound(
            f"the index {of.name!r} has no partition {partition!r}",
            hint=f"partitions: 0 to {of.partitions - 1}",
        )


def asked_of(values: Sequence[Any], bounds: dict[str, Any], fields: int) -> list[Asked]:
    """What a caller asks of the leading fields; raises InvalidQuery.

    Of one field some values, or one range, or a prefix; of several one tuple of values for the
    first ones, and a range or prefix for the next.
    """
    is_mixed = "prefix" in bounds and len(bounds) > 1
    if (
        not (values or bounds)
        or not set(bounds) <= set(_BOUNDS)
        or is_mixed
        or (fields == 1 and values and bounds)
    ):
        raise InvalidQuery(
            "a lookup takes values, or one range, or a prefix",
            hint='for example lookup("color", "red", "blue") or lookup("price", lt=20000)',
        )
    asked: list[Asked] = []
    if values and fields == 1:
        asked.append(Values(tuple(values)))
    elif values:
        if len(values) > 1:
            raise InvalidQuery(
                f"an index over {fields} fields takes one tuple of values",
                hint='for example lookup("color+make", ("red", "bmw"))',
            )
        leading = values[0] if isinstance(values[0], tuple | list) else (values[0],)
        asked += [Values((each,)) for each in leading]
    if "prefix" in bounds:
        asked.append(Beginning(bounds["prefix"]))
    elif bounds:
        asked.append(Between(**bounds))
    return asked
