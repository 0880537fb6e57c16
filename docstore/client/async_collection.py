"""A collection on a server, for an event loop; every method is the embedded collection's."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Generic, TypeVar

from docstore.client import batching
from docstore.client.calls import CollectionCalls
from docstore.client.indexes import AsyncIndexes
from docstore.client.sending import AsyncSender
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.operations import Delete, Put, several
from docstore.types import (
    BatchResult,
    Change,
    DeleteResult,
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
from indexing.passes import Sort
from indexing.schema import Schema

D = TypeVar("D")
E = TypeVar("E")


class AsyncCollection(Generic[D]):
    """Documents of one kind on a server. Every write is one operation, however often it is sent."""

    def __init__(self, sender: AsyncSender, calls: CollectionCalls[D]) -> None:
        self._sender = sender
        self._calls = calls

    @property
    def name(self) -> str:
        """The collection's name."""
        return self._calls.name

    @property
    def schema(self) -> Schema:
        """The schema its documents are checked and indexed by."""
        return self._calls.schema

    @property
    def indexes(self) -> AsyncIndexes:
        """The global indexes: create, drop, rebuild, see where they stand."""
        return AsyncIndexes(self._sender, self._calls.indexes)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that make the key."""
        return self._calls.spec.fields

    @property
    def key_is_typed(self) -> bool:
        """Whether keys are typed values or tuples of them; else they are strings."""
        return self._calls.spec.typed

    async def put(
        self,
        document: D | dict[str, Any],
        key: Key | None = None,
        *,
        if_version: int | None = None,
        if_absent: bool = False,
        if_present: bool = False,
        op_id: str | None = None,
        if_seq: int | None = None,
    ) -> WriteResult:
        """Store a document; as `Collection.put`."""
        asked = Put(document, key, if_version, if_absent, if_present, op_id, if_seq)
        return await self._sender.converse(batching.one(self._calls, asked))

    async def delete(
        self,
        key: Key,
        *,
        if_version: int | None = None,
        if_present: bool = False,
        op_id: str | None = None,
        if_seq: int | None = None,
    ) -> WriteResult:
        """Remove a document; as `Collection.delete`."""
        asked = Delete(key, if_version, if_present, op_id, if_seq)
        return await self._sender.converse(batching.one(self._calls, asked))

    async def patch(
        self,
        key: Key,
        patch: dict[str, Any],
        *,
        if_version: int | None = None,
        op_id: str | None = None,
    ) -> WriteResult:
        """Change some fields by a JSON merge patch; as `Collection.patch`."""
        talk = batching.patch(self._calls, key, patch, if_version, op_id)
        return await self._sender.converse(talk)

    async def put_many(
        self, documents: Iterable[D | dict[str, Any]], *, if_absent: bool = False
    ) -> BatchResult:
        """Store many documents in requests of bounded size; one result per document."""
        return await self.write_many(
            Put(each, if_absent=if_absent) for each in several(documents, "put_many")
        )

    async def delete_many(self, keys_to_delete: Iterable[Key]) -> BatchResult:
        """Remove many documents in requests of bounded size; one result per key."""
        return await self.write_many(Delete(key) for key in several(keys_to_delete, "delete_many"))

    async def write_many(self, operations: Iterable[Put | Delete]) -> BatchResult:
        """Carry out writes of any kind, each with its own conditions."""
        return await self._sender.converse(
            batching.write_many(self._calls, several(operations, "write_many"))
        )

    async def get(self, key: Key) -> D | None:
        """The document under a key, or None."""
        found = await self.fetch(key)
        return None if found is None else found.document

    async def fetch(self, key: Key) -> Document[D] | None:
        """The document under a key with its version, or None."""
        return await self._sender.send(self._calls.fetch(key))

    async def get_many(self, wanted: Iterable[Key]) -> list[D | None]:
        """The documents under some keys, in their order, None where there is none."""
        return await self._sender.converse(batching.get_many(self._calls, wanted))

    async def exists(self, key: Key) -> bool:
        """Whether there is a document under a key."""
        return await self.fetch(key) is not None

    def scan(
        self,
        start: Key | None = None,
        end: Key | None = None,
        *,
        prefix: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> AsyncIterator[Document[D]]:
        """Documents in key order, a page at a time as they are asked for."""
        given = start, end, prefix, limit
        return self._pages(batching.ScanPages(self._calls, *given, reverse=reverse))

    async def _pages(self, pages: batching.Pages[E]) -> AsyncIterator[E]:
        while pages.call is not None:
            for each in pages.take(await self._sender.send(pages.call)):
                yield each

    async def search(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        query: dict[str, Any] | None = None,
        sort: str | dict[str, Any] | Sort | None = None,
        limit: int = 10,
        offset: int = 0,
        select: Iterable[str] | None = None,
        freshness: Freshness | Position | Iterable[Position] = "current",
        after: Position | str | Iterable[Position | str] | None = None,
        operator: str | None = None,
        facets: str | Iterable[str] | Mapping[str, Any] | None = None,
        histograms: str | Iterable[str] | Mapping[str, Any] | None = None,
        highlight: bool | str | Iterable[str] | None = None,
        timeout: float | None = None,
        partial: bool = False,
        index: str | None = "auto",
        max_fanout: int | None = None,
    ) -> SearchResult[D]:
        """Find documents; takes what `Collection.search` takes, queries as JSON."""
        return await self._sender.send(
            self._calls.searches.search(
                q=q,
                filter=filter,
                query=query,
                sort=sort,
                limit=limit,
                offset=offset,
                select=select,
                freshness=freshness,
                after=after,
                operator=operator,
                facets=facets,
                histograms=histograms,
                highlight=highlight,
                timeout=timeout,
                partial=partial,
                index=index,
                max_fanout=max_fanout,
            )
        )

    async def count(
        self,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        query: dict[str, Any] | None = None,
        q: str | None = None,
        *,
        freshness: Freshness | Position | Iterable[Position] = "current",
        after: Position | str | Iterable[Position | str] | None = None,
        operator: str | None = None,
        index: str | None = "auto",
        max_fanout: int | None = None,
    ) -> int:
        """How many documents match; all of them when nothing is asked."""
        call = self._calls.searches.count(
            filter=filter,
            query=query,
            q=q,
            freshness=freshness,
            after=after,
            operator=operator,
            index=index,
            max_fanout=max_fanout,
        )
        return await self._sender.send(call)

    async def explain(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        query: dict[str, Any] | None = None,
        sort: str | dict[str, Any] | Sort | None = None,
        freshness: Freshness | Position | Iterable[Position] = "current",
        after: Position | str | Iterable[Position | str] | None = None,
        operator: str | None = None,
        index: str | None = "auto",
        max_fanout: int | None = None,
    ) -> Plan:
        """How a search would be answered."""
        return await self._sender.send(
            self._calls.searches.explain(
                q=q,
                filter=filter,
                query=query,
                sort=sort,
                freshness=freshness,
                after=after,
                operator=operator,
                index=index,
                max_fanout=max_fanout,
            )
        )

    async def delete_by_query(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        query: dict[str, Any] | None = None,
        operator: str | None = None,
        max_documents: int | None = None,
    ) -> DeleteResult:
        """Delete the documents that match in requests of bounded size."""
        question = {"q": q, "filter": filter, "query": query, "operator": operator}
        talk = batching.delete_by_query(self._calls, question, max_documents)
        return await self._sender.converse(talk)

    async def complete(
        self,
        prefix: str,
        field: str | Iterable[str] | None = None,
        *,
        limit: int = 10,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        freshness: Freshness | Position | Iterable[Position] = "current",
        timeout: float | None = None,
    ) -> list[Completion]:
        """What a person may be typing; as `Collection.complete`."""
        call = self._calls.searches.complete(
            prefix=prefix,
            field=field,
            limit=limit,
            filter=filter,
            freshness=freshness,
            timeout=timeout,
        )
        return await self._sender.send(call)

    async def more_like(
        self,
        key: Key,
        fields: Iterable[str] | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        freshness: Freshness | Position | Iterable[Position] = "current",
        timeout: float | None = None,
    ) -> SearchResult[D]:
        """Documents that share the most telling words and values with one."""
        call = self._calls.searches.more_like(
            key,
            fields=fields,
            limit=limit,
            offset=offset,
            filter=filter,
            freshness=freshness,
            timeout=timeout,
        )
        return await self._sender.send(call)

    async def position(self) -> tuple[Position, ...]:
        """Where every shard's log ends now."""
        return await self._sender.send(self._calls.position())

    def changes(
        self,
        after: Position | str | Iterable[Position | str] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Change[D]]:
        """The writes since some positions, a page at a time as they are asked for."""
        return self._pages(batching.ChangePages(self._calls, after, limit))

    async def refresh(self) -> None:
        """Make every acknowledged write searchable now."""
        await self._sender.send(self._calls.refresh())

    async def rebuild(self, partition: int | None = None) -> None:
        """Make the local index of one partition, or of all, again; waits however long it takes."""
        await self._sender.send(self._calls.rebuild(partition))

    async def check(self) -> AsyncIterator[Violation]:
        """Every broken invariant that can be seen, a thousand at most, told at the end."""
        for violation in await self._sender.send(self._calls.check()):
            yield violation

    async def stats(self) -> dict[str, Any]:
        """Documents, bytes, log and index of the collection and of each partition."""
        return await self._sender.send(self._calls.stats())

    async def hot_keys(self, limit: int = 10) -> list[HotKey]:
        """The partition keys read and written most of late, each with what to do about it."""
        return await self._sender.send(self._calls.hot_keys(limit))

    async def hot_terms(self, limit: int = 10) -> list[HotTerm]:
        """The values of global indexes with most documents or traffic, with what to do."""
        return await self._sender.send(self._calls.hot_terms(limit))

    async def split(self, partition: int, at: Key | None = None) -> PartitionChange:
        """Cut a partition in two; as `Collection.split`, however long it takes."""
        return await self._sender.converse(self._calls.partitions.split(partition, at))

    async def merge(self, left: int, right: int) -> PartitionChange:
        """Make one partition of two neighbours, like `split`."""
        return await self._sender.converse(self._calls.partitions.merge(left, right))

    async def salt(self, key: Key, fan: int) -> PartitionChange:
        """Spread a partition key's documents over `fan` places, like `split`; 1 gathers them."""
        return await self._sender.send(self._calls.partitions.salt(key, fan))

    async def auto_split(self) -> AutoSplit | None:
        """When its partitions are split and merged unasked; None: never."""
        return await self._sender.send(self._calls.partitions.auto_split())

    async def set_auto_split(self, limits: AutoSplit | bool) -> None:
        """Have other limits from now on; True are the default ones, False is never."""
        await self._sender.send(self._calls.partitions.set_auto_split(limits))
