"""The global indexes of one collection: declared, dropped, asked, checked, rebuilt.

Invariants: `indexes.json` names the indexes that exist, replaced as a whole; everything beside it
is derived, and what it does not name is removed on opening. A base write never waits for an index.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docstore import files, keys
from docstore.catalog import Definition
from docstore.global_index.checking import check
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.reading import ordered, read, wanted_of
from docstore.global_index.updater import Updater
from docstore.shard import Shard
from docstore.types import Freshness, Key, Violation
from indexing.errors import (
    AlreadyExists,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    NotFound,
    Unavailable,
)
from indexing.schema import Schema

INDEXES_FILE = "indexes.json"
INDEXES_DIRECTORY = "indexes"
_FORMAT = 1
_BOUNDS = ("prefix", "gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A document as an index knows it: key, version, the value found and the included fields."""

    key: Key
    version: int
    value: Any
    included: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """A page of rows and the exact total; `pending` entries were overlaid, `lag` are unapplied."""

    total: int
    rows: list[IndexRow]
    pending: int
    lag: int
    index_partitions: list[int] = field(default_factory=list)


def declare(directory: Path, schema: Schema, indexes: Sequence[GlobalIndex]) -> None:
    """Write down the indexes of a new collection; raises InvalidSchema, AlreadyExists."""
    for index in indexes:
        if not isinstance(index, GlobalIndex):
            raise InvalidSchema(
                f"{index!r} is not an index", hint='use GlobalIndex("color", include=["make"])'
            )
        index.check_fits(schema)
    if len({index.name for index in indexes}) < len(indexes):
        raise AlreadyExists("two indexes have one name", hint="give name= to one of them")
    if indexes:
        _write(directory, indexes)


def _write(directory: Path, indexes: Sequence[GlobalIndex]) -> None:
    form = {"format": _FORMAT, "indexes": [index.to_json() for index in indexes]}
    files.write_json(directory / INDEXES_FILE, form)


