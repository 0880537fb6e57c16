"""Whole values of a query against a layout: the typed columns that can hold them, and their terms.

A value goes to every column of its field that can hold it; what none can hold is refused where the
schema declares the field, and found nowhere where documents may hold anything.
"""

from collections.abc import Callable
from typing import Any

import tantivy
from tantivy import Occur, Query

from indexing import query as asked
from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import KEY, PRESENT, Column, ColumnKind, Layout
from indexing.resolved import NOTHING, Combined, Constant, Resolved, Scored, built, source_of
from indexing.typed import check_length, network_range, range_query

_WHOLE = (
    ColumnKind.KEYWORD,
    ColumnKind.INT,
    ColumnKind.FLOAT,
    ColumnKind.BOOL,
    ColumnKind.DATETIME,
    ColumnKind.IP,
)


def regex(schema: tantivy.Schema, column: str, pattern: str) -> Query:
    """What a regular expression matches, from a term's beginning to its end."""
    return Query.regex_query(schema, column, pattern)


class WholeValues:
    """Resolves the nodes that look for whole values."""

    def __init__(self, layout: Layout, fields: Fields, key_text: Callable[[Any], str]) -> None:
        self._layout = layout
        self._schema = layout.tantivy_schema
        self._fields = fields
        self._key_text = key_text

    def term(self, node: asked.Term) -> Resolved:
        """One value; text without whole values may hold it as a word."""
        columns = self._fields.columns(node.field)
        options = [
            option for column in columns if (option := self._equal(column, node.value)) is not None
        ]
        words = [column for column in columns if column.kind is ColumnKind.TEXT]
        if not options and words and isinstance(node.value, str):
            options = [Scored(words[0].name, source_of(words[0]), ((0, node.value),))]
        if not options:
            self._fields.refuse_mismatch(node.field, columns, node.value)
            return NOTHING
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
            return Scored(column.name, source_of(column), ((0, typed),))
        return Constant(Query.term_query(self._schema, column.name, typed))

    def terms(self, node: asked.Terms) -> Resolved:
        """Any of some values."""
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
            options.append(
                (Occur.Should, built(self.term(asked.Term(node.field, value)), self._schema))
            )
        if not options:
            return NOTHING
        return Constant(Query.boolean_query(options, 1), node.boost)

    def _any_of(self, column: Column, values: list[Any]) -> Query:
        for value in values:
            if isinstance(value, str):
                check_length(column, value)
        return Query.term_set_query(self._schema, column.name, values)

    def range(self, node: asked.Range) -> Resolved:
        """Values between bounds."""
        columns = self._fields.columns(node.field)
        kinds = [*_WHOLE] if any(column.kind in _WHOLE for column in columns) else [ColumnKind.TEXT]
        bounds = [b for b in (node.gt, node.gte, node.lt, node.lte) if b is not None]
        if not bounds:
            return Constant(self.exists(node.field), node.boost)
        options = [
            (Occur.Should, query)
            for column in columns
            if column.kind in kinds
            and all(self._fields.may_hold(column, bound) for bound in bounds)
            and (query := range_query(self._schema, column, node)) is not None
        ]
        if not options:
            self._fields.refuse_mismatch(node.field, columns, bounds[0])
            return NOTHING
        return Constant(Query.boolean_query(options, 1), node.boost)

    def pattern(
        self,
        node: asked.Prefix | asked.Wildcard | asked.Regexp | asked.MatchPhrasePrefix,
        pattern: str,
    ) -> Resolved:
        """Whole values, or words where a field has no others, that a regular expression matches."""
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
            return NOTHING
        try:
            return Constant(regex(self._schema, columns[0].name, pattern), node.boost)
        except ValueError as error:
            raise InvalidQuery(
                f"the pattern for {node.field!r} cannot be used: {error}",
                hint="a pattern matches the whole value, without ^ and $; simplify large ones",
                path=node.field,
            ) from error

    def exists(self, path: str) -> Query:
        """Documents that have a value under a path, of any kind."""
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

    def ids(self, node: asked.Ids) -> Resolved:
        """Documents by key."""
        texts = [self._key_text(value) for value in node.values]
        if not texts:
            return NOTHING
        return Constant(Query.term_set_query(self._schema, KEY, texts), node.boost)


def _exactly(value: asked.Value) -> tuple[type, asked.Value]:
    """A value that is told apart from others that only compare equal: True, 1 and 1.0."""
    return type(value), value
