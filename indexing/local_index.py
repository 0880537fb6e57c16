"""One shard's Tantivy index: opened, filled from changes, committed, searched.

Invariants: a document is in the index at most once, under its key; a commit is atomic, and its
number (`stamp`) only grows, so whoever records "commit n covers the log up to seq" can tell after
a crash whether the commit in effect covers more. Two threads must not fill one index at the same
time; searching needs no lock. The directory is derived data: it can be deleted and made again.
Only this room knows Tantivy; its errors and panics are translated here.
"""

import errno
import itertools
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import orjson
import tantivy
from tantivy import DocAddress, Order, Query

from indexing.errors import Corruption, DocstoreError, InvalidQuery, Unavailable
from indexing.layout import EVERY, EVERY_TERM, KEY, RANK, SEQ, Layout, tokenizer_name
from indexing.patterns import BOUND_CHARACTERS_MAX, above
from indexing.resolved import Frequencies, ScoredTerm
from indexing.schema import Schema
from indexing.writers import WriterBudget

_LAYOUT_FILE = "layout.json"
_META_FILE = "meta.json"
_FORMAT = 2
"""The number of this directory's form; it never changes meaning, a new form gets a new number."""


class Change(NamedTuple):
    """The latest state of one document: its line, as JSON or as values, or None when it is gone.

    `is_new` promises that the index holds nothing under this key, which saves looking for it.
    """

    key_text: str
    line: str | dict[str, Any] | None
    is_new: bool


Entry = tuple[Any, DocAddress]
"""A match: what it is ordered by (a score, or a sort column's value) and where it is."""


class Page(NamedTuple):
    """The first entries of a search in order, and how many match in all."""

    total: int
    entries: list[Entry]


