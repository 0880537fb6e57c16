"""A collection: its documents by key, the searches over them, and the care of its shards.

Safe to use from many threads. Typed by what its documents are: the pydantic model, or dict.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from docstore import changes, check
from docstore.by_key import ByKey
from docstore.deleting import delete_found
from docstore.documents import DocumentCodec
from docstore.global_index.indexes import GlobalIndexes
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.observed import hot_keys
from docstore.hot_keys.observed_terms import hot_terms
from docstore.hot_keys.proposing import HotKey
from docstore.live_map import LiveMap
from docstore.map_changes import resharding, spreading
from docstore.partitions import Partitions
from docstore.queries import answering
from docstore.queries.asking import asking_of
from docstore.queries.completing import complete
from docstore.queries.counting import Counting
from docstore.queries.execute import Deadline
from docstore.queries.marking import Marking
from docstore.queries.request import Page, Request, check_unplanned, request_of
from docstore.queries.resembling import more_like
from docstore.types import (
    Change,
    DeleteResult,
    Freshness,
    Key,
    PartitionChange,
    Plan,
    Position,
    SearchResult,
    Violation,
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


class Collection(ByKey[D]):
    """Documents of one kind. `D` is the model given at creation or opening, else dict."""

    def __init__(self, live: LiveMap, codec: DocumentCodec[D]) -> None:
        super().__init__(live, codec)
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
        True or a list of fields. A `partial` search that is not done after `timeout` seconds
        answers with what it has; `missing` and `uncounted` say what it lacks. `index` is "auto"
        (the cheapest way answers, a global index too), an index's name, or None for none;
        `max_fanout` bounds how many shards and index partitions may be asked. Raises InvalidQuery,
        DeadlineExceeded.
        """
        self._note({"q": q, "filter": filter, "query": query, "sort": sort, "limit": limit})
        page = Page.of(offset, limit, select)
        counting = Counting.parse(facets, histograms)
        until = Deadline.after(timeout, is_partial=partial)
        how = asking_of(index, max_fanout)

        def found(of: Partitions, request: Request) -> SearchResult[D]:
            marking = Marking.parse(highlight, self._layout, request.narrowed)
            return answering.search(of, self._codec, request, page, counting, marking, until, how)

        return self._ask(found, q, filter, query, sort, freshness, after, operator)

    def _note(self, question: dict[str, Any]) -> None:
        recording = self._live.recorder.into
        if recording is not None:
            recording.asked(self._live.current.definition, "search", question)

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
        self._note({"q": q, "filter": filter, "query": query, "limit": 0})
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

    def delete_by_query(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002
        query: dict[str, Any] | Query | None = None,
        operator: str | None = None,
        max_documents: int | None = None,
    ) -> DeleteResult:
        """Delete the documents that match, all of them or up to `max_documents`, in batches.

        Sees every write acknowledged before; a document that is written meanwhile is found again or
        stays. Raises InvalidQuery, also when nothing says which documents.
        """
        question = {"q": q, "filter": filter, "query": query, "operator": operator}
        return delete_found(self.as_bytes(), question, max_documents)

    def complete(
        self,
        prefix: str,
        field: str | Iterable[str] | None = None,
        *,
        limit: int = 10,
        filter: dict[str, Any] | None = None,  # noqa: A002
        freshness: Freshness | Position | Iterable[Position] = "current",
        timeout: float | None = None,
    ) -> list[Completion]:
        """What a person may be typing: values and words that begin so, of most documents first.

        Case and accents do not matter. With `field` (one or several), its whole values and its
        words; without, words of any field. Words follow what was typed before the last one.
        Raises InvalidQuery, and DeadlineExceeded after `timeout` seconds.
        """
        until = Deadline.after(timeout, is_partial=False)
        question = (None, filter, None, None, freshness, None, None)
        typed = prefix, field, limit, until
        return self._ask(lambda of, asked: complete(of, asked, *typed), *question)

    def more_like(
        self,
        key: Key,
        fields: Iterable[str] | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        filter: dict[str, Any] | None = None,  # noqa: A002
        freshness: Freshness | Position | Iterable[Position] = "current",
        timeout: float | None = None,
    ) -> SearchResult[D]:
        """Documents that share the most telling words and values with one, never itself.

        Compares all fields with text but the key, or some. Raises NotFound, InvalidQuery, and
        DeadlineExceeded after `timeout` seconds.
        """
        page, until = Page(offset, limit, None), Deadline.after(timeout, is_partial=False)
        likened = self._encoded(key)
        asked = (self._codec, self._layout, likened, fields, filter, page, freshness, until)
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
        """Documents, bytes, log and index of the collection and of each partition; its `salts`."""
        spread = self._live.ask(spreading.salted)
        salts = [{"key": key, "fan": fan} for key, fan in spread.items()]
        return {**self._live.stats(), "salts": salts}

    def hot_keys(self, limit: int = 10) -> list[HotKey]:
        """The partition keys read and written most of late, each with what to do about it."""
        return self._live.ask(lambda partitions: hot_keys(partitions, limit))

    def hot_terms(self, limit: int = 10) -> list[HotTerm]:
        """The values of global indexes with most documents or traffic, with what to do."""
        return hot_terms(self.indexes, self.name, limit)

    def split(self, partition: int, at: Key | None = None) -> PartitionChange:
        """Cut a partition in two at its median, or `at` a key or a token; returns when done.

        Reads and writes go on. Raises InvalidRequest, NotFound, Unavailable.
        """
        return resharding.split(self._live, partition, at)

    def auto_split(self) -> AutoSplit | None:
        """When its partitions are split and merged unasked; None: never."""
        return self._live.growing.limits

    def set_auto_split(self, limits: AutoSplit | bool) -> None:
        """Have other limits from now on; True are the default ones, False is never."""
        self._live.set_auto_split(AutoSplit.of(limits))

    def merge(self, left: int, right: int) -> PartitionChange:
        """Make one partition of two neighbours, given in any order, like `split`."""
        return resharding.merge(self._live, left, right)

    def salt(self, key: Key, fan: int) -> PartitionChange:
        """Spread a partition key's documents over `fan` places, like `split`; 1 gathers them.

        `key` is the value of the first part of keys, alone or as a tuple or list of one.
        """
        return spreading.salt(self._live, key, fan)
