"""What counting answers with: values, buckets and completions, each with its number of documents.

Everything here is frozen and compares by value. A document counts once per value, however often a
list of its repeats it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple


class ValueCount(NamedTuple):
    """A value of a field, and how many documents have it. Dates are ISO 8601 text in UTC."""

    value: Any
    documents: int


class Bucket(NamedTuple):
    """How many documents have a value v with low <= v < high. Dates are ISO 8601 text in UTC."""

    low: Any
    high: Any
    documents: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Buckets side by side from the smallest to the largest value, also those that are empty.

    `interval` is their width: a number, or the name of a unit of the calendar; None when no
    document has a value.
    """

    interval: float | str | None
    buckets: tuple[Bucket, ...]


class Completion(NamedTuple):
    """What a person may be typing: a value or a word, its field (None is any), its documents."""

    value: str
    field: str | None
    documents: int
