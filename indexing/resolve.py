"""From the query as asked to the query against a layout: columns, terms, typed values.

Which column a node looks in: words (`match…`, `fuzzy`) in the text column, whole values (`term`,
`range`, `prefix`, `wildcard`, `regexp`) in the keyword or typed column, and in the text column's
terms when a field has no other. A field that the schema does not know is an error, unless
documents may hold anything there: then it matches nothing and a note says so.
"""

from collections.abc import Callable
from typing import Any

from tantivy import Occur, Query

from indexing import patterns
from indexing import query as asked
from indexing.analysis import Analyzer
from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import KEY, PRESENT, Column, ColumnKind, Layout
from indexing.minimum import minimum_needed
from indexing.near import NearWords, edits_of
from indexing.resolved import Best, Combined, Constant, Resolved, Scored, built
from indexing.typed import check_length, network_range, range_query

_WHOLE = (
    ColumnKind.KEYWORD,
    ColumnKind.INT,
    ColumnKind.FLOAT,
    ColumnKind.BOOL,
    ColumnKind.DATETIME,
    ColumnKind.IP,
)
_NOTHING = Constant(Query.empty_query(), 0.0)
_WORDLESS = Constant(Query.empty_query(), 0.0)
"""Text without a word that is indexed: nothing by itself, and neutral beside other clauses."""


