"""Which partitions of a range map can hold the matches of a query: pure, for the router.

Invariant: no partition is left out that may hold a match. What a clause says about the key is used
only where the index compares as the keys' bytes do: terms whose keys are all known, ranges and
prefixes of strings under a plain string key, and ranges of whole numbers under an integer one.
Ranges of dates and floats, whose values an index may round, leave nothing out.
"""

import math
from typing import Any

from docstore.key_parts import KeyParts
from docstore.keys import KeySpec, encode, prefix_range
from docstore.partitioning import PartitionMap
from indexing.errors import InvalidDocument
from indexing.query import Bool, ConstantScore, Ids, Prefix, Query, Range, Term, Terms
from indexing.schema import Kind

Span = tuple[bytes, bytes | None]
"""Encoded keys, half-open; None is no bound."""
_STRINGS = frozenset({Kind.STRING, Kind.KEYWORD, Kind.ANY})


def partitions_within(
    query: Query, spec: KeySpec, ranges: PartitionMap, parts: KeyParts
) -> frozenset[int] | None:
    """The partitions that can hold a match, or None when any can."""
    if isinstance(query, Bool):
        known = [
            within
            for clause in (*query.must, *query.filter)
            if (within := partitions_within(clause, spec, ranges, parts)) is not None
        ]
        return frozenset.intersection(*known) if known else None
    if isinstance(query, ConstantScore):
        return partitions_within(query.query, spec, ranges, parts)
    try:
        spans = _spans_of(query, spec, parts)
    except InvalidDocument:
        # A value that cannot be part of a key: the search itself will say what is wrong.
        return None
    if spans is None:
        return None
    return frozenset(number for span in spans for number in ranges.overlapping(*span))


def _spans_of(query: Query, spec: KeySpec, parts: KeyParts) -> list[Span] | None:
    if isinstance(query, Ids):
        return [_exactly(encode(spec, parts.key(key))) for key in query.values]
    if isinstance(query, Range):
        return _range_spans(query, spec, parts)
    if isinstance(query, Prefix):
        is_plain = not spec.typed and query.field == spec.fields[0]
        is_string = is_plain and parts.kind_of(query.field) in _STRINGS
        return [prefix_range(spec, query.value)] if is_string else None
    if isinstance(query, Term | Terms) and query.field == spec.fields[0]:
        return _named_spans(query, spec, parts)
    return None


def _exactly(key: bytes) -> Span:
    return key, key + b"\x00"


def _named_spans(query: Term | Terms, spec: KeySpec, parts: KeyParts) -> list[Span] | None:
    spans: list[Span] = []
    for value in (query.value,) if isinstance(query, Term) else query.values:
        matching = parts.matching(query.field, value)
        if matching is None:
            return None
        if spec.typed:
            spans += [prefix_range(spec, (part,)) for part in matching]
        else:
            spans += [_exactly(encode(spec, part)) for part in matching]
    return spans


def _range_spans(query: Range, spec: KeySpec, parts: KeyParts) -> list[Span] | None:
    if query.field != spec.fields[0]:
        return None
    lows = [bound for bound in (query.gte, query.gt) if bound is not None]
    highs = [bound for bound in (query.lte, query.lt) if bound is not None]
    kind = parts.kind_of(query.field)
    if not spec.typed and kind in _STRINGS:
        return _string_spans(query, lows, highs)
    if spec.typed and kind is Kind.INT:
        return _whole_spans(lows, highs, spec)
    return None


def _string_spans(query: Range, lows: list[Any], highs: list[Any]) -> list[Span] | None:
    if not all(isinstance(bound, str) for bound in (*lows, *highs)):
        return None
    # Characters compare as their UTF-8 does; a lone surrogate is nobody's key and compares above.
    lower = max((_utf8(bound) for bound in lows), default=b"")
    uppers = [_utf8(str(query.lt))] if query.lt is not None else []
    if query.lte is not None:
        uppers.append(_utf8(str(query.lte)) + b"\x00")
    return [(lower, min(uppers, default=None))]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _whole_spans(lows: list[Any], highs: list[Any], spec: KeySpec) -> list[Span] | None:
    bounds = [*lows, *highs]
    if not all(type(bound) in (int, float) and math.isfinite(bound) for bound in bounds):
        return None
    # Rounded outwards: a span may be too wide, never too narrow.
    lower = prefix_range(spec, (math.floor(max(lows)),))[0] if lows else b""
    upper = prefix_range(spec, (math.ceil(min(highs)),))[1] if highs else None
    return [(lower, upper)]
