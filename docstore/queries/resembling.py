"""Documents like one that is stored: its text decides the query, which then runs as any search."""

from typing import Any, TypeVar

from docstore import keys
from docstore.documents import DocumentCodec
from docstore.partitions import Partitions
from docstore.queries import searching
from docstore.queries.execute import Deadline
from docstore.queries.request import Page, request_of
from docstore.types import SearchResult
from indexing.errors import NotFound
from indexing.layout import Layout
from indexing.similar import like, parse_compared

D = TypeVar("D")


def more_like(
    partitions: Partitions,
    codec: DocumentCodec[D],
    layout: Layout,
    encoded: bytes,
    fields: Any,
    short_filter: Any,
    page: Page,
    freshness: Any,
    deadline: Deadline | None,
) -> SearchResult[D]:
    """The documents that share the most telling words and values with that of an encoded key.

    The best first. Raises NotFound, InvalidQuery and DeadlineExceeded.
    """
    compared = parse_compared(fields)
    spec = partitions.definition.key
    key = keys.decode(spec, encoded)
    (stored,) = partitions.read([encoded])
    if stored is None:
        raise NotFound(f"there is no document {key!r}", hint="put it first", key=key)
    everywhere = partitions.views(partitions.numbers, None, current=freshness == "current")
    query = like(
        codec.as_json(stored.body), key, compared, spec.fields, everywhere.values(), layout
    )
    request = request_of(partitions, None, short_filter, query, None, freshness, None, None)
    return searching.search(partitions, codec, request, page, deadline=deadline)
