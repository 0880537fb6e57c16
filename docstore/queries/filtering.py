"""A query as a test of documents, equal to what local indexes find; refused where it cannot be.

Pure. Values are read as `field_readers` reads them, so are words of fields that the schema names.
Nothing that is scored, of words in order or matched by a pattern is tested here: such a query
raises `Untestable`, and only the local indexes answer it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from docstore.global_index.terms import values_at
from docstore.queries.field_readers import COLUMNS, FieldReader, Readers, Untestable
from indexing.layout import KEYWORD_BYTES_MAX, Column, ColumnKind
from indexing.minimum import minimum_needed
from indexing.near import edits_of
from indexing.patterns import BOUND_CHARACTERS_MAX
from indexing.query import (
    Bool,
    ConstantScore,
    Exists,
    Lenient,
    Match,
    MatchAll,
    MatchNone,
    MatchPhrase,
    Prefix,
    Query,
    Range,
    Term,
    Terms,
)
from indexing.schema import Kind
from indexing.typed import typed_value

EXACT_MAX = 2**53
"""Numbers of this size and more are compared as floats by some columns, as integers by others."""
Test = Callable[[Any], bool]
"""Whether a document, as JSON, is one that the query finds."""
ValueLeaf = Term | Terms | Range | Prefix


@dataclass(frozen=True, slots=True)
class WordsAsked:
    """Words of a field, of which a document must have at least `minimum`."""

    reader: FieldReader
    words: tuple[str, ...]
    minimum: int


def test_of(query: Query, readers: Readers) -> Test:
    """The query as a test; raises Untestable."""
    match query:
        case MatchAll():
            return lambda _: True
        case MatchNone():
            return lambda _: False
        case ConstantScore():
            return test_of(query.query, readers)
        case Bool():
            return _bool_test(query, readers)
        case Exists():
            return _exists_test(query, readers)
    leaf = leaf_of(query, readers)
    if isinstance(leaf, WordsAsked):
        return _words_test(leaf)
    reader = readers.of_terms(leaf.field)
    holds, held = value_test(reader, leaf), reader.held
    return lambda document: any(map(holds, held(document)))


def leaf_of(query: Query, readers: Readers) -> WordsAsked | ValueLeaf:
    """What a leaf of a query asks of one field's words or whole values; raises Untestable."""
    match query:
        case Term() | Terms() | Range() | Prefix():
            return query
        case Lenient(query=inner) if not isinstance(inner, Bool | Lenient):
            # Typed by hand, a value of a declared field is read as always; of others it is not.
            leaf = leaf_of(inner, readers)
            if not isinstance(leaf, WordsAsked) and readers.of_terms(leaf.field).kind is Kind.ANY:
                raise Untestable(f"what was typed for {leaf.field!r}, the local indexes know")
            return leaf
        case Match() | MatchPhrase():
            return _matched(query, readers)
    raise Untestable("it asks for words, keys or patterns, which only the local indexes find")


def _matched(query: Match | MatchPhrase, readers: Readers) -> WordsAsked | ValueLeaf:
    """The words that a match asks for; where a field has none, the whole value."""
    reader = readers.of_words(query.field)
    if reader is None or reader.analyzer is None:
        return Term(query.field, query.text, query.boost)
    words = tuple(dict.fromkeys(reader.analyzer.terms(query.text)))
    if not words:
        raise Untestable(f"{query.text!r} holds no word that is indexed")
    for word in words:
        _asked(reader, word)
    if isinstance(query, MatchPhrase):
        if len(words) > 1 and reader.analyzer.ordered:
            raise Untestable("it asks for words in order, which only the local indexes find")
        return WordsAsked(reader, words, len(words))
    if any(edits_of(query.fuzziness, word) for word in words):
        raise Untestable("it asks for words like others, which only the local indexes find")
    if query.operator == "and":
        return WordsAsked(reader, words, len(words))
    minimum = max(1, minimum_needed(query.minimum_should_match, len(words)))
    return WordsAsked(reader, words, minimum)


def _words_test(asked: WordsAsked) -> Test:
    held, words, minimum = asked.reader.held, frozenset(asked.words), asked.minimum
    return lambda document: len(words.intersection(held(document))) >= minimum


def _bool_test(query: Bool, readers: Readers) -> Test:
    must = [test_of(each, readers) for each in (*query.must, *query.filter)]
    must_not = [test_of(each, readers) for each in query.must_not]
    should = [test_of(each, readers) for each in query.should]
    minimum = 0
    if should:
        spec = query.minimum_should_match
        minimum = (0 if must else 1) if spec is None else minimum_needed(spec, len(should))

    def test(document: Any) -> bool:
        return (
            all(each(document) for each in must)
            and not any(each(document) for each in must_not)
            and (minimum == 0 or sum(each(document) for each in should) >= minimum)
        )

    return test


def _exists_test(query: Exists, readers: Readers) -> Test:
    reader = readers.of_terms(query.field)
    if reader.kind is Kind.ANY:
        raise Untestable(f"whether anything is at {query.field!r}, the local indexes know")
    if reader.kind in (Kind.STRING, Kind.KEYWORD, Kind.TEXT):  # also one too long to be held
        path = query.field
        return lambda document: any(type(each) is str for each in values_at(document, path))
    return lambda document: bool(reader.held(document))


