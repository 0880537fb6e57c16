"""The query for what comes after a hit: pages as deep as one likes, each at the price of the first.

Invariant: with it and the same sort, a search continues exactly behind the hit, in the order of all
searches: by the value, documents without it last, equal ones by key. It holds for fields of one
value. Pure: JSON in the shapes of queries, which HTTP takes as it is.
"""

from collections.abc import Sequence
from typing import Any

from docstore.documents import part_json
from docstore.queries.request import sort_of
from docstore.types import Key as KeyValue
from indexing.errors import InvalidQuery
from indexing.passes import Sort


def after_hit(
    sort: str | dict[str, Any] | Sort,
    value: Any,
    key: KeyValue,
    key_fields: str | Sequence[str] = "id",
) -> dict[str, Any]:
    """The `query` for the hits behind one, in a search sorted by a field, as `search` takes it.

    `value` and `key` are the hit's `sort` and `key`; `key_fields` the collection's key, as
    `key_fields` of the collection tells it. Raises InvalidQuery for a sort by score, which no
    query can continue, and for a key of other parts.
    """
    order = sort_of(sort)
    if order is None:
        raise InvalidQuery(
            "what comes after a score cannot be searched for",
            hint='sort by a field, like "price", or use offset',
            path="sort",
        )
    path, behind = order.path, _keys_behind(key, key_fields)
    without = {"bool": {"must_not": [{"exists": {"field": path}}]}}
    if value is None:
        return {"bool": {"filter": [without, behind]}}
    beyond = {"range": {path: {"lt" if order.descending else "gt": value}}}
    same = {"bool": {"filter": [{"term": {path: value}}, behind]}}
    return {"bool": {"should": [beyond, same, without]}}


def _keys_behind(key: KeyValue, key_fields: str | Sequence[str]) -> dict[str, Any]:
    """What finds the greater keys: a greater first part, or the same and the rest greater."""
    fields = (key_fields,) if isinstance(key_fields, str) else tuple(key_fields)
    parts = tuple(key) if isinstance(key, tuple | list) else (key,)
    if len(parts) != len(fields):
        raise InvalidQuery(
            f"the key has {len(parts)} parts, not one for each of {', '.join(fields)}",
            hint="pass the hit's key, and the collection's key_fields",
            path="key",
        )
    (field, *others), (part, *rest) = fields, parts
    value = part_json(part)
    greater = {"range": {field: {"gt": value}}}
    if not others:
        return greater
    same = {"bool": {"filter": [{"term": {field: value}}, _keys_behind(tuple(rest), others)]}}
    return {"bool": {"should": [greater, same]}}