class Resolver:
    """Resolves queries for one layout; `notes` collects what a person would want to know."""

    def __init__(self, layout: Layout, key_text: Callable[[Any], str]) -> None:
        self._layout = layout
        self._schema = layout.tantivy_schema
        self._key_text = key_text
        self._fields = Fields(layout)
        self._near = NearWords(self._schema)
        self.notes = self._fields.notes
        self._handlers: dict[type, Callable[[Any], Resolved]] = {
            asked.MatchAll: lambda node: Constant(Query.all_query(), node.boost),
            asked.MatchNone: lambda _: _NOTHING,
            asked.Match: self._match,
            asked.MatchPhrase: self._match_phrase,
            asked.MatchPhrasePrefix: self._match_phrase_prefix,
            asked.MultiMatch: self._multi_match,
            asked.AnyText: self._any_text,
            asked.Term: self._term,
            asked.Terms: self._terms,
            asked.Range: self._range,
            asked.Prefix: lambda node: self._pattern(node, patterns.prefix(node.value)),
            asked.Wildcard: lambda node: self._pattern(node, patterns.wildcard(node.pattern)),
            asked.Regexp: lambda node: self._pattern(
                node, patterns.checked_regexp(node.pattern, node.field)
            ),
            asked.Fuzzy: self._fuzzy,
            asked.Exists: lambda node: Constant(self._exists(node.field), node.boost),
            asked.Ids: self._ids,
            asked.Bool: self._bool,
            asked.ConstantScore: lambda node: Constant(self._filter(node.query), node.boost),
            asked.DisMax: self._dis_max,
            asked.Lenient: self._lenient,
        }

    def resolve(self, node: asked.Query) -> Resolved:
        """The node against this layout; raises InvalidQuery with the field at fault."""
        return self._handlers[type(node)](node)

    def _filter(self, node: asked.Query) -> Query:
        return built(self.resolve(node), self._schema)

    def _analyzer(self, column: Column) -> Analyzer:
        return self._layout.analyzers[column.analyzer]

    # Words

    def _match(self, node: asked.Match) -> Resolved:
        texts = self._fields.of_kind(node.field, (ColumnKind.TEXT,))
        if not texts:
            return self._whole_value(node.field, node.text, node.boost)
        column = texts[0]
        counts: dict[str, int] = {}
        for term in self._analyzer(column).terms(node.text):
            counts[term] = counts.get(term, 0) + 1
        clauses = [
            self._word(column, term, node.fuzziness, float(count)) for term, count in counts.items()
        ]
        if not clauses:
            self.notes.append(f"{node.text!r} holds no word that is indexed")
            return _NOTHING
        if node.operator == "and":
            return Combined(tuple((Occur.Must, each) for each in clauses), boost=node.boost)
        minimum = max(1, minimum_needed(node.minimum_should_match, len(clauses)))
        return Combined(tuple((Occur.Should, each) for each in clauses), minimum, node.boost)

    def _word(self, column: Column, term: str, fuzziness: int | str, boost: float) -> Resolved:
        exact = Scored(column.name, _source(column), ((0, term),), boost=boost)
        edits = edits_of(fuzziness, term)
        if edits == 0:
            return exact
        near = self._near.query(column.name, term, edits, path=column.path)
        # An exact occurrence must outrank every near one, so both count.
        return Combined(((Occur.Must, Constant(near, boost)), (Occur.Should, exact)))

    def _match_phrase(self, node: asked.MatchPhrase) -> Resolved:
        texts = self._fields.of_kind(node.field, (ColumnKind.TEXT,))
        if not texts:
            return self._whole_value(node.field, node.text, node.boost)
        column = texts[0]
        phrase = self._phrase(
            column.name, _source(column), self._analyzer(column), node.text, node.slop
        )
        return _NOTHING if phrase is None else Combined(((Occur.Must, phrase),), boost=node.boost)

    def _phrase(
        self, column: str, source: str, analyzer: Analyzer, text: str, slop: int = 0
    ) -> Resolved | None:
        if not analyzer.ordered:
            terms = dict.fromkeys(analyzer.terms(text))
            words = [Scored(column, source, ((0, term),)) for term in terms]
            return Combined(tuple((Occur.Must, word) for word in words)) if words else None
        positions = analyzer.positions(text)
        return Scored(column, source, positions, slop) if positions else None

    def _match_phrase_prefix(self, node: asked.MatchPhrasePrefix) -> Resolved:
        texts = self._fields.of_kind(node.field, (ColumnKind.TEXT,))
        if not texts:
            return self._pattern(node, patterns.prefix(node.text))
        column = texts[0]
        query = self._phrase_prefix(column.name, self._analyzer(column), node.text)
        return _NOTHING if query is None else Constant(query, node.boost)

    def _phrase_prefix(self, column: str, analyzer: Analyzer, text: str) -> Query | None:
        positions = analyzer.positions(text)
        if not positions:
            return None
        *whole, (last, beginning) = positions
        words = [(place, patterns.literal(term)) for place, term in whole]
        if not words:
            return self._regex(column, patterns.prefix(beginning))
        return Query.regex_phrase_query(
            self._schema, column, [*words, (last, patterns.prefix(beginning))]
        )

    def _multi_match(self, node: asked.MultiMatch) -> Resolved:
        def one(path: str, boost: float) -> asked.Query:
            if node.type == "phrase":
                return asked.MatchPhrase(path, node.text, boost=boost)
            if node.type == "phrase_prefix":
                return asked.MatchPhrasePrefix(path, node.text, boost=boost)
            return asked.Match(
                path, node.text, node.operator, node.minimum_should_match, node.fuzziness, boost
            )

        options = tuple(self.resolve(one(path, boost)) for path, boost in node.fields)
        if node.type == "most_fields":
            return Combined(tuple((Occur.Should, each) for each in options), 1, node.boost)
        return Best(options, node.tie_breaker, node.boost)

    def _any_text(self, node: asked.AnyText) -> Resolved:
        options: list[Resolved] = []
        for name, column in self._layout.catch_all.items():
            analyzer = self._layout.analyzers[name]
            if node.prefix:
                query = self._phrase_prefix(column, analyzer, node.text)
                found: Resolved | None = None if query is None else Constant(query)
            else:
                found = self._phrase(column, f"all:{name}", analyzer, node.text)
            if found is not None:
                options.append(found)
        if not options:
            if self._layout.catch_all:
                self.notes.append(f"{node.text!r} holds no word that is indexed")
            return _WORDLESS
        boost = node.boost * node.count
        if len(options) > 1:
            return Best(tuple(options), boost=boost)
        return options[0] if boost == 1.0 else Combined(((Occur.Must, options[0]),), boost=boost)

    # Whole values

    def _whole_value(self, path: str, value: Any, boost: float) -> Resolved:
        return self._term(asked.Term(path, value, boost))

    def _term(self, node: asked.Term) -> Resolved:
        columns = self._fields.columns(node.field)
        options = [
            option for column in columns if (option := self._equal(column, node.value)) is not None
        ]
        words = [column for column in columns if column.kind is ColumnKind.TEXT]
        if not options and words and isinstance(node.value, str):
            options = [Scored(words[0].name, _source(words[0]), ((0, node.value),))]
        if not options:
            self._fields.refuse_mismatch(node.field, columns, node.value)
            return _NOTHING
        clauses = tuple((Occur.Should, option) for option in options)
        return Combined(clauses, 1, node.boost)

    def _equal(self, column: Column, value: Any) -> Resolved | None:
        if column.kind not in _WHOLE:
            return None
        network = network_range(column, value)
        if network is not None:
            query = range_query(self._schema, column, network)
            return None if query is None else Constant(query)
        typed = self._fields.typed(column, value)
        if typed is None:
            return None
        if column.kind is ColumnKind.KEYWORD:
            check_length(column, typed)
            return Scored(column.name, _source(column), ((0, typed),))
        return Constant(Query.term_query(self._schema, column.name, typed))

    def _terms(self, node: asked.Terms) -> Resolved:
        columns = self._fields.columns(node.field)
        whole = [column for column in columns if column.kind in _WHOLE]
        left = dict.fromkeys(map(_exactly, node.values))
        options: list[tuple[Occur, Query]] = []
        for column in whole or columns:
            # One set of terms per column: thousands of values cost one walk of its dictionary.
            typed = {key: self._fields.typed(column, key[1]) for key in map(_exactly, node.values)}
            accepted = {key: value for key, value in typed.items() if value is not None}
            for key in accepted:
                left.pop(key, None)
            if accepted:
                terms = list(accepted.values())
                options.append((Occur.Should, self._any_of(column, terms)))
        for _, value in list(left):
            options.append((Occur.Should, self._filter(asked.Term(node.field, value))))
        if not options:
            return _NOTHING
        return Constant(Query.boolean_query(options, 1), node.boost)

    def _any_of(self, column: Column, values: list[Any]) -> Query:
        for value in values:
            if isinstance(value, str):
                check_length(column, value)
        return Query.term_set_query(self._schema, column.name, values)

    def _range(self, node: asked.Range) -> Resolved:
        columns = self._fields.columns(node.field)
        kinds = [*_WHOLE] if any(column.kind in _WHOLE for column in columns) else [ColumnKind.TEXT]
        bounds = [b for b in (node.gt, node.gte, node.lt, node.lte) if b is not None]
        if not bounds:
            return Constant(self._exists(node.field), node.boost)
        options = [
            (Occur.Should, query)
            for column in columns
            if column.kind in kinds
            and all(self._fields.may_hold(column, bound) for bound in bounds)
            and (query := range_query(self._schema, column, node)) is not None
        ]
        if not options:
            self._fields.refuse_mismatch(node.field, columns, bounds[0])
            return _NOTHING
        return Constant(Query.boolean_query(options, 1), node.boost)

    def _pattern(
        self,
        node: asked.Prefix | asked.Wildcard | asked.Regexp | asked.MatchPhrasePrefix,
        pattern: str,
    ) -> Resolved:
        columns = self._fields.of_kind(node.field, (ColumnKind.KEYWORD,)) or self._fields.of_kind(
            node.field, (ColumnKind.TEXT,)
        )
        if not columns:
            if node.field in self._layout.schema.paths and self._layout.by_path.get(node.field):
                raise InvalidQuery(
                    f"field {node.field!r} holds no strings to match a pattern with",
                    hint="use term or range on numbers, dates and addresses",
                    path=node.field,
                )
            return _NOTHING
        try:
            return Constant(self._regex(columns[0].name, pattern), node.boost)
        except ValueError as error:
            raise InvalidQuery(
                f"the pattern for {node.field!r} cannot be used: {error}",
                hint="a pattern matches the whole value, without ^ and $; simplify large ones",
                path=node.field,
            ) from error

    def _regex(self, column: str, pattern: str) -> Query:
        return Query.regex_query(self._schema, column, pattern)

    def _fuzzy(self, node: asked.Fuzzy) -> Resolved:
        columns = self._fields.of_kind(node.field, (ColumnKind.TEXT,)) or self._fields.of_kind(
            node.field, (ColumnKind.KEYWORD,)
        )
        if not columns:
            self._fields.refuse_mismatch(
                node.field, self._layout.by_path.get(node.field, ()), node.value
            )
            return _NOTHING
        column = columns[0]
        edits = edits_of(node.fuzziness, node.value)
        if node.prefix_length:
            options = patterns.near(
                node.value,
                node.prefix_length,
                edits,
                transpositions=node.transpositions,
                path=node.field,
            )
            near = Query.boolean_query(
                [(Occur.Should, self._regex(column.name, option)) for option in options]
            )
        else:
            near = self._near.query(
                column.name,
                node.value,
                edits,
                transpositions=node.transpositions,
                path=node.field,
            )
        return Constant(near, node.boost)

    def _exists(self, path: str) -> Query:
        options: list[Query] = []
        for column in self._layout.columns:
            if column.path != path and not column.path.startswith(f"{path}."):
                continue
            if column.kind is ColumnKind.TEXT:
                options.append(Query.term_query(self._schema, PRESENT, column.path))
                continue
            if column.kind is ColumnKind.IP_ORDER:
                continue
            options.append(Query.exists_query(column.name))
            if column.kind is ColumnKind.KEYWORD and not self._layout.column(
                column.path, ColumnKind.TEXT
            ):
                # Too long a value is not in the keyword column.
                options.append(Query.term_query(self._schema, PRESENT, column.path))
        if not options:
            self._fields.columns(path)
            return Query.empty_query()
        return Query.boolean_query([(Occur.Should, option) for option in options], 1)

    def _ids(self, node: asked.Ids) -> Resolved:
        texts = [self._key_text(value) for value in node.values]
        if not texts:
            return _NOTHING
        return Constant(Query.term_set_query(self._schema, KEY, texts), node.boost)

    # Combinations

    def _bool(self, node: asked.Bool) -> Resolved:
        must, should = self._worded(node.must), self._worded(node.should)
        clauses: list[tuple[Occur, Resolved]] = [(Occur.Must, each) for each in must]
        clauses += [(Occur.Must, Constant(self._filter(each), 0.0)) for each in node.filter]
        optional = [(Occur.Should, each) for each in should]
        if not (clauses or optional) and (node.must or node.should):
            return _WORDLESS
        minimum = 0
        if optional:
            spec = node.minimum_should_match
            unsaid = 0 if clauses else 1
            minimum = unsaid if spec is None else minimum_needed(spec, len(optional))
            clauses += optional
        if minimum == 0 and not any(occur == Occur.Must for occur, _ in clauses):
            # Nothing is required, so every document matches unless it is excluded.
            clauses.append((Occur.Must, Constant(Query.all_query(), 0.0 if clauses else 1.0)))
        clauses += [(Occur.MustNot, Constant(self._filter(each), 0.0)) for each in node.must_not]
        return Combined(tuple(clauses), minimum, node.boost)

    def _worded(self, nodes: tuple[asked.Query, ...]) -> list[Resolved]:
        resolved = [self.resolve(each) for each in nodes]
        return [each for each in resolved if each is not _WORDLESS]

    def _lenient(self, node: asked.Lenient) -> Resolved:
        self._fields.is_typed_by_hand = True
        try:
            return self.resolve(node.query)
        except InvalidQuery as error:
            self.notes.append(error.message)
            return _NOTHING
        finally:
            self._fields.is_typed_by_hand = False

    def _dis_max(self, node: asked.DisMax) -> Resolved:
        options = tuple(self.resolve(each) for each in node.queries)
        return Best(options, node.tie_breaker, node.boost) if options else _NOTHING


def _exactly(value: asked.Value) -> tuple[type, asked.Value]:
    """A value that is told apart from others that only compare equal: True, 1 and 1.0."""
    return type(value), value


def _source(column: Column) -> str:
    return f"{column.kind}:{column.path}"