class GlobalIndexes:
    """Safe to use from many threads. Read-only, it reads what the writing process keeps."""

    def __init__(
        self,
        directory: Path,
        definition: Definition,
        numbers: Callable[[], Sequence[int]],
        shard_of: Callable[[int], Shard],
        *,
        read_only: bool,
    ) -> None:
        self._directory = directory
        self._definition = definition
        self._numbers = numbers
        self._shard_of = shard_of
        self._read_only = read_only
        self._changing = threading.Lock()
        self._live: dict[str, LiveIndex] = {}
        self._updater = Updater(lambda: list(self._live.values()), numbers)
        path = directory / INDEXES_FILE
        if path.exists():
            form = files.read_json(path)
            files.check_format(path, form, _FORMAT)
            declared = [GlobalIndex.from_json(each) for each in form["indexes"]]
            if not read_only:
                self._remove_strays({each.name for each in declared})
            self._live = {each.name: self._opened(each) for each in declared}

    def _remove_strays(self, named: set[str]) -> None:
        directory = self._directory / INDEXES_DIRECTORY
        if directory.exists():
            for path in directory.iterdir():
                if path.name not in named:
                    files.remove_directory(path)
            files.remove_leftovers(directory)

    def _opened(self, index: GlobalIndex) -> LiveIndex:
        directory = self._directory / INDEXES_DIRECTORY / index.name
        schema = self._definition.schema
        return LiveIndex(directory, index, schema, self._shard_of, read_only=self._read_only)

    def _save(self, live: dict[str, LiveIndex]) -> None:
        _write(self._directory, [each.definition for each in live.values()])

    def create(self, index: GlobalIndex) -> None:
        """Declare an index; it is filled from the documents while everything goes on.

        Raises AlreadyExists, InvalidSchema, Unavailable on a read-only store.
        """
        self._check_writable()
        index.check_fits(self._definition.schema)
        with self._changing:
            if index.name in self._live:
                raise AlreadyExists(
                    f"there is an index {index.name!r}", hint="drop it, or give another name="
                )
            live = {**self._live, index.name: self._opened(index)}
            self._save(live)
            self._live = live
        self.wake()

    def drop(self, name: str) -> None:
        """Remove an index; documents are untouched."""
        self._check_writable()
        with self._changing:
            dropped = self._named(name)
            live = {each: kept for each, kept in self._live.items() if each != name}
            self._save(live)
            self._live = live
            self._updater.errors.pop(name, None)
            dropped.close()
            files.remove_directory(self._directory / INDEXES_DIRECTORY / name)

    def __iter__(self) -> Iterator[GlobalIndex]:
        """What is declared, in the order of declaration."""
        return iter([each.definition for each in self._live.values()])

    def _named(self, name: str) -> LiveIndex:
        found = self._live.get(name)
        if found is None:
            raise NotFound(
                f"there is no index {name!r}", hint=f"indexes: {', '.join(self._live) or 'none'}"
            )
        return found

    def lookup(
        self,
        name: str,
        *values: Any,
        sort: str | None = None,
        descending: bool = False,
        offset: int = 0,
        limit: int = 10,
        freshness: Freshness = "current",
        **bounds: Any,
    ) -> IndexAnswer:
        """The documents with one of `values`, or in a range (gt, gte, lt, lte), or with a prefix.

        Answered from the index alone. `current` sees every write acknowledged before and does not
        wait; `any` is as old as the index's lag. Sorted by an included field or the indexed one,
        equal values by key. Raises NotFound, InvalidQuery, Unavailable while it is filled.
        """
        index = self._named(name)
        is_mixed = "prefix" in bounds and len(bounds) > 1
        if bool(values) == bool(bounds) or not set(bounds) <= set(_BOUNDS) or is_mixed:
            raise InvalidQuery(
                "a lookup takes values, or one range, or a prefix",
                hint='for example lookup("color", "red", "blue") or lookup("price", lt=20000)',
            )
        if freshness not in ("current", "any"):
            raise InvalidRequest(f"freshness is {freshness!r}", hint="use current or any")
        if any(type(each) is not int or each < 0 for each in (offset, limit)):
            raise InvalidQuery(f"page {offset!r}, {limit!r}", hint="use whole numbers from 0")
        wanted = wanted_of(index, values or None, bounds)
        numbers = self._numbers()
        answer = read(index, wanted, numbers, current=freshness == "current")
        page = ordered(index, answer.postings, sort, descending=descending)
        rows = [
            IndexRow(
                keys.decode(self._definition.key, posting.key),
                posting.version,
                posting.value,
                dict(zip(index.definition.include, posting.included, strict=True)),
            )
            for posting in page[offset : offset + limit]
        ]
        lag = index.lag(numbers)
        return IndexAnswer(len(page), rows, answer.pending, lag, answer.partitions)

    def catch_up(self) -> None:
        """Apply everything acknowledged before the call, in the calling thread."""
        self._check_writable()
        for index in list(self._live.values()):
            ends = {number: self._shard_of(number).head for number in self._numbers()}
            while index.unfilled(tuple(ends)) or any(
                index.floor(number) < seq for number, seq in ends.items()
            ):
                index.step(tuple(ends))

    def check(self) -> Iterator[Violation]:
        """Every divergence between the indexes and the documents, after catching up."""
        if self._read_only or not self._live:
            return
        self.catch_up()
        for name, index in self._live.items():
            for rule, detail, shard, key in check(index, self._numbers()):
                shown = keys.decode(self._definition.key, key)
                yield Violation(
                    self._definition.name, shard, rule, f"index {name!r}: {detail}", shown
                )

    def rebuild(self, name: str) -> None:
        """Fill an index again from the documents; it cannot be asked meanwhile."""
        self._check_writable()
        self._named(name).rebuild()
        self.wake()

    def stats(self) -> list[dict[str, Any]]:
        """For each index its definition, `lag` in entries, shards still `filling`, `error`."""
        numbers = self._numbers()
        return [
            {
                **index.definition.to_json(),
                "lag": index.lag(numbers),
                "filling": len(index.unfilled(numbers)),
                "error": None if (error := self._updater.errors.get(name)) is None else str(error),
            }
            for name, index in self._live.items()
        ]

    def wake(self) -> None:
        """Have the indexes brought up to the logs soon; returns at once."""
        if self._live and not self._read_only:
            self._updater.wake()

    def log_floor(self, number: int) -> int:
        """Up to which seq of a shard's log every index is done with it."""
        return min((each.floor(number) for each in self._live.values()), default=2**63)

    def _check_writable(self) -> None:
        if self._read_only:
            raise Unavailable("the store is open read-only", hint="open it for writing")

    def close(self) -> None:
        """Stop the updater and close the files; what is not applied stays in the logs."""
        self._updater.stop()
        for index in self._live.values():
            index.close()
