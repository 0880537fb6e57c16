"""Deleting what a search finds, a batch at a time, so that other writers get their turn between.

Invariant: a document goes only as it was when it was found: one that was written since may match no
longer, and is found again or stays.
"""

from collections.abc import Callable
from typing import Any

from docstore.operations import Delete
from docstore.types import BatchResult, DeleteResult, Position, SearchResult
from indexing.errors import InvalidQuery, InvalidRequest

DELETE_BATCH = 1_000
"""Documents found and deleted at once."""

Search = Callable[..., SearchResult[Any]]
Write = Callable[[list[Delete]], BatchResult]


def check_narrowed(q: str | None, short_filter: Any, query: Any) -> None:
    """Refuse to delete everything unasked; raises InvalidQuery."""
    if not (q.strip() if isinstance(q, str) else q) and not short_filter and query is None:
        raise InvalidQuery(
            "nothing says which documents to delete",
            hint='for all of them write {"query": {"match_all": {}}}',
        )


def delete_some(search: Search, write: Write, question: dict[str, Any], most: int) -> DeleteResult:
    """Find and delete up to `most` of what matches."""
    found = search(**question, limit=most, select=())
    result = write([Delete(hit.key, if_version=hit.version) for hit in found.hits])
    deleted = result.written_count
    return DeleteResult(deleted, found.total > deleted, result.position)


def delete_found(
    search: Search, write: Write, question: dict[str, Any], max_documents: int | None
) -> DeleteResult:
    """Delete what matches, all of it or up to `max_documents`."""
    check_narrowed(question["q"], question["filter"], question["query"])
    done = Deletions(max_documents)
    while most := done.next(DELETE_BATCH):
        done.add(delete_some(search, write, question, most))
    return done.result()


class Deletions:
    """What several batches deleted, until nothing matches or as many are gone as may go."""

    def __init__(self, max_documents: int | None) -> None:
        if max_documents is not None and (type(max_documents) is not int or max_documents < 1):
            raise InvalidRequest(
                f"max_documents is {max_documents!r}",
                hint="use a whole number from 1, or None for all",
                path="max_documents",
            )
        self._max = max_documents
        self._deleted = 0
        self._more = True
        self._last: dict[int, Position] = {}

    def next(self, most: int) -> int:
        """How many to delete next, at most so many; 0 at the end."""
        if not self._more:
            return 0
        return most if self._max is None else min(most, self._max - self._deleted)

    def add(self, batch: DeleteResult) -> None:
        """What a batch did."""
        self._deleted += batch.deleted
        self._more = batch.more
        for position in batch.position:
            last = self._last.get(position.partition)
            if last is None or last.seq < position.seq:
                self._last[position.partition] = position

    def result(self) -> DeleteResult:
        """What all of them did."""
        position = tuple(self._last[number] for number in sorted(self._last))
        return DeleteResult(self._deleted, self._more, position)
