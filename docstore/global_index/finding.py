"""Which postings of an index's partitions in memory are wanted: every document once.

A term is looked for where its postings are read, a salted one in several partitions, whose parts
`Candidates` puts in order. Called under the index's lock.
"""

from collections.abc import Sequence

from docstore.global_index.block import Loose, Slice
from docstore.global_index.candidates import once_each, under_all
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.resident import Resident
from docstore.global_index.term_salts import without
from docstore.global_index.wanted import Held, Wanted

ROWS_MAX = 1_000_000
"""Postings of an index in memory: some 200 MB. What is not asked for longest is dropped."""

Found = tuple[tuple[int, ...], list[Slice | Loose]]
"""The index partitions that were asked, and the postings found."""


def found_in(
    residents: Sequence[Resident],
    definition: GlobalIndex,
    wanted: Wanted,
    tests: Sequence[tuple[str, Held]],
) -> Found:
    """The wanted postings that meet all conditions."""
    places = wanted.partitions(definition)
    ranges = without(wanted.ranges, definition.unread) if definition.salts else wanted.ranges
    segments = [
        segment
        for place in places
        for segment in residents[place].find(ranges, tests, _names_in(definition, place, wanted))
    ]
    _drop_beyond(residents)
    segments = segments if wanted.is_one else once_each(segments)
    for more in wanted.also:
        asked, others = found_in(residents, definition, more, ())
        places = tuple(sorted({*places, *asked}))
        segments = under_all(segments, others)
    return places, segments


def _names_in(definition: GlobalIndex, place: int, wanted: Wanted) -> Sequence[bytes]:
    """Under what the wanted terms are kept in one partition."""
    if not definition.salts:
        if wanted.is_one:
            return wanted.terms
        return [term for term in wanted.terms if definition.partition_of(term) == place]
    return [definition.named(term) for term in wanted.terms if place in definition.places_of(term)]


def _drop_beyond(residents: Sequence[Resident]) -> None:
    while sum(each.rows_held for each in residents) > ROWS_MAX:
        used = [(*least, each) for each in residents if (least := each.least_used()) is not None]
        _, at, resident = min(used, key=lambda each: each[0])
        resident.drop(at)
