"""Deleting what a search finds, a batch at a time, so that other writers get their turn between.

Invariant: a document goes only as it was when it was found: one that was written since may match no
longer, and is found again or stays. What is found is read a moment later, so what was written after
the search began is left: the write before it is the one that matched.
"""

from collections.abc import Callable
from typing import Any, Protocol

from docstore.operations import Delete
from docstore.partitions import Partitions
from docstore.types import BatchResult, DeleteResult, Position, SearchResult
from indexing.errors import InvalidQuery, InvalidRequest, VersionConflict

DELETE_BATCH = 1_000
"""Documents found and deleted at once."""
FRUITLESS_MAX = 3
"""Batches in a row of which every document was written meanwhile: somebody writes them all the
time, and whoever asked is told that there are more instead of waiting for a quiet moment."""


class Searched(Protocol):
    """The collection that is asked."""

    @property
    def partitions(self) -> Partitions:
        """The shards under the map of now."""

    @property
    def position(self) -> Callable[[], tuple[Position, ...]]:
        """Where every shard's log ends now."""

    @property
    def search(self) -> Callable[..., SearchResult[Any]]:
        """Find documents."""

    @property
    def write_many(self) -> Callable[[list[Delete]], BatchResult]:
        """Carry out writes."""


def check_narrowed(q: str | None, short_filter: Any, query: Any) -> None:
    """Refuse to delete everything unasked; raises InvalidQuery."""
    if not (q.strip() if isinstance(q, str) else q) and not short_filter and query is None:
        raise InvalidQuery(
            "nothing says which documents to delete",
            hint='for all of them write {"query": {"match_all": {}}}',
        )


def delete_some(collection: Searched, question: dict[str, Any], most: int) -> DeleteResult:
    """Find and delete up to `most` of what matches; the question must be one for `current`.

    Raises why, when nothing can be deleted: the store is read-only, the disk full.
    """
    heads = {each.partition: each.seq for each in collection.position()}
    found = collection.search(**question, limit=most, select=())
    owner_of = collection.partitions.owner_of
    result = collection.write_many(
        [
            Delete(hit.key, if_version=hit.version, if_seq=hit.seq)
            for hit in found.hits
            # A partition that came meanwhile has no head: its documents are found again.
            if hit.seq <= heads.get(owner_of(hit.key), 0)
        ]
    )
    deleted = result.written_count
    for failed in result.errors if not deleted else ():
        if not isinstance(failed.error, VersionConflict):
            raise failed.error
    return DeleteResult(deleted, found.total > deleted, result.position)


def delete_found(
    collection: Searched, question: dict[str, Any], max_documents: int | None
) -> DeleteResult:
    """Delete what matches, all of it or up to `max_documents`."""
    check_narrowed(question["q"], question["filter"], question["query"])
    done = Deletions(max_documents)
    while most := done.next(DELETE_BATCH):
        done.add(delete_some(collection, question, most))
    return done.result()


class Deletions:
    """What several batches deleted, until nothing matches or as many are gone as may go.

    Ends with `more` when FRUITLESS_MAX batches in a row deleted nothing.
    """

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
        self._fruitless = 0
        self._last: dict[int, Position] = {}

    def next(self, most: int) -> int:
        """How many to delete next, at most so many; 0 at the end."""
        if not self._more or self._fruitless == FRUITLESS_MAX:
            return 0
        return most if self._max is None else min(most, self._max - self._deleted)

    def add(self, batch: DeleteResult) -> None:
        """What a batch did."""
        self._deleted += batch.deleted
        self._more = batch.more
        self._fruitless = 0 if batch.deleted else self._fruitless + 1
        for position in batch.position:
            last = self._last.get(position.partition)
            if last is None or last.seq < position.seq:
                self._last[position.partition] = position

    def result(self) -> DeleteResult:
        """What all of them did."""
        position = tuple(self._last[number] for number in sorted(self._last))
        return DeleteResult(self._deleted, self._more, position)