FREQUENCIES_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was asked of one state of an index: document frequencies, average column lengths."""

    frequencies: dict[tuple[str, str], int] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)


_SERIALS = itertools.count()


class View:
    """One consistent state of an index, for as long as the object is kept.

    `serial` is its own in this process, to tell later whether a view is still the same.
    """

    __slots__ = ("_searcher", "_statistics", "layout", "serial")

    def __init__(self, searcher: tantivy.Searcher, layout: Layout) -> None:
        self._searcher = searcher
        self._statistics = Statistics()
        self.layout = layout
        self.serial = next(_SERIALS)

    @property
    def documents(self) -> int:
        """How many documents the state holds."""
        return self._searcher.num_docs

    def matches_of(self, column: str, term: str) -> int | None:
        """How many documents hold a term, known without a search unless some were deleted."""
        if self._frequency(EVERY, EVERY_TERM) != self.documents:
            return None
        return self._frequency(column, term)

    def frequencies(self, terms: Iterable[tuple[str, ScoredTerm]]) -> Frequencies:
        """The document frequency of each (column, logical term), as BM25 counts them here."""
        return Frequencies(
            self._frequency(EVERY, EVERY_TERM),
            {term: self._frequency(column, term[1]) for column, term in terms},
        )

    def _frequency(self, column: str, term: str) -> int:
        known = self._statistics.frequencies
        held = known.get((column, term))
        if held is None:
            if len(known) >= FREQUENCIES_KEPT:
                known.clear()
            with _READING:
                held = known[column, term] = self._searcher.doc_freq(column, term)
        return held

    def average_length(self, column: str, term: str) -> float | None:
        """The average number of terms in a column, as BM25 counts it here.

        Tantivy tells it only when it explains a score, so some document must hold the term, else it
        is None; what it said is kept for as long as the state is the same.
        """
        length = self._statistics.lengths.get(column)
        if length is None:
            query = Query.term_query(self.layout.tantivy_schema, column, term, "freq")
            best = self.top(query, 1, count=False).entries
            if not best:
                return None  # the frequency counted deleted documents
            with _READING:
                explained = orjson.loads(query.explain(self._searcher, best[0][1]).to_json())
            length = self._statistics.lengths[column] = _average_length(explained)
        return length

    def top(
        self,
        query: Query,
        limit: int,
        column: str | None = None,
        *,
        descending: bool = True,
        count: bool = True,
    ) -> Page:
        """The first `limit` matches by score, or by a column's value with missing ones last.

        Equal values come in no particular order: whoever pages must look at the whole tie.
        """
        order = Order.Desc if descending else Order.Asc
        with _READING:
            found = self._searcher.search(query, limit or 1, count, column, 0, order)
        entries: list[Entry] = found.hits if limit else []
        total: int = found.count if count else len(entries)  # type: ignore[attr-defined]  # missing in Tantivy's stub
        return Page(total, entries)

    def count(self, query: Query) -> int:
        """How many documents match."""
        return self.top(query, 0).total

    def aggregate(self, query: Query, aggregations: dict[str, Any]) -> dict[str, Any]:
        """The answers to some aggregations over the matches, by name, as Tantivy gives them."""
        with _READING:
            found: dict[str, Any] = self._searcher.aggregate(query, aggregations)
        return found

    def beginning(
        self, column: str, beginning: str, among: Query | None, limit: int | None
    ) -> list[tuple[str, int]]:
        """The first terms that begin so, in order, each with how many of the matches hold it.

        Without a query, deleted documents count too, and no posting is read.
        """
        with _READING:
            return self._searcher.terms_with_prefix(column, beginning, among, limit)

    def keys(self, addresses: Iterable[DocAddress]) -> list[str]:
        """The key texts of some matches."""
        doc = self._searcher.doc
        with _READING:
            return [str(doc(address).get_first(KEY)) for address in addresses]

    def ranks(self, addresses: list[DocAddress]) -> list[int]:
        """The rank of each match: the first bytes of its key, as a number."""
        with _READING:
            return [int(rank or 0) for rank in self._searcher.fast_field_values(RANK, addresses)]

    def seqs(self, addresses: list[DocAddress]) -> list[int]:
        """The seq of the state that each match was indexed from."""
        with _READING:
            return [int(seq or 0) for seq in self._searcher.fast_field_values(SEQ, addresses)]

    def everything(self, limit: int, after: str | None) -> Page:
        """The next documents in key order after a key text, to walk the whole index."""
        if after is None:
            return self.top(Query.all_query(), limit, KEY, descending=False, count=False)
        schema = self.layout.tantivy_schema
        # A long key is cut for the pattern, so keys up to it may come again and are dropped.
        bound = after[:BOUND_CHARACTERS_MAX]
        alternatives = above(bound, inclusive=bound != after, path=KEY)
        query = Query.boolean_query(
            [
                (tantivy.Occur.Should, Query.regex_query(schema, KEY, pattern))
                for pattern in alternatives
            ]
        )
        page = self.top(query, limit, KEY, descending=False, count=False)
        entries = [entry for entry in page.entries if entry[0] > after]
        if not entries and len(page.entries) == limit:
            return self.everything(limit * 2, after)
        return Page(len(entries), entries)


def _average_length(explained: dict[str, Any]) -> float:
    """Find avgdl in the explanation of a term's score."""
    for detail in explained.get("details", ()):
        if detail["description"].startswith("avgdl"):
            return float(detail["value"])
        found = _average_length(detail)
        if found:
            return found
    return 0.0


class Filling:
    """Changes that an index has taken but not committed; may be committed by another thread."""

    def __init__(self, directory: Path, writer: tantivy.IndexWriter, lent: ExitStack) -> None:
        self._directory = directory
        self._writer = writer
        self._lent = lent

    def commit(self) -> int:
        """Put the changes into effect as one; returns the commit's number.

        Call `reload` on the index to search the result.
        """
        with self._lent, translated(self._directory):
            try:
                return self._writer.commit()
            finally:
                del self._writer


