"""Words of a query against a layout: the text columns they are looked for in, and their terms.

A field without words is asked for the whole value instead. Whether an analyzer leaves nothing of a
text is noted, not an error.
"""

from tantivy import Occur, Query

from indexing import patterns
from indexing import query as asked
from indexing.analysis import Analyzer
from indexing.fields import Fields
from indexing.layout import Column, ColumnKind, Layout
from indexing.minimum import minimum_needed
from indexing.near import NearWords, edits_of
from indexing.resolve_whole import WholeValues, regex
from indexing.resolved import NOTHING, Best, Combined, Constant, Resolved, Scored, source_of

WORDLESS = Constant(Query.empty_query(), 0.0)
"""Text without a word that is indexed: nothing by itself, and neutral beside other clauses."""


class Words:
    """Resolves the nodes that look for words; what a person should know goes to the notes."""

    def __init__(self, layout: Layout, fields: Fields, whole: WholeValues) -> None:
        self._layout = layout
        self._schema = layout.tantivy_schema
        self._fields = fields
        self._whole = whole
        self._near = NearWords(self._schema)
        self._notes = fields.notes

    def _analyzer(self, column: Column) -> Analyzer:
        return self._layout.analyzers[column.analyzer]

    def match(self, node: asked.Match) -> Resolved:
        """Words of a field, some or all of them; in a field of whole values, the value."""
        texts = self._fields.of_kind(node.field, (ColumnKind.TEXT,))
        if not texts:
            return self._whole.term(asked.Term(node.field, node.text, node.boost))
        column = texts[0]
        counts: dict[str, int] = {}
        for term in self._analyzer(column).terms(node.text):
            counts[term] = counts.get(term, 0) + 1
        clauses = [
            self._word(column, term, node.fuzziness, float(count)) for term, count in counts.items()
        ]
        if not clauses:
            self._notes.append(f"{node.text!r} holds no word that is indexed")
            return NOTHING
        if node.operator == "and":
            return Combined(tuple((Occur.Must, each) for each in clauses), boost=node.boost)
        minimum = max(1, minimum_needed(node.minimum_should_match, len(clauses)))
        return Combined(tuple((Occur.Should, each) for each in clauses), minimum, node.boost)

    def _word(self, column: Column, term: str, fuzziness: int | str, boost: float) -> Resolved:
        exact = Scored(column.name, source_of(column), ((0, term),), boost=boost)
        edits = edits_of(fuzziness, term)
        if edits == 0:
            return exact
        near = self._near.query(column.name, term, edits, path=column.path)
        # An exact occurrence must outrank every near one, so both count.
        return Combined(((Occur.Must, Constant(near, boost)), (Occur.Should, exact)))

    def match_phrase(self, node: asked.MatchPhrase) -> Resolved:
        """Words that follow each other."""
        texts = self._fields.of_kind(node.field, (ColumnKind.TEXT,))
        if not texts:
            return self._whole.term(asked.Term(node.field, node.text, node.boost))
        column = texts[0]
        phrase = self._phrase(
            column.name, source_of(column), self._analyzer(column), node.text, node.slop
        )
        return NOTHING if phrase is None else Combined(((Occur.Must, phrase),), boost=node.boost)

    def _phrase(
        self, column: str, source: str, analyzer: Analyzer, text: str, slop: int = 0
    ) -> Resolved | None:
        if not analyzer.ordered:
            terms = dict.fromkeys(analyzer.terms(text))
            words = [Scored(column, source, ((0, term),)) for term in terms]
            return Combined(tuple((Occur.Must, word) for word in words)) if words else None
        positions = analyzer.positions(text)
        return Scored(column, source, positions, slop) if positions else None

    def match_phrase_prefix(self, node: asked.MatchPhrasePrefix) -> Resolved:
        """Words that follow each other, the last of them begun."""
        texts = self._fields.of_kind(node.field, (ColumnKind.TEXT,))
        if not texts:
            return self._whole.pattern(node, patterns.prefix(node.text))
        column = texts[0]
        query = self._phrase_prefix(column.name, self._analyzer(column), node.text)
        return NOTHING if query is None else Constant(query, node.boost)

    def _phrase_prefix(self, column: str, analyzer: Analyzer, text: str) -> Query | None:
        positions = analyzer.positions(text)
        if not positions:
            return None
        *whole, (last, beginning) = positions
        words = [(place, patterns.literal(term)) for place, term in whole]
        if not words:
            return regex(self._schema, column, patterns.prefix(beginning))
        return Query.regex_phrase_query(
            self._schema, column, [*words, (last, patterns.prefix(beginning))]
        )

    def any_text(self, node: asked.AnyText) -> Resolved:
        """Words that follow each other in any field."""
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
                self._notes.append(f"{node.text!r} holds no word that is indexed")
            return WORDLESS
        boost = node.boost * node.count
        if len(options) > 1:
            return Best(tuple(options), boost=boost)
        return options[0] if boost == 1.0 else Combined(((Occur.Must, options[0]),), boost=boost)

    def fuzzy(self, node: asked.Fuzzy) -> Resolved:
        """A word, or a whole value, within some edits."""
        columns = self._fields.of_kind(node.field, (ColumnKind.TEXT,)) or self._fields.of_kind(
            node.field, (ColumnKind.KEYWORD,)
        )
        if not columns:
            self._fields.refuse_mismatch(
                node.field, self._layout.by_path.get(node.field, ()), node.value
            )
            return NOTHING
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
                [(Occur.Should, regex(self._schema, column.name, option)) for option in options]
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
