"""What a search counts beside hits that global indexes found: from an index where one carries it.

The counts of a field leave out the short filter's own conditions on it: such a field is counted
over a wider question, for which an index is looked for again. What no index carries, and every
histogram, the local indexes count. Pure but for asking.
"""

from collections.abc import Mapping
from dataclasses import replace

from docstore import index_answers, searching
from docstore.counting import Counting
from docstore.filtering import FieldReader
from docstore.global_need import need_of
from docstore.index_answers import Matches
from docstore.index_counts import carries, countable, counted_documents, counted_rows
from docstore.index_ways import Part, Terms, Way, ways_of
from docstore.partitions import Partitions
from docstore.request import Request
from docstore.types import IndexUse
from indexing.counts import Histogram, ValueCount
from indexing.facets import Facet

_VALUE_PRICE = 0.05
"""A candidate's value counted."""


def facets_price(partitions: Partitions, request: Request, counting: Counting, way: Way) -> float:
    """Estimated microseconds of counting beside a way."""
    local = searching.routed(partitions, request).plan.chosen.price
    price = 0.0
    for own, group in counting.by_own(request.narrowed.narrowing).items():
        if group.histograms or (own is not None and not _wider(partitions, request, own)):
            price += local
            continue
        for facet in group.facets:
            reader = countable(partitions.readers, facet)
            if reader is None or (own is None and not way.fetches and not _carried(way, reader)):
                price += local
            else:
                price += _VALUE_PRICE * way.parts[0].passing
    return price


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


def facets_of(
    partitions: Partitions, request: Request, counting: Counting, way: Way, found: Matches
) -> tuple[
    Mapping[str, list[ValueCount]],
    Mapping[str, Histogram],
    tuple[str, ...],
    tuple[IndexUse, ...],
]:
    """Facets, histograms, notes, and the indexes that were asked once more."""
    facets: dict[str, list[ValueCount]] = {}
    left = Counting()
    uses: list[IndexUse] = []
    for own, group in counting.by_own(request.narrowed.narrowing).items():
        part = None if own is None or not group.facets else _wider(partitions, request, own)
        candidates = found.of
        if part is not None:
            candidates = index_answers.asked(partitions, part, request, None, current=False)
            uses.append(index_answers.use_of(part, candidates))
        for facet in group.facets:
            reader = countable(partitions.readers, facet)
            if reader is None or (own is not None and part is None):
                left = replace(left, facets=(*left.facets, facet))
            elif own is None and way.fetches:
                facets[facet.path] = counted_documents(found.documents, reader, facet)
            elif candidates is not None and (part is not None or _carried(way, reader)):
                facets[facet.path] = counted_rows(candidates, reader, facet)
            else:
                left = replace(left, facets=(*left.facets, facet))
        left = replace(left, histograms=(*left.histograms, *group.histograms))
    if not left.facets and not left.histograms:
        ordered = {each.path: facets[each.path] for each in counting.facets}
        return ordered, {}, (), tuple(uses)
    shards = searching.shards_of(partitions, request)
    views = partitions.views(shards, request.after, current=request.current)
    local = searching.counts_beside(partitions, request, left, views)
    facets.update(local.facets)
    ordered = {each.path: facets[each.path] for each in counting.facets}
    return ordered, local.histograms, local.notes, tuple(uses)
