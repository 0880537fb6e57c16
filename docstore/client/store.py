"""A store on a server, for callers that wait: its collections, and the connection to it."""

from types import TracebackType
from typing import Any, Self, TypeVar, overload

from pydantic import BaseModel

from docstore.client import store_calls
from docstore.client.collection import RemoteCollection
from docstore.client.sending import Sender
from docstore.client.store_calls import HASH
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.key_ranges import Range
from docstore.keys import Key
from docstore.partitioning import Hash
from indexing.schema import Schema

M = TypeVar("M", bound=BaseModel)


class RemoteStore:
    """The collections of a server; close it, or use it as a context manager."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        self._sender.close()

    def collections(self) -> list[str]:
        """The names of all collections the API key may see, sorted."""
        return self._sender.send(store_calls.collections())

    @overload
    def create_collection(
        self,
        name: str,
        schema: type[M],
        key: str | Key | tuple[str, ...] = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> RemoteCollection[M]: ...

    @overload
    def create_collection(
        self,
        name: str,
        schema: Schema | dict[str, Any] | None = ...,
        key: str | Key | tuple[str, ...] = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> RemoteCollection[dict[str, Any]]: ...

    def create_collection(
        self,
        name: str,
        schema: type[BaseModel] | Schema | dict[str, Any] | None = None,
        key: str | Key | tuple[str, ...] = "id",
        partitions: int | None = None,
        partitioning: Hash | Range = HASH,
        *,
        auto_split: AutoSplit | bool = True,
        exist_ok: bool = False,
    ) -> RemoteCollection[Any]:
        """Make a collection; as `Store.create_collection`."""
        calls = self._sender.send(
            store_calls.create(
                name, schema, key, partitions, partitioning, auto_split, exist_ok=exist_ok
            )
        )
        return RemoteCollection(self._sender, calls)

    @overload
    def collection(self, name: str, schema: type[M]) -> RemoteCollection[M]: ...

    @overload
    def collection(self, name: str, schema: None = None) -> RemoteCollection[dict[str, Any]]: ...

    def collection(self, name: str, schema: type[BaseModel] | None = None) -> RemoteCollection[Any]:
        """An existing collection; with a model, its documents are instances of it."""
        calls = self._sender.send(store_calls.describe(name, schema))
        return RemoteCollection(self._sender, calls)

    def drop_collection(self, name: str) -> None:
        """Remove a collection with all its documents."""
        self._sender.send(store_calls.drop(name))

    def hot_keys(self, limit: int = 10) -> list[HotKey]:
        """The partition keys of all collections with most of the traffic, hot ones first."""
        return self._sender.send(store_calls.hot_keys(limit))

    def hot_terms(self, limit: int = 10) -> list[HotTerm]:
        """The values of global indexes with most documents or traffic, of all collections."""
        return self._sender.send(store_calls.hot_terms(limit))