def value_test(reader: FieldReader, query: ValueLeaf) -> Callable[[Any], bool]:
    """Whether one held value is what a leaf of a query asks for; raises Untestable."""
    if isinstance(query, Prefix):
        start = prefix_of(reader, query)
        return lambda value: isinstance(value, str) and value.startswith(start)
    if isinstance(query, Range):
        return _range_test(reader, query)
    wanted = {_marked(value) for value in values_of(reader, query)}
    return lambda value: _marked(value) in wanted


def _marked(value: Any) -> tuple[bool, Any]:
    """A value that is told apart from a number when it is a truth value."""
    return isinstance(value, bool), value


def values_of(reader: FieldReader, query: Term | Terms) -> list[Any]:
    """The held values that a term query asks for; raises Untestable."""
    given = (query.value,) if isinstance(query, Term) else query.values
    if not given:
        raise Untestable("no value is asked for")
    return [_asked(reader, value) for value in given]


def _asked(reader: FieldReader, value: Any) -> Any:
    """A value of a query as the field's column holds it."""
    if reader.kind is not Kind.ANY:
        column = COLUMNS.get(reader.kind, ColumnKind.TEXT)
        value = typed_value(Column("", reader.path, column), value)
    is_date = reader.kind is Kind.DATETIME
    if isinstance(value, str):
        if len(value.encode("utf-8", "replace")) > KEYWORD_BYTES_MAX or not _is_text(value):
            raise Untestable("a value asked for is longer than any that is indexed whole")
    elif value is None or not (
        isinstance(value, bool) or (isinstance(value, int) and is_date) or abs(value) < EXACT_MAX
    ):
        raise Untestable(f"a value asked of {reader.path!r} is not one that it can hold exactly")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def prefix_of(reader: FieldReader, query: Prefix) -> str:
    """The beginning asked for; raises Untestable."""
    if reader.kind not in (Kind.STRING, Kind.KEYWORD, Kind.ANY):
        raise Untestable(f"{reader.path!r} holds no strings")
    if len(query.value) > BOUND_CHARACTERS_MAX or not _is_text(query.value):
        raise Untestable("the prefix is too long")
    return query.value


def bounds_of(reader: FieldReader, query: Range) -> dict[str, Any]:
    """The bounds as held values, all strings or all numbers; raises Untestable."""
    given = {
        name: bound
        for name in ("gt", "gte", "lt", "lte")
        if (bound := getattr(query, name)) is not None
    }
    if reader.kind is Kind.TEXT:
        raise Untestable(f"words of {reader.path!r} between others, the local indexes find")
    if not given or ("gt" in given and "gte" in given) or ("lt" in given and "lte" in given):
        raise Untestable("a range has one bound on a side")
    bounds: dict[str, Any] = {}
    for name, bound in given.items():
        held: Any
        if reader.kind is Kind.INT and isinstance(bound, float):
            held = bound if abs(bound) < EXACT_MAX else None  # a whole column between two numbers
        else:
            held = _asked(reader, bound)
        if held is None or isinstance(held, bool):
            raise Untestable("truth values have no order")
        if isinstance(held, str) and len(held) > BOUND_CHARACTERS_MAX:
            raise Untestable("a bound is too long")
        bounds[name] = held
    if len({isinstance(each, str) for each in bounds.values()}) > 1:
        raise Untestable("the bounds are of two kinds")
    return bounds


def _range_test(reader: FieldReader, query: Range) -> Callable[[Any], bool]:
    bounds = bounds_of(reader, query)
    is_text = isinstance(next(iter(bounds.values())), str)
    gt, gte, lt, lte = (bounds.get(name) for name in ("gt", "gte", "lt", "lte"))

    def test(value: Any) -> bool:
        if type(value) is bool or (type(value) is str) is not is_text:
            return False
        return (
            (gt is None or value > gt)
            and (gte is None or value >= gte)
            and (lt is None or value < lt)
            and (lte is None or value <= lte)
        )

    return test


def leaves_of(query: Query) -> Iterator[tuple[Query, bool]]:
    """The clauses that all must hold, and those that must not (True); nested ones laid open."""
    if isinstance(query, ConstantScore):
        yield from leaves_of(query.query)
    elif isinstance(query, Bool) and not query.should:
        for each in (*query.must, *query.filter):
            yield from leaves_of(each)
        for each in query.must_not:
            yield each, True
    elif not isinstance(query, MatchAll):
        yield query, False


def constant_score_of(query: Query) -> float | None:
    """The score that every match of a query has, None when scores differ, as searches give it."""
    match query:
        case ConstantScore() | Terms() | Range() | Prefix() | Exists() | MatchAll():
            return query.boost
        case Bool(should=()):
            if not query.must and not query.filter:
                return query.boost
            scores = [constant_score_of(each) for each in query.must]
            if any(score is None for score in scores):
                return None
            return query.boost * sum(score for score in scores if score is not None)
    return None
