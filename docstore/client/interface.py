"""What embedded and remote collections have in common, for programs that take either."""

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, overload

from pydantic import BaseModel

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.term_moving import TermChange
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.key_ranges import Range
from docstore.keys import Key as KeyFields
from docstore.operations import Delete, Put
from docstore.partitioning import Hash
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
M = TypeVar("M", bound=BaseModel)


class IndexesLike(Protocol):
    """The global indexes of a collection, wherever it is. The methods are those of `indexes`."""

    # What each method does, `GlobalIndexes` says.
    # ruff: noqa: D102

    def __iter__(self) -> Iterator[GlobalIndex]: ...
    def __len__(self) -> int: ...
    def create(self, index: GlobalIndex) -> None: ...
    def drop(self, name: str) -> None: ...
    def rename(self, name: str, to: str) -> None:
        """Give an index another name; what it holds stays."""

    def rebuild(self, name: str) -> None: ...
    def check(self, only: str | None = None) -> Iterator[Violation]: ...
    def verify(self, documents_per_second: float | None) -> None: ...
    def salt(self, name: str, value: Any, fan: int) -> TermChange: ...
    def stats(self) -> list[dict[str, Any]]: ...


class CollectionLike(Protocol[D]):
    """Documents of one kind, wherever they are. The methods are those of `Collection`."""

    # What each method does, `Collection` says.
    # ruff: noqa: D102

    @property
    def indexes(self) -> IndexesLike: ...

    def put(
        self,
        document: D | dict[str, Any],
        key: Key | None = None,
        *,
        if_version: int | None = None,
        if_absent: bool = False,
        if_present: bool = False,
        op_id: str | None = None,
        if_seq: int | None = None,
    ) -> WriteResult: ...
    def patch(
        self,
        key: Key,
        patch: dict[str, Any],
        *,
        if_version: int | None = None,
        op_id: str | None = None,
    ) -> WriteResult: ...
    def delete(
        self,
        key: Key,
        *,
        if_version: int | None = None,
        if_present: bool = False,
        op_id: str | None = None,
        if_seq: int | None = None,
    ) -> WriteResult: ...
    def put_many(
        self, documents: Iterable[D | dict[str, Any]], *, if_absent: bool = False
    ) -> BatchResult: ...
    def delete_many(self, keys_to_delete: Iterable[Key]) -> BatchResult: ...
    def write_many(self, operations: Iterable[Put | Delete]) -> BatchResult: ...
    def get(self, key: Key) -> D | None: ...
    def fetch(self, key: Key) -> Document[D] | None: ...
    def get_many(self, wanted: Iterable[Key]) -> list[D | None]: ...
    def exists(self, key: Key) -> bool: ...
    def scan(
        self,
        start: Key | None = None,
        end: Key | None = None,
        *,
        prefix: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Document[D]]: ...
    def search(
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
    ) -> SearchResult[D]: ...
    def explain(
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
    ) -> Plan: ...
    def count(
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
    ) -> int: ...
    def delete_by_query(
        self,
        q: str | None = None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        query: dict[str, Any] | None = None,
        operator: str | None = None,
        max_documents: int | None = None,
    ) -> DeleteResult: ...
    def complete(
        self,
        prefix: str,
        field: str | Iterable[str] | None = None,
        *,
        limit: int = 10,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        freshness: Freshness | Position | Iterable[Position] = "current",
        timeout: float | None = None,
    ) -> list[Completion]: ...
    def more_like(
        self,
        key: Key,
        fields: Iterable[str] | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        filter: dict[str, Any] | None = None,  # noqa: A002  the word people know
        freshness: Freshness | Position | Iterable[Position] = "current",
        timeout: float | None = None,
    ) -> SearchResult[D]: ...
    def position(self) -> tuple[Position, ...]: ...
    def changes(
        self,
        after: Position | str | Iterable[Position | str] | None = None,
        limit: int | None = None,
    ) -> Iterator[Change[D]]: ...
    def refresh(self) -> None: ...
    def rebuild(self, partition: int | None = None) -> None: ...
    def check(self) -> Iterator[Violation]: ...
    def stats(self) -> dict[str, Any]: ...
    def hot_keys(self, limit: int = 10) -> list[HotKey]: ...
    def split(self, partition: int, at: Key | None = None) -> PartitionChange: ...
    def merge(self, left: int, right: int) -> PartitionChange: ...
    def salt(self, key: Key, fan: int) -> PartitionChange: ...
    def auto_split(self) -> AutoSplit | None: ...
    def set_auto_split(self, limits: AutoSplit | bool) -> None: ...
    def hot_terms(self, limit: int = 10) -> list[HotTerm]: ...


class StoreLike(Protocol):
    """A store, wherever it is. The methods are those of `Store`."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def close(self) -> None: ...
    def collections(self) -> list[str]: ...
    @overload
    def create_collection(
        self,
        name: str,
        schema: type[M],
        key: str | KeyFields | tuple[str, ...] = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> CollectionLike[M]: ...
    @overload
    def create_collection(
        self,
        name: str,
        schema: Schema | dict[str, Any] | None = ...,
        key: str | KeyFields | tuple[str, ...] = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> CollectionLike[dict[str, Any]]: ...
    @overload
    def collection(self, name: str, schema: type[M]) -> CollectionLike[M]: ...
    @overload
    def collection(self, name: str, schema: None = None) -> CollectionLike[dict[str, Any]]: ...
    def drop_collection(self, name: str) -> None: ...
    def hot_keys(self, limit: int = 10) -> list[HotKey]: ...
    def hot_terms(self, limit: int = 10) -> list[HotTerm]: ...
