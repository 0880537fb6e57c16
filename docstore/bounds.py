"""Bounds of partitions as people read them, and as they may give them back to cut there. Pure."""

from contextlib import suppress
from typing import Any

import orjson

from docstore import keys
from docstore.documents import part_json
from docstore.keys import KeySpec
from docstore.partitioning import Point
from indexing.errors import Corruption


def bound_shown(spec: KeySpec, bound: Point | None) -> int | str | None:
    """A token as it is; of keys the text of a key, or a JSON list of a compound one's first parts.

    The lowest of all keys is an empty text; None is no bound.
    """
    if not isinstance(bound, bytes):
        return bound
    if not spec.typed or not bound:
        return keys.key_text(spec, bound)
    parts = [part_json(part) for part in _leading_parts(spec, bound)]
    if len(spec.fields) == 1 and isinstance(parts[0], str):
        return parts[0]
    return orjson.dumps(parts[0] if len(spec.fields) == 1 else parts).decode()


def _leading_parts(spec: KeySpec, bound: bytes) -> tuple[Any, ...]:
    """A bound has at least the first part of a key."""
    for count in range(len(spec.fields), 1, -1):
        with suppress(Corruption):
            found: tuple[Any, ...] = keys.decode(KeySpec(spec.fields[:count], typed=True), bound)
            return found
    return (keys.decode(KeySpec(spec.fields[:1], typed=True), bound),)
