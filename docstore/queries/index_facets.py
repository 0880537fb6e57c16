"""What a search counts beside hits that global indexes found: from an index where one carries it.

The counts of a field leave out the short filter's own conditions on it: such a field is counted
over a wider question, for which an index is looked for again. What no index carries the local
indexes count. Pure but for asking.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from docstore.global_index.candidates import Candidates
from docstore.partitions import Partitions
from docstore.queries import index_answers, searching
from docstore.queries.counting import Counting, in_order
from docstore.queries.execute import Deadline
from docstore.queries.field_readers import FieldReader
from docstore.queries.global_need import need_of
from docstore.queries.index_answers import Matches
from docstore.queries.index_counts import carries, countable, counted_documents, counted_rows
from docstore.queries.index_histograms import drawable, drawn_documents, drawn_rows
from docstore.queries.index_ways import Part, Terms, Way, ways_of
from docstore.queries.request import Request
from docstore.types import IndexUse
from indexing.counts import Histogram, ValueCount
from indexing.facets import Facet
from indexing.histograms import HistogramAsked

_VALUE_PRICE = 0.05
"""A candidate's value counted."""


def facets_price(partitions: Partitions, request: Request, counting: Counting, way: Way) -> float:
    """Estimated microseconds of counting beside a way."""
    local = searching.routed(partitions, request).plan.chosen.price
    price = 0.0
    for own, group in counting.by_own(request.narrowed.narrowing).items():
        if own is not None and not _wider(partitions, request, own):
            price += local
            continue
        for reader in _read_by(partitions, group):
            if reader is None or (own is None and not way.fetches and not _carried(way, reader)):
                price += local
            else:
                price += _VALUE_PRICE * way.parts[0].passing
    return price


def _read_by(partitions: Partitions, counting: Counting) -> list[FieldReader | None]:
    """How each field is read that is counted; None where only the local indexes count it."""
    readers = partitions.readers
    return [
        *(countable(readers, each) for each in counting.facets),
        *(drawable(readers, each) for each in counting.histograms),
    ]


def _carried(way: Way, reader: FieldReader) -> bool:
    return carries(way.parts[0].offer, reader)


def _wider(partitions: Partitions, request: Request, own: str) -> Part | None:
    """What to ask of an index to count a field without its own conditions, if one carries it."""
    need = need_of(request.narrowed.without(own), None, partitions.readers)
    is_any = not request.current and not request.after
    ways, _ = ways_of(need, partitions.indexes.offers(), Terms(is_any, 0))
    reader = countable(partitions.readers, Facet(own))
    for way in ways:
        if not way.fetches and reader is not None and _carried(way, reader):
            return way.parts[0]
    return None


@dataclass(frozen=True, slots=True)
class _Over:
    """What some fields are counted over: rows that carry some fields, or documents."""

    rows: Candidates | None
    documents: Sequence[Any]
    carries: Callable[[FieldReader], bool]

    def values(self, reader: FieldReader | None, facet: Facet) -> list[ValueCount] | None:
        """The most frequent values, None when the local indexes have to count them."""
        if reader is None:
            return None
        if self.rows is None:
            return counted_documents(self.documents, reader, facet)
        return counted_rows(self.rows, reader, facet) if self.carries(reader) else None

    def histogram(self, reader: FieldReader | None, asked: HistogramAsked) -> Histogram | None:
        """The buckets, None when the local indexes have to fill them."""
        if reader is None:
            return None
        if self.rows is None:
            return drawn_documents(self.documents, reader, asked)
        return drawn_rows(self.rows, reader, asked) if self.carries(reader) else None


def facets_of(
    partitions: Partitions,
    request: Request,
    counting: Counting,
    way: Way,
    found: Matches,
    deadline: Deadline | None,
) -> tuple[
    Mapping[str, list[ValueCount]],
    Mapping[str, Histogram],
    tuple[str, ...],
    tuple[IndexUse, ...],
]:
    """Facets, histograms, notes, and the indexes that were asked once more.

    Raises DeadlineExceeded unless what is counted by then will do.
    """
    facets: dict[str, list[ValueCount]] = {}
    histograms: dict[str, Histogram] = {}
    left = Counting()
    uses: list[IndexUse] = []
    for own, group in counting.by_own(request.narrowed.narrowing).items():
        if deadline is not None and deadline.stops():
            break
        over: _Over | None = _Over(found.of, found.documents, partial(_carried, way))
        if own is not None:
            part = _wider(partitions, request, own)
            over = None
            if part is not None:
                rows = index_answers.asked(partitions, part, request, None, current=False)
                uses.append(index_answers.use_of(part, rows))
                over = _Over(rows, (), partial(carries, part.offer))
        for facet in group.facets:
            reader = countable(partitions.readers, facet)
            values = None if over is None else over.values(reader, facet)
            if values is None:
                left = replace(left, facets=(*left.facets, facet))
            else:
                facets[facet.path] = values
        for asked in group.histograms:
            reader = drawable(partitions.readers, asked)
            buckets = None if over is None else over.histogram(reader, asked)
            if buckets is None:
                left = replace(left, histograms=(*left.histograms, asked))
            else:
                histograms[asked.path] = buckets
    notes: tuple[str, ...] = ()
    if left.facets or left.histograms:
        shards = searching.shards_of(partitions, request)
        views = partitions.views(shards, request.after, current=request.current)
        local = searching.counts_beside(partitions, request, left, views, deadline)
        facets.update(local.facets)
        histograms.update(local.histograms)
        notes = local.notes
    facets = in_order(counting.facets, facets)
    histograms = in_order(counting.histograms, histograms)
    return facets, histograms, notes, tuple(uses)
