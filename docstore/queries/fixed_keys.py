"""Which whole keys a query leaves open, where it says something of each part: pure, for the router.

A salted key's documents lie in many shards, but each by its whole key in one; so a filter on all
parts need not ask the others. Invariant: no key is left out that a match may have.
"""

from itertools import product
from math import prod
from typing import Any

from docstore.key_parts import KeyParts
from docstore.keys import KeySpec, encode
from indexing.errors import InvalidDocument
from indexing.query import Bool, ConstantScore, Query, Term, Terms

KEYS_MAX = 1000
"""Of more, all shards of their first part are asked."""

_Parts = dict[tuple[type, Any], Any]
"""By type too: 1 and 1.0 are two parts."""


def fixed_keys(query: Query, spec: KeySpec, parts: KeyParts) -> set[bytes] | None:
    """The encoded keys that every match must have one of, or None when some part is left open."""
    fixed: list[_Parts] = []
    for field in spec.fields:
        found = _fixed(query, field, parts)
        if found is None:
            return None
        fixed.append(found)
    if prod(map(len, fixed)) > KEYS_MAX:
        return None
    try:
        return {encode(spec, key) for key in product(*(found.values() for found in fixed))}
    except InvalidDocument:
        return None


def _fixed(query: Query, field: str, parts: KeyParts) -> _Parts | None:
    """The values of a part that a match can have, or None for any."""
    if isinstance(query, Bool):
        found: _Parts | None = None
        for clause in (*query.must, *query.filter):
            more = _fixed(clause, field, parts)
            if found is None or more is None:
                found = more if found is None else found
            else:
                found = {named: part for named, part in found.items() if named in more}
        return found
    if isinstance(query, ConstantScore):
        return _fixed(query.query, field, parts)
    if not isinstance(query, Term | Terms) or query.field != field:
        return None
    named: _Parts = {}
    for value in (query.value,) if isinstance(query, Term) else query.values:
        possible = parts.possible(field, value)
        if possible is None:
            return None
        named.update({(type(part), part): part for part in possible if parts.can_hold(field, part)})
    return named
