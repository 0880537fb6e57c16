"""The hot terms of a collection's global indexes: documents from statistics, traffic as noted."""

from collections.abc import Mapping

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.indexes import GlobalIndexes
from docstore.global_index.offers import Offer
from docstore.global_index.term_values import value_of_term
from docstore.global_index.wanted import Wanted
from docstore.hot_keys.hot_terms import HotTerm, Measured, judged_term
from docstore.hot_keys.observed import check_limit
from docstore.hot_keys.proposing import NO_LOAD
from docstore.hot_keys.traffic import Load


def hot_terms(indexes: GlobalIndexes, collection: str, limit: int) -> list[HotTerm]:
    """The terms with most of the postings, lookups or changes of an index, hot ones first.

    Looks at every term of an index when a fiftieth of its postings has changed since it last did.
    """
    check_limit(limit)
    found = [term for offer in indexes.offers() for term in _of(offer, collection)]
    found.sort(key=lambda each: (not each[1].is_hot, -each[0]))
    return [term for _, term in found[:limit]]


def _of(offer: Offer, collection: str) -> list[tuple[float, HotTerm]]:
    live, definition = offer.live, offer.definition
    reads = _by_term(live.traffic.reads.loads().by_key, definition)
    writes = _by_term(live.traffic.writes.loads().by_key, definition)
    heavy = {definition.term_named(name) for name in live.files.heaviest()}
    found = []
    for term in {*reads, *writes, *heavy, *definition.salt_of}:
        measured = Measured(
            offer.frequency(Wanted((term,))),
            offer.postings,
            reads.get(term, NO_LOAD),
            writes.get(term, NO_LOAD),
            definition.fan_of(term),
            definition.partitions,
        )
        judged = judged_term(collection, definition.name, value_of_term(term), measured)
        found.append((measured.heaviest, judged))
    return found


def _by_term(loads: Mapping[bytes, Load], definition: GlobalIndex) -> dict[bytes, Load]:
    """Loads of the names of postings as those of their terms."""
    found: dict[bytes, Load] = {}
    for name, load in loads.items():
        term = definition.term_named(name)
        before = found.get(term, NO_LOAD)
        found[term] = Load(before.per_second + load.per_second, before.share + load.share)
    return found
