"""Documents whose lists hold integers and floats in one field, so that two columns may count them.

A number is one value whichever column it is in, so a document with 1 and 1.0 would count twice.
Rare: the documents with both columns are counted first, and mostly there are none.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from tantivy import Occur, Query

from indexing.edges import Edges
from indexing.facets import TERMS_MAX, source_of, terms_asked
from indexing.histograms import buckets_asked, filled
from indexing.layout import Column, ColumnKind
from indexing.local_index import View
from indexing.query import Range
from indexing.typed import equal_query, range_query, typed_value

Both = tuple[Column, Column]
"""The integers and the floats of one field."""


def having_both(columns: Iterable[Column]) -> Iterable[Both]:
    """The two columns of numbers, if there are two."""
    of_kind = {column.kind: column for column in columns}
    if ColumnKind.INT in of_kind and ColumnKind.FLOAT in of_kind:
        yield of_kind[ColumnKind.INT], of_kind[ColumnKind.FLOAT]


def with_both_values(view: View, query: Query, both: Both) -> dict[Any, int]:
    """How many matches hold a number in both columns, by number."""
    mixed = _mixed(view, query, both)
    if mixed is None:
        return {}
    told = view.aggregate(mixed, {each.name: terms_asked(each, TERMS_MAX) for each in both})
    one, other = (source_of(each, told[each.name]).documents for each in both)
    return _counted(
        view,
        mixed,
        {
            value: [
                equal_query(view.layout.tantivy_schema, each, typed_value(each, value))
                for each in both
            ]
            for value in one.keys() & other.keys()
        },
    )


def in_both_buckets(view: View, query: Query, both: Both, edges: Edges) -> dict[int, int]:
    """How many matches have a number of each column in a bucket, by the bucket's place."""
    mixed = _mixed(view, query, both)
    if mixed is None:
        return {}
    asked = {each.name: buckets for each in both if (buckets := buckets_asked(each, edges))}
    if len(asked) < len(both):
        return {}
    told = view.aggregate(mixed, asked)
    one, other = (filled(told[each.name]) for each in both)
    bounds = dict(enumerate(pairwise(edges.at)))
    schema = view.layout.tantivy_schema
    conditions: dict[int, list[Query]] = {}
    for bucket in one.keys() & other.keys():
        low, high = bounds[bucket]
        within = [range_query(schema, each, Range(each.path, gte=low, lt=high)) for each in both]
        conditions[bucket] = [each for each in within if each is not None]
    return _counted(view, mixed, conditions)


def _mixed(view: View, query: Query, both: Both) -> Query | None:
    """The matches with a value in both columns; None when there are none."""
    has = [(Occur.Must, Query.exists_query(each.name)) for each in both]
    mixed = Query.boolean_query([(Occur.Must, query), *has])
    return mixed if view.count(mixed) else None


def _counted(view: View, mixed: Query, conditions: Mapping[Any, list[Query]]) -> dict[Any, int]:
    return {
        part: view.count(
            Query.boolean_query([(Occur.Must, each) for each in (mixed, *conditions[part])])
        )
        for part in conditions
    }
