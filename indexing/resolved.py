"""A query resolved against one layout: columns chosen, text analyzed, only scores left open.

The same resolved query serves every shard with that layout. `scored_terms` says which document
frequencies its scores need, `built` makes the Tantivy query once they are known. Scores are
comparable across shards because each scored leaf is boosted by idf over all shards divided by the
shard's own idf (BM25 as in Robertson and Zaragoza 2009, with Tantivy's +1 inside the logarithm).
Tantivy normalises lengths by each shard's own average; the boost makes up for that too, exactly for
a document of average length that holds the term once, and to first order for the rest.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import tantivy
from tantivy import Occur, Query

from indexing.layout import Column

_K1, _B = 1.2, 0.75
"""Tantivy's constants of BM25."""

ScoredTerm = tuple[str, str]
"""(source, term): a term of one logical column, which may have another name in another shard."""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many documents there are, and how many hold each term: of a shard or of all."""

    documents: int
    of: Mapping[ScoredTerm, int]
    _idfs: dict[tuple[ScoredTerm, ...], float] = field(default_factory=dict)

    def idf(self, terms: tuple[ScoredTerm, ...]) -> float:
        """The summed inverse document frequency of some terms; every shard asks for the same."""
        known = self._idfs.get(terms)
        if known is None:
            known = self._idfs[terms] = sum(
                math.log(1 + (self.documents - held + 0.5) / (held + 0.5))
                for held in (self.of.get(term, 0) for term in terms)
            )
        return known


@dataclass(frozen=True, slots=True)
class Scored:
    """Terms of one column, scored by BM25: a single term, or a phrase when there are several.

    `logical` are the terms as every shard knows them.
    """

    column: str
    source: str
    terms: tuple[tuple[int, str], ...]
    slop: int = 0
    boost: float = 1.0
    logical: tuple[ScoredTerm, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        logical = tuple((self.source, term) for _, term in self.terms)
        object.__setattr__(self, "logical", logical)


@dataclass(frozen=True, slots=True)
class Constant:
    """A finished query of which every match has the same score."""

    query: Query
    score: float = 1.0


NOTHING = Constant(Query.empty_query(), 0.0)


@dataclass(frozen=True, slots=True)
class Combined:
    """A boolean combination; `minimum` is how many of the optional clauses must match."""

    clauses: tuple[tuple[Occur, "Resolved"], ...]
    minimum: int = 0
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Best:
    """The best of several scores, plus `tie_breaker` times the others."""

    options: tuple["Resolved", ...]
    tie_breaker: float = 0.0
    boost: float = 1.0


Resolved = Scored | Constant | Combined | Best


def source_of(column: Column) -> str:
    """The logical column of a column: the same in every shard, whatever its name there."""
    return f"{column.kind}:{column.path}"


def constant_score(node: Resolved) -> float | None:
    """The score that every match has, or None when scores differ."""
    if isinstance(node, Constant):
        return node.score
    if isinstance(node, Combined):
        scores = [constant_score(inner) for occur, inner in node.clauses if occur != Occur.MustNot]
        optional = any(occur == Occur.Should for occur, _ in node.clauses)
        if (optional and len(scores) > 1) or any(score is None for score in scores):
            return None
        return node.boost * sum(score for score in scores if score is not None)
    return None


def scored(node: Resolved) -> Iterator[Scored]:
    """Every leaf whose score depends on frequencies."""
    if isinstance(node, Scored):
        yield node
    elif isinstance(node, Combined):
        for occur, inner in node.clauses:
            if occur != Occur.MustNot:
                yield from scored(inner)
    elif isinstance(node, Best):
        for inner in node.options:
            yield from scored(inner)


@dataclass(frozen=True, slots=True)
class Weights:
    """What corrects a shard's own scores to those of one index over all documents.

    `lengths` is the shard's average field length over everyone's, by source.
    """

    own: Frequencies
    everywhere: Frequencies
    lengths: Mapping[str, float]

    def correction(self, terms: tuple[ScoredTerm, ...]) -> float:
        """The factor for a leaf over these terms; 1 where the shard has none of them."""
        own = self.own.idf(terms)
        if own <= 0:
            return 1.0
        relative = self.lengths.get(terms[0][0], 1.0)
        length = (1 + _K1 * (1 - _B + _B / relative)) / (1 + _K1)
        return length * self.everywhere.idf(terms) / own


def relative_lengths(
    averages: Mapping[int, tuple[int, Mapping[str, float]]],
) -> dict[int, dict[str, float]]:
    """Each shard's average lengths over the average of all shards that know theirs, by source.

    `averages` gives, per shard, its number of documents and its average length by source.
    """
    tokens: dict[str, float] = {}
    documents: dict[str, int] = {}
    for held, lengths in averages.values():
        for source, average in lengths.items():
            tokens[source] = tokens.get(source, 0.0) + held * average
            documents[source] = documents.get(source, 0) + held
    return {
        shard: {
            source: average * documents[source] / tokens[source]
            for source, average in lengths.items()
            if tokens[source] > 0
        }
        for shard, (_, lengths) in averages.items()
    }


def main_correction(leaves: Sequence[Scored], weights: Weights) -> float:
    """The correction of the leaf with the most postings, 1 when nothing is scored.

    It is applied after the search, to all that it finds, so that this leaf needs no boost inside:
    a boost costs a quarter of a leaf's time.
    """
    if not leaves:
        return 1.0
    held = weights.own.of
    main = max(leaves, key=lambda leaf: min(map(held.__getitem__, leaf.logical)))
    return weights.correction(main.logical)


def score_bound(term: Scored, own: Frequencies, weights: Weights | None) -> float:
    """What a single term can give a document's score at most, however often the document holds it.

    BM25 grows with that and never reaches idf * (k1 + 1).
    """
    correction = 1.0 if weights is None else weights.correction(term.logical)
    return term.boost * correction * own.idf(term.logical) * (1 + _K1)


def built(
    node: Resolved, schema: tantivy.Schema, weights: Weights | None = None, later: float = 1.0
) -> Query:
    """The Tantivy query; without weights, scores are the shard's own.

    All scores are divided by `later`, the correction that is left to be applied to what is found.
    """
    match node:
        case Constant(query, score):
            return Query.const_score_query(query, score / later)
        case Scored():
            return _leaf(node, schema, weights, later)
        case Combined(clauses, minimum, boost):
            query = Query.boolean_query(
                [(occur, built(inner, schema, weights, later)) for occur, inner in clauses],
                minimum,
            )
        case Best(options, tie_breaker, boost):
            query = Query.disjunction_max_query(
                [built(inner, schema, weights, later) for inner in options], tie_breaker
            )
    return query if boost == 1.0 else Query.boost_query(query, boost)


def _leaf(leaf: Scored, schema: tantivy.Schema, weights: Weights | None, later: float) -> Query:
    if len(leaf.terms) == 1:
        query = Query.term_query(schema, leaf.column, leaf.terms[0][1], "freq")
    else:
        query = Query.phrase_query(schema, leaf.column, list(leaf.terms), leaf.slop)
    boost = leaf.boost
    if weights is not None:
        boost *= weights.correction(leaf.logical) / later
    return query if boost == 1.0 else Query.boost_query(query, boost)
