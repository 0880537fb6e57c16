"""Completing what a person is typing, over the shards that hold documents of a filter."""

from typing import Any

from docstore.partitions import Partitions
from docstore.queries.execute import Deadline
from docstore.queries.request import Request
from docstore.queries.searching import key_texts, shards_of
from indexing.completions import Typed, completions
from indexing.counts import Completion
from indexing.search import Searches


def complete(
    partitions: Partitions,
    request: Request,
    prefix: Any,
    field: Any,
    limit: Any,
    deadline: Deadline | None,
) -> list[Completion]:
    """The values and words that begin so, of most documents first.

    Raises InvalidQuery and DeadlineExceeded.
    """
    typed = Typed.parse(prefix, field, limit)
    views = partitions.views(shards_of(partitions, request), request.after, current=request.current)
    queries = Searches(request.query, views, key_texts(partitions)).unscored()
    return completions(typed, views, queries, _unbounded if deadline is None else deadline.check)


def _unbounded() -> None:
    """There is always time left."""
