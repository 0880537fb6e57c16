"""The matches of a disjunction that can be among the best, found without scoring all the others.

One word of several often has most of the postings and the least to say: `ford` in `ford f-150`. A
document that holds no other of the words scores at most what that word can give; when the page ends
above that, only documents with one of the other words, the essential ones, can be on it. They are
few, and are scored in full. This is MaxScore (Turtle and Flood, "Query evaluation: strategies and
optimizations", 1995), above the engine, which itself cannot skip while it counts.

Invariant: what is found so is what the whole search finds, to the bit. Deciding is pure;
only `Essential.total` searches.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tantivy import Occur, Query

from indexing.local_index import View
from indexing.resolved import (
    Combined,
    Frequencies,
    Resolved,
    Scored,
    Weights,
    built,
    score_bound,
)

_SECOND_SEARCH = 2_000
"""Postings of one view that cost as much as the second search of it, which counts: about 40 µs."""
_NOISE = 1e-5
"""Scores are rounded to six digits, so one that is just above a bound may be equal to it."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A disjunction: the term that has most postings by far, and the clauses that are essential.

    `postings` is about how many the essential clauses read.
    """

    term: Scored
    others: Resolved
    boost: float
    postings: int

    @property
    def whole(self) -> Combined:
        """All clauses, so nested that a score is the same sum in whichever search finds it."""
        return Combined(((Occur.Should, self.others), (Occur.Should, self.term)), 1, self.boost)


@dataclass(frozen=True, slots=True)
class Essential:
    """How the matches of the essential clauses are found in one view, and what the others may be.

    `query` finds them, scored in full. `beyond` finds those of them that do not hold the term,
    which `held` documents do; all of these are among what `loosely` finds, without looking at where
    words stand. A match of no essential clause scores at most `bound`, once a score of this view is
    corrected.
    """

    query: Query
    beyond: Query
    loosely: Query | None
    held: int
    bound: float

    def total(self, view: View) -> int:
        """How many documents match any clause."""
        if self.loosely is not None and not view.count(self.loosely):
            return self.held
        return self.held + view.count(self.beyond)


def parted(node: Resolved, everywhere: Frequencies, views: int) -> Parted | None:
    """The node parted at its commonest term, if reading that costs more than a second search."""
    if not isinstance(node, Combined) or node.minimum != 1 or len(node.clauses) < 2:
        return None
    clauses = [clause for occur, clause in node.clauses if occur == Occur.Should]
    words = [clause for clause in clauses if isinstance(clause, Scored)]
    if len(words) < len(node.clauses):
        return None
    postings = [_postings(word, everywhere.of) for word in words]
    most = max(postings)
    term = words[postings.index(most)]
    rest = sum(postings) - most
    if len(term.terms) > 1 or most < 2 * rest + views * _SECOND_SEARCH:
        return None
    others = tuple((Occur.Should, word) for word in words if word is not term)
    essential = others[0][1] if len(others) == 1 else Combined(others, 1)
    return Parted(term, essential, node.boost, 2 * rest)


def _postings(word: Scored, held: Mapping[tuple[str, str], int]) -> int:
    return sum(held.get(term, 0) for term in word.logical)


def essential(
    of: Parted, view: View, own: Frequencies, weights: Weights | None, later: float
) -> Essential | None:
    """The essential matches of one view; None where documents were deleted: it cannot tell `held`.

    All scores are divided by `later`, as in `built`.
    """
    held = view.matches_of(of.term.column, of.term.terms[0][1])
    if held is None:
        return None
    schema = view.layout.tantivy_schema
    must = Combined(((Occur.Must, of.others), (Occur.Should, of.term)), 0, of.boost)
    beyond = built(Combined(((Occur.Must, of.others), (Occur.MustNot, of.term))), schema)
    loose, loosely = _loose(of.others), None
    if loose != of.others:
        loosely = built(Combined(((Occur.Must, loose), (Occur.MustNot, of.term))), schema)
    bound = of.boost * score_bound(of.term, own, weights) * (1 + _NOISE)
    return Essential(built(must, schema, weights, later), beyond, loosely, held, bound)


def _loose(node: Resolved) -> Resolved:
    """The node with the words of its phrases anywhere in a document."""
    if isinstance(node, Combined):
        return Combined(tuple((occur, _loose(clause)) for occur, clause in node.clauses), 1)
    if isinstance(node, Scored) and len(node.terms) > 1:
        words = (Scored(node.column, node.source, ((0, term),)) for _, term in node.terms)
        return Combined(tuple((Occur.Must, word) for word in words))
    return node
