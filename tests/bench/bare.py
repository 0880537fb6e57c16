"""Bare tantivy-py doing what the store does: the same columns, the document kept as stored text.

No log, no shards, no freshness, one commit at the end: what a program would write by hand.
"""

import shutil
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import tantivy
from tantivy import FieldType, Index, Occur, Order, Query

from indexing.layout import KEY, ColumnKind, Layout, tokenizer_name
from indexing.schema import Kind, Schema

WORDS = "all_standard"
BODY = "body"


class Bare:
    """An index of one directory, with the default writer: all cores, 128 MB."""

    def __init__(self, directory: Path, schema: Schema) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self._layout = Layout(schema)
        self._schema = _with_body(self._layout)
        self._index = Index(self._schema, str(directory))
        for name, analyzer in self._layout.analyzers.items():
            self._index.register_tokenizer(tokenizer_name(name), analyzer.index)
        self._searcher = self._index.searcher()

    def load(self, documents: list[dict[str, Any]]) -> float:
        """Index all documents, and return the seconds until they are committed and searchable."""
        strings, numbers = self._columns()
        began = time.perf_counter()
        writer = self._index.writer()
        for document in documents:
            writer.add_json(_line(document, strings, numbers))
        writer.commit()
        self._index.reload()
        seconds = time.perf_counter() - began
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        return seconds

    def _columns(self) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
        strings: dict[str, tuple[str, str]] = {}
        numbers: dict[str, str] = {}
        for path, leaf in self._layout.schema.leaves():
            columns = {column.kind: column.name for column in self._layout.by_path.get(path, ())}
            if leaf.kind is Kind.STRING:
                strings[path] = (columns[ColumnKind.TEXT], columns[ColumnKind.KEYWORD])
            elif leaf.kind is Kind.INT:
                numbers[path] = columns[ColumnKind.INT]
        return strings, numbers

    def _column(self, path: str, kind: ColumnKind) -> str:
        column = self._layout.column(path, kind)
        assert column is not None
        return column.name

    def _word(self, text: str) -> Query:
        return Query.term_query(self._schema, WORDS, text, "freq")

    def _phrase(self, *words: str) -> Query:
        return Query.phrase_query(self._schema, WORDS, list(words))

    def searches(self) -> dict[str, Callable[[], int]]:
        """The four kinds of search, each from building the query to ten decoded documents."""
        either = [(Occur.Should, self._word("ford")), (Occur.Should, self._phrase("f", "150"))]
        cheap_red = [
            (
                Occur.Must,
                Query.term_query(self._schema, self._column("color", ColumnKind.KEYWORD), "red"),
            ),
            (
                Occur.Must,
                Query.range_query(
                    self._schema,
                    self._column("price", ColumnKind.INT),
                    FieldType.Integer,
                    None,
                    19_999,
                ),
            ),
        ]
        price = self._column("price", ColumnKind.INT)
        return {
            "term": lambda: self._found(self._word("ford")),
            "two words": lambda: self._found(Query.boolean_query(either)),
            "filter + sort": lambda: self._found(Query.boolean_query(cheap_red), price),
            "phrase": lambda: self._found(self._phrase("grand", "cherokee")),
        }

    def _found(self, query: Query, sort: str | None = None) -> int:
        found = self._searcher.search(query, 10, True, sort, 0, Order.Asc if sort else Order.Desc)
        for _, address in found.hits:
            orjson.loads(self._searcher.doc(address)[BODY][0])
        return int(found.count)  # type: ignore[attr-defined]  # missing in Tantivy's stub


def _with_body(layout: Layout) -> tantivy.Schema:
    builder = layout.schema_builder()
    builder.add_bytes_field(BODY, stored=True)
    return builder.build()


def _line(
    document: dict[str, Any], strings: dict[str, tuple[str, str]], numbers: dict[str, str]
) -> str:
    line: dict[str, Any] = {KEY: document["id"], BODY: b64encode(orjson.dumps(document)).decode()}
    words = line[WORDS] = []
    for name, value in document.items():
        columns = strings.get(name)
        if columns is not None:
            line[columns[0]] = line[columns[1]] = value
            words.extend(value) if isinstance(value, list) else words.append(value)
        elif name in numbers:
            line[numbers[name]] = value
    return orjson.dumps(line).decode()
