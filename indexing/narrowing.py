"""A filter without the conditions on one field, so that a field's counts show what else to choose.

Pure. A condition belongs to a field when it asks about that field and no other; what several fields
share (an `or` over two of them) stays.
"""

from dataclasses import dataclass, replace

from indexing.query import Bool, ConstantScore, DisMax, MatchAll, Query


def without(query: Query, path: str) -> Query | None:
    """The query without its own conditions on a field; None when nothing is left to ask."""
    asked = fields_of(query)
    if path not in asked:
        return query
    if asked == {path}:
        return None
    if not isinstance(query, Bool) or query.should:
        return query
    left = replace(
        query,
        must=_left(query.must, path),
        filter=_left(query.filter, path),
        must_not=tuple(each for each in query.must_not if fields_of(each) != {path}),
    )
    return left if left.must or left.filter or left.must_not else None


def _left(clauses: tuple[Query, ...], path: str) -> tuple[Query, ...]:
    return tuple(left for each in clauses if (left := without(each, path)) is not None)


def fields_of(query: Query) -> set[str | None]:
    """The fields a query asks about; None stands for words of any field, keys, everything."""
    if isinstance(query, Bool):
        clauses = (*query.must, *query.filter, *query.should, *query.must_not)
    elif isinstance(query, DisMax):
        clauses = query.queries
    elif isinstance(query, ConstantScore):
        clauses = (query.query,)
    else:
        return {getattr(query, "field", None)}
    return {field for each in clauses for field in fields_of(each)}


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is searched: the part that scores, the filter beside it, and both as one query."""

    query: Query
    scored: tuple[Query, ...] = ()
    narrowing: Query | None = None

    @classmethod
    def of(cls, scored: tuple[Query, ...], narrowing: Query | None) -> "Narrowed":
        """The query that asks for all of it."""
        query: Query = MatchAll()
        if narrowing is not None:
            query = Bool(must=scored, filter=(narrowing,))
        elif scored:
            query = scored[0] if len(scored) == 1 else Bool(must=scored)
        return cls(query, scored, narrowing)

    def without(self, path: str) -> Query:
        """The query without the filter's own conditions on a field."""
        if self.narrowing is None:
            return self.query
        return Narrowed.of(self.scored, without(self.narrowing, path)).query
