"""Which terms of a global index are hot, and what to do about each: pure decisions over measures.

A term is hot when the index partition that holds it has half as much again as an even share of the
postings, of the lookups or of the changes, and enough of them to matter. Absent: doing something.
"""

from dataclasses import asdict, dataclass
from typing import Any

from docstore.global_index.term_salts import fan_max
from docstore.hot_keys.proposing import (
    HOT_OVERLOAD,
    READS_PER_SECOND,
    WRITES_PER_SECOND,
    fan_for,
    overload,
)
from docstore.hot_keys.traffic import Load

DOCUMENTS_MIN = 10_000
"""Documents of a term below which no partition is larger for it than matters: some 2 MB."""


@dataclass(frozen=True, slots=True)
class HotTerm:
    """A value of a global index with its documents and requests per second, and the shares of each.

    `fan` is over how many index partitions its postings are spread. `proposed_fan` is None when
    another would not help; `action` says in words what to do.
    """

    collection: str
    index: str
    value: Any
    documents: int
    document_share: float
    reads_per_second: float
    read_share: float
    writes_per_second: float
    write_share: float
    fan: int
    is_hot: bool
    proposed_fan: int | None
    action: str

    @property
    def key(self) -> tuple[str, Any]:
        """What it is told apart by within its collection."""
        return self.index, self.value

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """A term's documents, of so many postings in so many index partitions, and its loads."""

    documents: int
    postings: int
    reads: Load
    writes: Load
    fan: int
    partitions: int

    @property
    def document_share(self) -> float:
        """Its part of all postings."""
        return min(1.0, self.documents / max(self.postings, 1))

    @property
    def heaviest(self) -> float:
        """The largest of its shares, by which terms are ranked."""
        return max(self.document_share, self.reads.share, self.writes.share)


def judged_term(collection: str, index: str, value: Any, term: Measured) -> HotTerm:
    """Whether a term is hot, and what to do about it."""
    counted = [
        share
        for share, amount, least in (
            (term.document_share, term.documents, DOCUMENTS_MIN),
            (term.reads.share, term.reads.per_second, READS_PER_SECOND),
            (term.writes.share, term.writes.per_second, WRITES_PER_SECOND),
        )
        if amount >= least
    ]
    share = max(counted, default=0.0)
    is_hot = overload(share, term.fan, term.partitions) >= HOT_OVERLOAD
    wanted = min(fan_for(share, term.partitions), fan_max(term.partitions))
    proposed = None
    if (is_hot and wanted > term.fan) or wanted * 4 <= term.fan:
        proposed = wanted
    return HotTerm(
        collection,
        index,
        value,
        term.documents,
        term.document_share,
        term.reads.per_second,
        term.reads.share,
        term.writes.per_second,
        term.writes.share,
        term.fan,
        is_hot,
        proposed,
        _action(term, proposed, is_hot=is_hot),
    )


def _action(term: Measured, proposed: int | None, *, is_hot: bool) -> str:
    if proposed is not None:
        if proposed > term.fan:
            return f"salt it over {proposed} index partitions; lookups of it then ask all of them"
        return "unsalt it" if proposed == 1 else f"shrink its fan from {term.fan} to {proposed}"
    if not is_hot:
        return "nothing to do"
    return "it is spread as far as it goes: make the index with more partitions"
