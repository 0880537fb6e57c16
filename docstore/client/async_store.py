"""A store on a server, for an event loop: its collections, and the connection to it."""

from types import TracebackType
from typing import Any, Self, TypeVar, overload

from pydantic import BaseModel

from docstore.client import store_calls
from docstore.client.async_collection import AsyncCollection
from docstore.client.sending import AsyncSender
from docstore.client.store_calls import HASH
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.key_ranges import Range
from docstore.keys import Key
from docstore.partitioning import Hash
from indexing.schema import Schema

M = TypeVar("M", bound=BaseModel)


class AsyncStore:
    """The collections of a server; close it, or use it as a context manager."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        await self._sender.close()

    async def collections(self) -> list[str]:
        """The names of all collections the API key may see, sorted."""
        return await self._sender.send(store_calls.collections())

    @overload
    async def create_collection(
        self,
        name: str,
        schema: type[M],
        key: str | Key | tuple[str, ...] = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> AsyncCollection[M]: ...

    @overload
    async def create_collection(
        self,
        name: str,
        schema: Schema | dict[str, Any] | None = ...,
        key: str | Key | tuple[str, ...] = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> AsyncCollection[dict[str, Any]]: ...

    async def create_collection(
        self,
        name: str,
        schema: type[BaseModel] | Schema | dict[str, Any] | None = None,
        key: str | Key | tuple[str, ...] = "id",
        partitions: int | None = None,
        partitioning: Hash | Range = HASH,
        *,
        auto_split: AutoSplit | bool = True,
        exist_ok: bool = False,
    ) -> AsyncCollection[Any]:
        """Make a collection; as `Store.create_collection`."""
        calls = await self._sender.send(
            store_calls.create(
                name, schema, key, partitions, partitioning, auto_split, exist_ok=exist_ok
            )
        )
        return AsyncCollection(self._sender, calls)

    @overload
    async def collection(self, name: str, schema: type[M]) -> AsyncCollection[M]: ...

    @overload
    async def collection(
        self, name: str, schema: None = None
    ) -> AsyncCollection[dict[str, Any]]: ...

    async def collection(
        self, name: str, schema: type[BaseModel] | None = None
    ) -> AsyncCollection[Any]:
        """An existing collection; with a model, its documents are instances of it."""
        calls = await self._sender.send(store_calls.describe(name, schema))
        return AsyncCollection(self._sender, calls)

    async def drop_collection(self, name: str) -> None:
        """Remove a collection with all its documents."""
        await self._sender.send(store_calls.drop(name))

    async def hot_keys(self, limit: int = 10) -> list[HotKey]:
        """The partition keys of all collections with most of the traffic, hot ones first."""
        return await self._sender.send(store_calls.hot_keys(limit))

    async def hot_terms(self, limit: int = 10) -> list[HotTerm]:
        """The values of global indexes with most documents or traffic, of all collections."""
        return await self._sender.send(store_calls.hot_terms(limit))
