"""A workload: the operations a store is asked for, read from one JSON object per line. Pure.

`{"op": "get", "key": K}`, `{"op": "delete", "key": K}`, `{"op": "put", "document": {…}}`,
`{"op": "scan", "prefix": K}` or `{"op": "scan", "start": K, "end": K}`, and
`{"op": "search", "q": …, "filter": {…}, "query": {…}}` as `search` takes them. `"count": N` says
that it happens N times as often. `"collection"` says whose it is, for a file of several, as
`Store.record` writes it; those of others are passed over. Each operation becomes what of it decides
which shards are asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from docstore.keys import KeySpec
from indexing.dsl import parse_query
from indexing.errors import DocstoreError, InvalidRequest
from indexing.filters import parse_filter
from indexing.freetext import parse_text
from indexing.query import Bool, MatchAll, Prefix, Query, Range, Term

OPERATIONS_MAX = 1_000_000
COUNT_MAX = 10**12
_HINT = 'one JSON object per line, like {"op": "get", "key": "car-1"}'
_MEMBERS: Mapping[str, frozenset[str]] = {
    "get": frozenset({"key"}),
    "delete": frozenset({"key"}),
    "put": frozenset({"document", "key"}),
    "scan": frozenset({"prefix", "start", "end", "limit"}),
    "search": frozenset({"q", "filter", "query", "sort", "limit"}),
}


@dataclass(frozen=True, slots=True)
class ByKey:
    """A read or write of one document, found by its key in the collection as it is."""

    key: Any
    is_write: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class OfDocument:
    """A write of a document that the workload holds."""

    document: Mapping[str, Any]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Asking:
    """A search, or a scan as the search that finds the same."""

    query: Query
    count: int = 1


Operation = ByKey | OfDocument | Asking


def operations_in(
    lines: Iterable[tuple[int, bytes]], spec: KeySpec, collection: str
) -> Iterator[Operation]:
    """The operations of a workload's lines, given with their numbers, on one collection.

    Raises InvalidRequest with the number of the line that is none, and for more than
    OPERATIONS_MAX.
    """
    for number, line in lines:
        if not line.strip():
            continue
        if number > OPERATIONS_MAX:
            raise InvalidRequest(
                f"the workload has more than {OPERATIONS_MAX:,} lines",
                hint='give a part of it, or join equal operations with "count"',
            )
        try:
            said = _parsed(line)
            if said.pop("collection", collection) == collection:
                yield _operation(said, spec)
        except DocstoreError as error:
            raise InvalidRequest(
                f"line {number} of the workload: {error.message}",
                hint=error.hint or _HINT,
                line=number,
            ) from error


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"it is not JSON: {error}", hint=_HINT) from error
    if not isinstance(value, dict):
        raise InvalidRequest("it is not an object", hint=_HINT)
    return value


def _operation(said: dict[str, Any], spec: KeySpec) -> Operation:
    kind = said.get("op")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise InvalidRequest(f"op is {kind!r}", hint=f"use {', '.join(_MEMBERS)}")
    unknown = set(said) - _MEMBERS[kind] - {"op", "count"}
    if unknown:
        raise InvalidRequest(
            f"{kind} takes no {', '.join(sorted(unknown))}",
            hint=f"use {', '.join(sorted(_MEMBERS[kind]))} and count",
        )
    count = said.get("count", 1)
    if type(count) is not int or not 1 <= count <= COUNT_MAX:
        raise InvalidRequest(f"count is {count!r}", hint="use a whole number from 1")
    if kind == "search":
        return Asking(_searched(said), count)
    if kind == "scan":
        return Asking(_scanned(said, spec), count)
    if kind == "put" and isinstance(said.get("document"), dict):
        return OfDocument(said["document"], count)
    if said.get("key") is None:
        raise InvalidRequest(f"{kind} has no key", hint=_HINT)
    return ByKey(_key(said, "key"), kind != "get", count)


def _key(said: dict[str, Any], name: str) -> Any:
    """A key or its leading parts: a value, a tuple of them, or None."""
    given = said.get(name)
    parts = given if isinstance(given, list) else [given]
    if not all(isinstance(part, str | int | float | None) for part in parts):
        raise InvalidRequest(f"{name} is {given!r}", hint="give a value, or a list of the parts")
    return tuple(parts) if isinstance(given, list) else given


def _searched(said: dict[str, Any]) -> Query:
    must: list[Query] = []
    if said.get("q") is not None:
        if not isinstance(said["q"], str):
            raise InvalidRequest("q is not text", hint=_HINT)
        must.append(parse_text(said["q"], operator="or", fields=frozenset())[0])
    if said.get("query") is not None:
        must.append(parse_query(said["query"]))
    narrowed = said.get("filter")
    narrowing = () if narrowed is None else (parse_filter(narrowed),)
    return Bool(must=tuple(must), filter=narrowing) if must or narrowing else MatchAll()


def _scanned(said: dict[str, Any], spec: KeySpec) -> Query:
    """A scan in terms of the key's fields, which is what any partitioning can make use of."""
    clauses: list[Query] = []
    prefix = _key(said, "prefix")
    if prefix is not None and not spec.typed:
        clauses.append(Prefix(spec.fields[0], str(prefix)))
    elif prefix is not None:
        parts = prefix if isinstance(prefix, tuple) else (prefix,)
        clauses += [Term(field, part) for field, part in zip(spec.fields, parts, strict=False)]
    start, end = (_first(_key(said, name)) for name in ("start", "end"))
    if start is not None or end is not None:
        # A later part may lie beyond the bound's own first part, so that is within.
        clauses.append(Range(spec.fields[0], gte=start, lte=end))
    return Bool(filter=tuple(clauses)) if clauses else MatchAll()


def _first(bound: Any) -> Any:
    return bound[0] if isinstance(bound, tuple) and bound else bound
