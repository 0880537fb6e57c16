"""A collection: documents by key over its shards, and the searches over them.

A write goes to the shard that owns the key and is acknowledged when it is durable there. Safe to
use from many threads. Typed by what its documents are: the pydantic model, or dict.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from docstore import answering, changes, check, keys, resharding, spreading, writing
from docstore.answering import asking_of
from docstore.apply import Write, op_id_bytes
from docstore.completing import complete
from docstore.counting import Counting
from docstore.documents import DocumentCodec
from docstore.execute import Deadline
from docstore.global_index.indexes import GlobalIndexes
from docstore.hot_keys.observed import hot_keys
from docstore.hot_keys.proposing import HotKey
from docstore.live_map import LiveMap
from docstore.marking import Marking
from docstore.operations import Delete, Put, write_of
from docstore.partitions import Partitions
from docstore.patching import patch_one
from docstore.records import Record
from docstore.request import Page, Request, check_unplanned, request_of
from docstore.resembling import more_like
from docstore.scanning import scan
from docstore.shard import now_microseconds
from docstore.types import (
    BatchResult,
    Change,
    Document,
    Freshness,
    Key,
    PartitionChange,
    Plan,
    Position,
    SearchResult,
    Violation,
    WriteResult,
)
from indexing.counts import Completion
from indexing.layout import Layout
from indexing.passes import Sort
from indexing.query import Query
from indexing.schema import Schema

D = TypeVar("D")
T = TypeVar("T")

SortLike = str | dict[str, Any] | Sort
FacetsAsked = str | Iterable[str] | Mapping[str, Any]
HistogramsAsked = str | Iterable[str] | Mapping[str, Any]
After = Position | str | Iterable[Position | str]


class Collection(Generic[D]):
    """Documents of one kind. `D` is the model given at creation or opening, else dict."""

    def __init__(self, live: LiveMap, codec: DocumentCodec[D]) -> None:
        self._live = live
        self._codec = codec
        self._spec = live.current.definition.key
        self._layout = Layout(self.schema)

    @property
    def name(self) -> str:
        """The collection's name."""
        return self._live.current.definition.name

    @property
    def schema(self) -> Schema:
        """The schema its documents are checked and indexed by."""
        return self._live.current.definition.schema

    @property
    def partitions(self) -> Partitions:
        """The shards under the map of now; `ask` for what has to be of one map for longer."""
        return self._live.current

    def ask(self, question: Callable[[Partitions], T]) -> T:
        """The answer to what is asked of the shards under one map."""
        return self._live.ask(question)

    @property
    def indexes(self) -> GlobalIndexes:
        """The global indexes over all shards: create, drop, look up, rebuild."""
        return self._live.indexes

    def as_bytes(self) -> "Collection[bytes]":
        """The same collection with documents as the JSON bytes that are stored, not read."""
        return Collection(self._live, self._codec.as_bytes())

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that make the key."""
        return self._spec.fields

    @property
    def key_is_typed(self) -> bool:
        """Whether keys are typed values or tuples of them; else they are strings."""
        return self._spec.typed

    def put(
        self,
        document: D | dict[str, Any],
        key: Key | None = None,
        *,
        if_version: int | None = None,
        if_absent: bool = False,
        if_present: bool = False,
        op_id: str | None = None,
    ) -> WriteResult:
        """Store a document, replacing the one under its key; durable when it returns.

        The key is read from the document's key fields, or given, or generated (a UUIDv7 string).
        Raises InvalidDocument, VersionConflict when a condition fails, Unavailable. A retry with
        the same `op_id` writes nothing and returns the first answer.
        """
        at, operation = now_microseconds(), op_id_bytes(op_id)
        _, encoded, body = self._codec.encode(document, key, op_id)
        write = Write(encoded, body, at, if_version, if_absent, if_present, operation)
        return self._live.ask(lambda partitions: writing.one(partitions, write))

    def delete(
        self, key: Key, *, if_version: int | None = None, op_id: str | None = None
    ) -> WriteResult:
        """Remove a document; of a key that does not exist, does nothing (`deleted` is False)."""
        asked = Delete(key, if_version, op_id=op_id)
        write = write_of(asked, self._codec, self._encoded, now_microseconds())
        return self._live.ask(lambda partitions: writing.one(partitions, write))

    def patch(
        self,
        key: Key,
        patch: dict[str, Any],
        *,
        if_version: int | None = None,
        op_id: str | None = None,
    ) -> WriteResult:
        """Change some fields by a JSON merge patch (RFC 7396): null removes a field.

        Raises NotFound, InvalidDocument when the result is not valid or its key would change, and
        VersionConflict. Without `if_version`, a concurrent change is read and patched again.
        """
        return patch_one(self._live, self._codec, self._encoded(key), patch, if_version, op_id)

    def put_many(
        self, documents: Iterable[D | dict[str, Any]], *, if_absent: bool = False
    ) -> BatchResult:
        """Store many documents: one durable transaction per shard, one result per document.

        A document that is refused is reported in its place and stops nothing else.
        """
        at = now_microseconds()

        def write_of(document: D | dict[str, Any]) -> Write:
            _, encoded, body = self._codec.encode(document)
            return Write(encoded, body, at, None, if_absent)

        return writing.many(self._live, documents, write_of)

    def delete_many(self, keys_to_delete: Iterable[Key]) -> BatchResult:
        """Remove many documents: one durable transaction per shard, one result per key."""
        return self.write_many(map(Delete, keys_to_delete))

    def write_many(self, operations: Iterable[Put | Delete]) -> BatchResult:
        """Carry out writes of any kind, each with its own conditions, like one `put_many`."""
        at = now_microseconds()
        return writing.many(
            self._live,
            operations,
            lambda operation: write_of(operation, self._codec, self._encoded, at),
            lambda operation: operation.key,
        )

    def _encoded(self, key: Key) -> bytes:
        return keys.encode(self._spec, self._live.current.key_parts.key(key))

    def get(self, key: Key) -> D | None:
        """The document under a key, or None."""
        stored = self._record(self._encoded(key))
        return None if stored is None else self._codec.decode(stored.body)

    def fetch(self, key: Key) -> Document[D] | None:
        """The document under a key with its version, or None."""
        encoded = self._encoded(key)
        stored = self._record(encoded)
        return None if stored is None else self._document(encoded, stored)

    def _document(self, encoded: bytes, stored: Record) -> Document[D]:
        key = keys.decode(self._spec, encoded)
        return Document(key, stored.version, self._codec.decode(stored.body))

    def get_many(self, wanted: Iterable[Key]) -> list[D | None]:
        """The documents under some keys, in their order, None where there is none."""
        encoded = [self._encoded(key) for key in wanted]
        self._live.traffic.reads.note_all(encoded)
        found = self._live.ask(lambda partitions: partitions.read(encoded))
        return [None if stored is None else self._codec.decode(stored.body) for stored in found]

    def exists(self, key: Key) -> bool:
        """Whether there is a document under a key."""
        return self._record(self._encoded(key)) is not None

    def _record(self, encoded: bytes) -> Record | None:
        return self._live.record(encoded)

    def scan(
        self,
        start: Key | None = None,
        end: Key | None = None,
        *,
        prefix: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Document[D]]:
        """Documents in key order: start <= key < end, or all keys with a prefix.

        A compound key's leading parts are a prefix. A document written meanwhile may be in it.
        """
        pin = self._live.pin()
        for encoded, stored in scan(pin.value, start, end, prefix, limit, reverse=reverse):
            yield self._document(encoded, stored)

    def search(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        query: dict[str, Any] | Query | None = None,
        sort: SortLike | None = None,
        limit: int = 10,
        offset: int = 0,
        select: Iterable[str] | None = None,
        freshness: Freshness | Position | Iterable[Position] = "current",
        after: After | None = None,
        operator: str | None = None,
        facets: FacetsAsked | None = None,
        histograms: HistogramsAsked | None = None,
        highlight: bool | str | Iterable[str] | None = None,
        timeout: float | None = None,
        partial: bool = False,
        index: str | None = "auto",
        max_fanout: int | None = None,
    ) -> SearchResult[D]:
        """Find documents by free text, a short filter and a query; all given must hold.

        `sort` is a field ("price", "-price", "price:desc"); without it the best score comes first;
        equal ones are in key order. `total` is exact. `freshness` is "current" (sees every write
        acknowledged before), "any" (never waits), or `after` a position. `operator` says whether
        plain words of `q` are optional ("or", the default by score) or all required ("and", the
        default under a field sort, where nothing would put the better ones first).

        `facets` counts values, the most frequent first: `["make"]`, `{"make": 10}`. `histograms`
        counts numbers and dates: `{"price": 20}` or `{"price": {"interval": 1000, "min": 0, "max":
        50000}}`, `{"posted": {"interval": "month"}}`. Both count what matches, without the short
        filter's own conditions on the field, exactly, a document once per value. `highlight` is
        True or a list of fields. After `timeout` seconds, a `partial` search answers from the
        shards it has searched. `index` is "auto" (the cheapest way answers, a global index
        too), an index's name, or None for none; `max_fanout` bounds how many shards and index
        partitions may be asked. Raises InvalidQuery, DeadlineExceeded.
        """
        page = Page.of(offset, limit, select)
        counting = Counting.parse(facets, histograms)
        until = Deadline.after(timeout, is_partial=partial)
        how = asking_of(index, max_fanout)

        def found(of: Partitions, request: Request) -> SearchResult[D]:
            marking = Marking.parse(highlight, self._layout, request.narrowed)
            return answering.search(of, self._codec, request, page, counting, marking, until, how)

        return self._ask(found, q, filter, query, sort, freshness, after, operator)

    def _ask(self, run: Callable[[Partitions, Request], T], *question: Any) -> T:
        return self._live.ask(lambda of: run(of, request_of(of, *question)))

    def count(
        self,
        filter: dict[str, Any] | None = None,  # noqa: A002
        query: dict[str, Any] | Query | None = None,
        q: str | None = None,
        *,
        freshness: Freshness | Position | Iterable[Position] = "current",
        after: After | None = None,
        operator: str | None = None,
        index: str | None = "auto",
        max_fanout: int | None = None,
    ) -> int:
        """How many documents match; all of them when nothing is asked."""
        if q is None and filter is None and query is None:
            return self._live.ask(Partitions.count)
        count = partial(answering.count, asking=asking_of(index, max_fanout))
        return self._ask(count, q, filter, query, None, freshness, after, operator)

    def explain(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002
        query: dict[str, Any] | Query | None = None,
        sort: SortLike | None = None,
        freshness: Freshness | Position | Iterable[Position] = "current",
        after: After | None = None,
        operator: str | None = None,
        index: str | None = "auto",
        max_fanout: int | None = None,
        **page: Any,
    ) -> Plan:
        """How a search would be answered: the plan chosen, those rejected, prices, shards.

        Takes what `search` takes; paging and selection do not change a plan.
        """
        check_unplanned(page)
        explain = partial(answering.explain, asking=asking_of(index, max_fanout))
        return self._ask(explain, q, filter, query, sort, freshness, after, operator)

    def complete(
        self,
        prefix: str,
        field: str | Iterable[str] | None = None,
        *,
        limit: int = 10,
        filter: dict[str, Any] | None = None,  # noqa: A002
        freshness: Freshness | Position | Iterable[Position] = "current",
    ) -> list[Completion]:
        """What a person may be typing: values and words that begin so, of most documents first.

        Case and accents do not matter. With `field` (one or several), its whole values and its
        words; without, words of any field. Words follow what was typed before the last one.
        """
        question = (None, filter, None, None, freshness, None, None)
        return self._ask(lambda of, asked: complete(of, asked, prefix, field, limit), *question)

    def more_like(
        self,
        key: Key,
        fields: Iterable[str] | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        filter: dict[str, Any] | None = None,  # noqa: A002
        freshness: Freshness | Position | Iterable[Position] = "current",
    ) -> SearchResult[D]:
        """Documents that share the most telling words and values with one, never itself.

        Compares all fields with text but the key, or some. Raises NotFound, InvalidQuery.
        """
        page = Page(offset, limit, None)
        asked = (self._codec, self._layout, key, fields, filter, page, freshness)
        return self._live.ask(lambda partitions: more_like(partitions, *asked))

    def position(self) -> tuple[Position, ...]:
        """Where every shard's log ends now."""
        return self._live.ask(changes.position)

    def changes(self, after: After | None = None, limit: int | None = None) -> Iterator[Change[D]]:
        """The writes acknowledged since some positions, those of a document in their order.

        Ends where the logs ended when it began. Without `after`, from the first write on. Raises
        LogTrimmed when some of them are no longer in the log.
        """
        return changes.changes(self._live.pin(), self._codec, after, limit)

    def refresh(self) -> None:
        """Make every acknowledged write searchable now."""
        self._live.ask(lambda of: of.views(of.numbers, None, current=True))

    def rebuild(self, partition: int | None = None) -> None:
        """Make the local index of one partition, or of all, again from the documents."""
        self._live.ask(lambda partitions: partitions.rebuild(partition))

    def check(self) -> Iterator[Violation]:
        """Every broken invariant that can be seen: documents, log and index against each other."""
        return check.check_collection(self._live.pin())

    def stats(self) -> dict[str, Any]:
        """Documents, bytes, log and index of the collection and of each partition."""
        return self._live.stats()

    def hot_keys(self, limit: int = 10) -> list[HotKey]:
        """The partition keys read and written most of late, each with what to do about it."""
        return self._live.ask(lambda partitions: hot_keys(partitions, limit))

    def split(self, partition: int, at: Key | None = None) -> PartitionChange:
        """Cut a partition in two at its median, or `at` a key or a token; returns when done.

        Reads and writes go on. Raises InvalidRequest, NotFound, Unavailable.
        """
        return resharding.split(self._live, partition, at)

    def merge(self, left: int, right: int) -> PartitionChange:
        """Make one partition of two neighbours, like `split`."""
        return resharding.merge(self._live, left, right)

    def salt(self, key: Key, fan: int) -> PartitionChange:
        """Spread a partition key's documents over `fan` places, like `split`; 1 gathers them."""
        return spreading.salt(self._live, key, fan)
