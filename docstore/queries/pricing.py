"""What a search would cost the thread that runs it, told before it is run.

Pure but for looking at how far the indexes are: a price in estimated microseconds on one core,
infinite when the search would have to wait for an index. Only good enough to decide which thread
should run a search: one that others wait for, or one of a pool.
"""

from docstore.partitions import Partitions
from docstore.types import Position
from indexing.query import (
    AnyText,
    Bool,
    ConstantScore,
    DisMax,
    Fuzzy,
    Lenient,
    Match,
    MatchPhrasePrefix,
    MultiMatch,
    Prefix,
    Query,
    Regexp,
    Wildcard,
)

HIT_PRICE = 5.0
"""Fetching, decoding and encoding one hit, or passing over one."""
PATTERN_PRICE = 2_000.0
"""A clause that first finds its terms in every shard's dictionary: from little to very much."""


def price_of(query: Query, plan_price: float, window: int) -> float:
    """The microseconds of a search whose plan has a price and whose page ends at `window`."""
    return plan_price + HIT_PRICE * window + PATTERN_PRICE * _patterns(query)


def would_wait(
    partitions: Partitions, shards: tuple[int, ...], after: tuple[Position, ...], *, current: bool
) -> bool:
    """Whether some shard's index must be opened or brought up to date first."""
    return behind(partitions, shards, after, current=current) > 0


def behind(
    partitions: Partitions, shards: tuple[int, ...], after: tuple[Position, ...], *, current: bool
) -> int:
    """How many of some shards' indexes must be opened or brought up to date first."""
    needed = {position.partition: position.seq for position in after}
    return sum(
        not partitions.is_indexed(number, partitions.shard(number).head if current else 0)
        or not partitions.is_indexed(number, needed.get(number, 0))
        for number in shards
    )


def _patterns(query: Query) -> int:
    """How many clauses look terms up by a pattern."""
    match query:
        case Bool():
            clauses = (*query.must, *query.filter, *query.should, *query.must_not)
            return sum(map(_patterns, clauses))
        case DisMax():
            return sum(map(_patterns, query.queries))
        case ConstantScore() | Lenient():
            return _patterns(query.query)
        case Prefix() | Wildcard() | Regexp() | Fuzzy() | MatchPhrasePrefix():
            return 1
        case Match() | MultiMatch():
            return int(query.fuzziness != 0)
        case AnyText():
            return int(query.prefix)
    return 0
