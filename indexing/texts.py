"""The strings of a document, each with its path, as the index sees them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any


def texts_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string with its dotted path, in the order of the document; lists add nothing to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from texts_of(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each, path)
