"""The store: a directory of collections, opened by one writing process or any number of readers.

Invariants: a collection exists with its whole definition or not at all; nothing acknowledged is
lost when a process dies; `close` leaves every index up to its log.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from pydantic import BaseModel

from docstore import files
from docstore.catalog import DEFINITION_FILE, SHARDS_DIRECTORY, Definition, check_name
from docstore.collection import Collection
from docstore.differing import check_model
from docstore.documents import DocumentCodec
from docstore.forks import INHERITED, forget_in_children
from docstore.global_index.definition import GlobalIndex
from docstore.growing.growth import Growth
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.key_ranges import Range
from docstore.live_map import LiveMap
from docstore.lock import WriterLock
from docstore.made_again import check_same, limits_differences
from docstore.making import made
from docstore.new_collection import (
    KeyLike,
    SchemaLike,
    check_key,
    first_map_of,
    key_spec_of,
    schema_from,
)
from docstore.partitioning import Hash
from docstore.recording import BYTES_MAX, Recording
from docstore.resources import Resources
from docstore.types import Violation
from indexing.errors import (
    AlreadyExists,
    Closed,
    Corruption,
    DocstoreError,
    NotFound,
    Unavailable,
)
from indexing.schema import Schema

STORE_FILE = "store.json"
_FORMAT = 1
"""The number of a store's directory layout; it never changes meaning."""
_HASH = Hash()
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Store:
    """Open one with `Store.open`. Safe to use from many threads; one process writes."""

    def __init__(self, path: Path, lock: WriterLock | None, *, auto_split: bool = False) -> None:
        self._path = path
        self._lock = lock
        self._resources = Resources.begin()
        self._live: dict[str, LiveMap] = {}
        self._dropping: set[str] = set()
        self._models: dict[str, type[BaseModel]] = {}
        self._opening = threading.Lock()
        self._growth = Growth(self._live.values, self.errors) if auto_split else None
        self._closed_because = ""
        forget_in_children(self)

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False, auto_split: bool = True) -> "Store":
        """Open the store in a directory, making it unless read-only.

        `auto_split` False: this process splits and merges nothing unasked, whatever a collection's
        limits.
        Raises Unavailable when another process writes it (naming the process) or the directory may
        not be used, NotFound when there is no store to read, Corruption for a newer format.
        """
        directory = _directory(path)
        about = directory / STORE_FILE
        if read_only:
            if not about.exists():
                raise NotFound(f"there is no store in {directory}", hint="check the path")
            files.check_format(about, files.read_json(about), _FORMAT)
            return cls(directory, None)
        files.make_directory(directory)
        lock = WriterLock(directory)
        try:
            if about.exists():
                files.check_format(about, files.read_json(about), _FORMAT)
            else:
                files.write_json(about, {"format": _FORMAT})
            files.remove_leftovers(directory)
        except BaseException:
            lock.release()
            raise
        return cls(directory, lock, auto_split=auto_split)

    @property
    def path(self) -> Path:
        """The store's directory."""
        return self._path

    @property
    def read_only(self) -> bool:
        """Whether this process only reads."""
        return self._lock is None

    @property
    def errors(self) -> dict[str, DocstoreError]:
        """What the store's threads raised last, by thread, until they succeed."""
        return self._resources.errors

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
        """Bring every index up to its log and close; calling it again does nothing.

        What one collection raises keeps nothing else open; the last of several errors is raised.
        """
        with self._opening:
            if self._closed_because:
                return
            self._closed_because = "the store is closed"
            lives = list(self._live.values())
        with ExitStack() as closing:
            # Backwards: another process may write once nothing is open here.
            if self._lock is not None:
                closing.callback(self._lock.release)
            closing.callback(self._resources.end)
            if self._growth is not None:
                closing.callback(self._growth.join)
            for live in lives:
                closing.callback(live.close)
            for live in lives:
                closing.callback(live.refuse)
            closing.callback(self._resources.background.stop)
            if self._growth is not None:
                self._growth.stop()

    def forget(self) -> None:
        """Be closed in a forked child; what is open stays the parent's."""
        if not self._closed_because and self._lock is not None:
            self._lock.forget()
        self._closed_because = self._closed_because or INHERITED
        self._opening = threading.Lock()

    def _check_open(self) -> None:
        if self._closed_because:
            raise Closed(self._closed_because, hint="open it again with Store.open")

    def collections(self) -> list[str]:
        """The names of all collections, sorted."""
        self._check_open()
        return sorted(
            path.parent.name
            for path in self._path.glob(f"*/{DEFINITION_FILE}")
            if not path.parent.name.startswith(".")
        )

    @overload
    def create_collection(
        self,
        name: str,
        schema: type[M],
        key: KeyLike = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        indexes: Sequence[GlobalIndex] = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> Collection[M]: ...

    @overload
    def create_collection(
        self,
        name: str,
        schema: Schema | dict[str, Any] | None = ...,
        key: KeyLike = ...,
        partitions: int | None = ...,
        partitioning: Hash | Range = ...,
        indexes: Sequence[GlobalIndex] = ...,
        *,
        auto_split: AutoSplit | bool = ...,
        exist_ok: bool = ...,
    ) -> Collection[dict[str, Any]]: ...

    def create_collection(
        self,
        name: str,
        schema: SchemaLike = None,
        key: KeyLike = "id",
        partitions: int | None = None,
        partitioning: Hash | Range = _HASH,
        indexes: Sequence[GlobalIndex] = (),
        *,
        auto_split: AutoSplit | bool = True,
        exist_ok: bool = False,
    ) -> Collection[Any]:
        """Make a collection.

        `schema` is a pydantic model, a Schema, its JSON definition, or None to index whatever
        arrives. `key` is the field that holds the key, or a Key of several, hashed by the first
        and ordered by the rest. `partitions` (4) is how many there are at first; under Range, its
        bounds say how many. `indexes` are its global indexes; more can be made later. `auto_split`
        says when partitions are split and merged unasked: limits, True for the default ones, False
        for never. With `exist_ok` a collection that was made so before is opened; default limits
        are those that it has. Raises AlreadyExists, with `exist_ok` naming what differs,
        InvalidSchema, Unavailable on a read-only store.
        """
        self._check_open()
        self._check_writable()
        directory = self._path / check_name(name)
        given = AutoSplit.of(auto_split)
        model = schema if isinstance(schema, type) else None
        declared = schema_from(schema)
        spec = key_spec_of(key, declared)
        check_key(spec, declared, model)
        first_map = first_map_of(partitioning, partitions, declared, spec)
        definition = Definition(name, declared, spec, first_map, uuid.uuid4().hex)
        if not made(directory, definition, given, indexes):
            if not exist_ok:
                raise AlreadyExists(
                    f"collection {name!r} exists",
                    hint="open it with collection(), or pass exist_ok=True",
                )
            there = self._opened(name, None)
            is_default = given == AutoSplit()
            limits = {} if is_default else limits_differences(there.auto_split(), given)
            check_same(there.partitions, declared, spec, first_map, indexes, limits)
        return self._opened(name, model)

    @overload
    def collection(self, name: str, schema: type[M]) -> Collection[M]: ...

    @overload
    def collection(self, name: str, schema: None = None) -> Collection[dict[str, Any]]: ...

    def collection(self, name: str, schema: type[BaseModel] | None = None) -> Collection[Any]:
        """An existing collection; with a pydantic model, its documents are instances of it.

        In the process that created it with a model, or opened it with one, the model is known.
        Raises NotFound, and InvalidSchema when the model is not the one it was made with.
        """
        self._check_open()
        check_name(name)
        return self._opened(name, schema)

    def _opened(self, name: str, model: type[BaseModel] | None) -> Collection[Any]:
        with self._opening:
            self._check_open()
            if name in self._dropping or not (self._path / name / DEFINITION_FILE).exists():
                raise self._not_found(name)
            live = self._live.get(name)
            if live is not None and live.is_replaced:
                live.close(refresh=False)
                live = None
            if live is None:
                live = LiveMap(self._path / name, self._resources, read_only=self.read_only)
                self._live[name] = live
                if self._growth is not None:
                    self._growth.begin()
            definition = live.current.definition
            if model is not None:
                check_model(model, definition.schema, name)
                self._models[name] = model
            known = self._models.get(name)
            codec: DocumentCodec[Any] = DocumentCodec(definition.schema, definition.key, known)
            return Collection(live, codec)

    def drop_collection(self, name: str) -> None:
        """Remove a collection with all its documents."""
        self._check_open()
        self._check_writable()
        check_name(name)
        directory = self._path / name
        with self._opening:
            if name in self._dropping or not directory.exists():
                raise self._not_found(name)
            # Who asks for it from here on must not open again what is about to go.
            self._dropping.add(name)
            live = self._live.pop(name, None)
            self._models.pop(name, None)
        try:
            if live is not None:
                live.close(refresh=False)
            files.remove_directory(directory)
        finally:
            self._dropping.discard(name)

    def _not_found(self, name: str) -> NotFound:
        hint = f"collections: {', '.join(self.collections()) or 'none yet'}"
        return NotFound(f"there is no collection {name!r}", hint=hint)

    def of_each(
        self, look: Callable[[Collection[Any]], T], names: Iterable[str] | None = None
    ) -> list[T]:
        """What is to be seen of every collection, or of some; dropped ones are left out."""
        found: list[T] = []
        for name in self.collections() if names is None else names:
            try:
                found.append(look(self.collection(name)))
            except (NotFound, Closed):
                self._check_open()
        return found

    def check(self) -> Iterator[Violation]:
        """Every violated invariant that can be seen, over all collections."""
        self._check_open()
        for directory in self._path.iterdir():
            is_collection = directory.is_dir() and not directory.name.startswith(".")
            if is_collection and not (directory / DEFINITION_FILE).exists():
                yield Violation(directory.name, None, "map", f"{DEFINITION_FILE} is missing")
        for name in self.collections():
            try:
                collection = self.collection(name)
            except Corruption as error:
                yield Violation(name, None, error.code, str(error))
                continue
            yield from self._strays(name)
            yield from collection.check()

    def _strays(self, name: str) -> Iterator[Violation]:
        """Shard directories that no partition of the map owns."""
        live = self._live[name]
        owned = {str(number) for number in (*live.current.numbers, *live.unowned)}
        for directory in (self._path / name / SHARDS_DIRECTORY).iterdir():
            if directory.name not in owned and not directory.name.startswith("."):
                yield Violation(name, None, "map", f"no partition owns shard {directory.name}")

    def stats(self) -> dict[str, Any]:
        """The statistics of every collection, and what the store has open."""
        return {
            "path": str(self._path),
            "read_only": self.read_only,
            "open_writers": self._resources.budget.open_count,
            "open_indexes": len(self._resources.open_indexes),
            "errors": {thread: str(error) for thread, error in self.errors.copy().items()},
            "collections": self.of_each(lambda collection: collection.stats()),
        }

    def hot_keys(
        self, limit: int = 10, *, collections: Iterable[str] | None = None
    ) -> list[HotKey]:
        """The partition keys with most of the last minutes' traffic in this process, hot first."""
        told = self.of_each(lambda each: each.hot_keys(limit), collections)
        found = [key for keys in told for key in keys]
        found.sort(key=lambda each: (not each.is_hot, -max(each.read_share, each.write_share)))
        return found[:limit]

    def hot_terms(
        self, limit: int = 10, *, collections: Iterable[str] | None = None
    ) -> list[HotTerm]:
        """The values of global indexes with most of the documents or traffic, hot ones first."""
        told = self.of_each(lambda each: each.hot_terms(limit), collections)
        found = [term for terms in told for term in terms]
        return sorted(found, key=lambda each: not each.is_hot)[:limit]

    def record(self, path: str | Path, bytes_max: int = BYTES_MAX) -> Recording:
        """Write what is asked of this store to a file, for `advise`: `with store.record(path):`."""
        return Recording(self._resources.recorder, Path(path).expanduser(), bytes_max)

    def _check_writable(self) -> None:
        if self.read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")


def _directory(path: str | Path) -> Path:
    """Where a store is, wherever the program changes its directory to; raises Unavailable."""
    directory = Path(path).expanduser().absolute()
    try:
        str(directory).encode()
    except UnicodeEncodeError:
        raise Unavailable(
            f"the directory's name {str(directory)!r} is not UTF-8",
            hint="give the store a directory whose whole path is",
        ) from None
    return directory
