"""Documents that an index over several fields does not hold: their lists make too many postings.

Such a document is under one term of its own instead (`terms.BEYOND`), so that it is known, and
counted like any. While there is one, an answer from the index would lack it: nobody is given any.
Absent: which documents these are; they are counted.
"""

from collections.abc import Sequence

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.extracting import COMBINATIONS_MAX, Spread
from docstore.global_index.finding import found_in
from docstore.global_index.index_files import IndexFiles
from docstore.global_index.resident import Resident
from docstore.global_index.terms import BEYOND
from docstore.global_index.wanted import Wanted
from indexing.errors import Unavailable

_WANTED = Wanted((BEYOND,))


class Lacking:
    """Of one index as it was taken up. The index's lock is held around every call."""

    def __init__(self) -> None:
        self.may_be = False
        """Whether it lacked any when it was looked at; `said` finds out. Any thread may read it."""

    def note(self, definition: GlobalIndex, changes: Spread) -> None:
        """Learn what documents become."""
        if len(definition.fields) > 1 and not self.may_be:
            rows = changes[definition.partition_of(BEYOND)].values()
            self.may_be = any(BEYOND in each for each in rows)

    def look(self, files: IndexFiles) -> None:
        """Learn what is on disk."""
        if len(files.definition.fields) > 1 and not self.may_be:
            self.may_be = files.frequency(_WANTED) > 0

    def said(self, residents: Sequence[Resident], definition: GlobalIndex) -> str | None:
        """Which documents are lacking, in words; None while there are none, which costs nothing."""
        if not self.may_be:
            return None
        _, segments = found_in(residents, definition, _WANTED, ())
        count = sum(map(len, segments))
        self.may_be = count > 0
        if not count:
            return None
        noun = "document has" if count == 1 else "documents have"
        return (
            f"{count:,} {noun} more than {COMBINATIONS_MAX:,} combinations of the values of "
            f"{', '.join(definition.fields)}, which the index does not hold"
        )


def refusal(name: str, said: str) -> Unavailable:
    """What to tell who asks an index that lacks documents."""
    return Unavailable(
        f"the index {name!r} cannot answer: {said}",
        hint="search without it, or make an index over fewer lists",
    )