class LocalIndex:
    """An index directory and its layout."""

    def __init__(self, directory: Path, layout: Layout, index: tantivy.Index) -> None:
        for name, analyzer in layout.analyzers.items():
            index.register_tokenizer(tokenizer_name(name), analyzer.index)
        index.config_reader("manual")
        self.directory = directory
        self.layout = layout
        self._index = index
        self._view = View(index.searcher(), layout)

    @classmethod
    def create(cls, directory: Path, layout: Layout) -> "LocalIndex":
        """Make an empty index; the directory must not exist."""
        with translated(directory):
            directory.mkdir(parents=True)
            form = {"format": _FORMAT, **layout.to_json()}
            (directory / _LAYOUT_FILE).write_bytes(orjson.dumps(form))
            return cls(directory, layout, tantivy.Index(layout.tantivy_schema, str(directory)))

    @classmethod
    def open(cls, directory: Path, schema: Schema) -> "LocalIndex":
        """Open an index; raises Corruption when it is damaged, missing or of another format."""
        with translated(directory):
            try:
                form = orjson.loads((directory / _LAYOUT_FILE).read_bytes())
                if form["format"] != _FORMAT:
                    raise Corruption(
                        f"index {directory.name} has format {form['format']}, not {_FORMAT}",
                        hint="rebuild the index",
                    )
                layout = Layout.from_json(schema, form)
            except (OSError, KeyError, TypeError, ValueError) as error:
                _check_files_left(error)
                raise Corruption(
                    f"the layout of index {directory.name} cannot be read: {error}",
                    hint="rebuild the index",
                ) from error
            return cls(directory, layout, tantivy.Index.open(str(directory)))

    @property
    def stamp(self) -> int:
        """The number of the commit in effect, which only grows; 0 before the first."""
        try:
            meta = orjson.loads((self.directory / _META_FILE).read_bytes())
            return int(meta["opstamp"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            _check_files_left(error)
            raise Corruption(
                f"the commit of index {self.directory.name} cannot be read: {error}",
                hint="rebuild the index",
            ) from error

    def fill(self, changes: Iterable[Change], budget: WriterBudget) -> "Filling":
        """Apply changes in order; nothing of it is in effect until the result is committed.

        On an error nothing of it ever is.
        """
        with ExitStack() as lent, translated(self.directory):
            writer = lent.enter_context(budget.lent(self._index))
            for key_text, line, is_new in changes:
                if not is_new:
                    writer.delete_documents_by_term(KEY, key_text)
                if isinstance(line, str):
                    writer.add_json(line)
                elif line is not None:
                    schema = self.layout.tantivy_schema
                    writer.add_document(tantivy.Document.from_dict(line, schema))
            return Filling(self.directory, writer, lent.pop_all())

    def reload(self) -> None:
        """Let new views see the commit in effect."""
        with translated(self.directory):
            self._index.reload()
            self._view = View(self._index.searcher(), self.layout)

    def view(self) -> View:
        """A consistent state: the commit in effect at the last `reload`."""
        return self._view

    def close(self, budget: WriterBudget) -> None:
        """Give up the writer, if one is open."""
        budget.forget(self._index)


def _check_files_left(error: Exception) -> None:
    """That no more files may be opened says nothing about the one at hand."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        raise Unavailable(
            "this process may not open more files",
            hint="raise its limit (ulimit -n)",
            retryable=True,
        ) from error


_DAMAGED = re.compile(r"corrupt|IO error|unexpected end|Failed to open|Deserialize", re.IGNORECASE)
"""How Tantivy says that a file is not what it wrote; other refusals are the query's fault."""
_NO_ROOM = re.compile(r"No space left|StorageFull|os error 28", re.IGNORECASE)

_BUSY = re.compile(r"LockBusy|writer was killed|Too many open files", re.IGNORECASE)
"""How Tantivy says that a writer ended early or could not begin, which damages nothing."""


class translated:  # noqa: N801  reads as what it does; a class, for it is entered ten times a search
    """A context that turns Tantivy's errors and Rust's panics into ours."""

    __slots__ = ("_directory",)

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raise our error instead of a foreign one."""
        if error is None or isinstance(error, DocstoreError):
            return
        ours = _ours(error, is_writing=self._directory is not None)
        if ours is not None:
            raise ours from error


_READING = translated()


def _ours(error: BaseException, *, is_writing: bool) -> DocstoreError | None:
    if isinstance(error, ValueError | OSError | RuntimeError):
        if _NO_ROOM.search(str(error)) or (
            isinstance(error, OSError) and error.errno == errno.ENOSPC
        ):
            return Unavailable(
                "the disk is full: the index cannot be written",
                hint="free some space; acknowledged documents are safe and will be indexed",
                retryable=True,
            )
        if _BUSY.search(str(error)):
            return Unavailable(
                f"the index cannot be written now: {error}",
                hint="is the disk full? acknowledged documents are safe and will be indexed",
                retryable=True,
            )
        if not is_writing and not _DAMAGED.search(str(error)):
            return InvalidQuery(f"the query cannot be run: {error}", hint="simplify the query")
        return Corruption(f"an index is damaged: {error}", hint="rebuild the index")
    if type(error).__name__ == "PanicException":
        return Corruption(f"the index engine failed: {error}", hint="rebuild the index")
    return None
