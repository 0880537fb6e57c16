"""From the query as asked to the query against a layout: which node looks where, and combinations.

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
from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import Layout
from indexing.minimum import minimum_needed
from indexing.resolve_whole import WholeValues
from indexing.resolve_words import WORDLESS, Words
from indexing.resolved import NOTHING, Best, Combined, Constant, Resolved, built


class Resolver:
    """Resolves queries for one layout; `notes` collects what a person would want to know."""

    def __init__(self, layout: Layout, key_text: Callable[[Any], str]) -> None:
        self._schema = layout.tantivy_schema
        self._fields = Fields(layout)
        self.notes = self._fields.notes
        whole = WholeValues(layout, self._fields, key_text)
        words = Words(layout, self._fields, whole)
        self._handlers: dict[type, Callable[[Any], Resolved]] = {
            asked.MatchAll: lambda node: Constant(Query.all_query(), node.boost),
            asked.MatchNone: lambda _: NOTHING,
            asked.Match: words.match,
            asked.MatchPhrase: words.match_phrase,
            asked.MatchPhrasePrefix: words.match_phrase_prefix,
            asked.MultiMatch: self._multi_match,
            asked.AnyText: words.any_text,
            asked.Term: whole.term,
            asked.Terms: whole.terms,
            asked.Range: whole.range,
            asked.Prefix: lambda node: whole.pattern(node, patterns.prefix(node.value)),
            asked.Wildcard: lambda node: whole.pattern(node, patterns.wildcard(node.pattern)),
            asked.Regexp: lambda node: whole.pattern(
                node, patterns.checked_regexp(node.pattern, node.field)
            ),
            asked.Fuzzy: words.fuzzy,
            asked.Exists: lambda node: Constant(whole.exists(node.field), node.boost),
            asked.Ids: whole.ids,
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

    def _bool(self, node: asked.Bool) -> Resolved:
        must, should = self._worded(node.must), self._worded(node.should)
        clauses: list[tuple[Occur, Resolved]] = [(Occur.Must, each) for each in must]
        clauses += [(Occur.Must, Constant(self._filter(each), 0.0)) for each in node.filter]
        optional = [(Occur.Should, each) for each in should]
        if not (clauses or optional) and (node.must or node.should):
            return WORDLESS
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
        return [each for each in resolved if each is not WORDLESS]

    def _lenient(self, node: asked.Lenient) -> Resolved:
        self._fields.is_typed_by_hand = True
        try:
            return self.resolve(node.query)
        except InvalidQuery as error:
            self.notes.append(error.message)
            return NOTHING
        finally:
            self._fields.is_typed_by_hand = False

    def _dis_max(self, node: asked.DisMax) -> Resolved:
        options = tuple(self.resolve(each) for each in node.queries)
        return Best(options, node.tie_breaker, node.boost) if options else NOTHING
