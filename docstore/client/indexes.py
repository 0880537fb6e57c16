"""The global indexes of a collection on a server, for callers that wait and for those that do not.

The methods are those of the embedded `collection.indexes`. Absent: lookups, for which there are
searches that name an index.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import quote

from docstore.client.questions import json_of
from docstore.client.sending import AsyncSender, Sender
from docstore.client.travelling_keys import TravellingKeys
from docstore.client.wire import JSON, Answer, Call
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.term_moving import TermChange
from docstore.types import Violation
from indexing.errors import AlreadyExists


class IndexCalls:
    """Requests about the indexes of the collection at a path, built and read; pure."""

    def __init__(self, path: str, keys: TravellingKeys) -> None:
        self._collection = path
        self._path = f"{path}/indexes"
        self._keys = keys

    def _named(self, name: str) -> str:
        return f"{self._path}/{quote(name, safe='')}"

    def create(self, index: GlobalIndex) -> Call[None]:
        """Make an index; the answer to a first attempt that was lost is not a conflict."""

        def read(answer: Answer) -> None:
            if answer.status == 200 and answer.attempt == 1:
                raise AlreadyExists(
                    f"there is an index {index.name!r}", hint="drop it, or give another name="
                )

        form = index.to_json()
        wanted = {name: form[name] for name in ("field", "include", "partitions", "by")}
        headers = {"content-type": JSON}
        return Call("PUT", self._named(index.name), read, json_of(wanted), headers)

    def drop(self, name: str) -> Call[None]:
        """Remove an index; one that a first attempt removed is removed."""
        return Call(
            "DELETE", self._named(name), lambda _: None, absent=lambda answer, _: answer.attempt > 1
        )

    def rename(self, name: str, to: str) -> Call[None]:
        """Give an index another name; one that a first attempt renamed is renamed."""
        return Call(
            "POST",
            f"{self._named(name)}/rename",
            lambda _: None,
            json_of({"name": to}),
            {"content-type": JSON},
            absent=lambda answer, _: answer.attempt > 1,
        )

    def rebuild(self, name: str) -> Call[None]:
        """Fill an index again."""
        return Call("POST", f"{self._named(name)}/rebuild", lambda _: None)

    def salt(self, name: str, value: Any, fan: int) -> Call[TermChange]:
        """Spread the postings of a value."""
        body = json_of({"value": value, "fan": fan})
        return Call("POST", f"{self._named(name)}/salts", _changed, body, {"content-type": JSON})

    def stats(self) -> Call[list[dict[str, Any]]]:
        """Where every index stands."""
        return Call("GET", self._path, lambda answer: list(answer.json()["indexes"]))

    def check(self, name: str) -> Call[list[Violation]]:
        """Where an index and the documents disagree."""
        return Call("POST", f"{self._named(name)}/check", violations_of(self._keys), is_long=True)

    def verify(self, documents_per_second: float | None) -> Call[None]:
        """Go on comparing, or stop."""
        wanted = json_of({"rate": documents_per_second})
        path = f"{self._collection}/verification"
        return Call("PUT", path, lambda _: None, wanted, {"content-type": JSON})


def violations_of(keys: TravellingKeys) -> Callable[[Answer], list[Violation]]:
    """What reads the answer to a check."""

    def read(answer: Answer) -> list[Violation]:
        return [
            Violation(
                each["collection"],
                each["partition"],
                each["rule"],
                each["detail"],
                None if each["key"] is None else keys.said(each["key"]),
            )
            for each in answer.json()["violations"]
        ]

    return read


def _changed(answer: Answer) -> TermChange:
    return TermChange(**answer.json())


def definitions(stats: list[dict[str, Any]]) -> list[GlobalIndex]:
    """The indexes that statistics are of, as they were declared."""
    return [GlobalIndex.from_json({**each, "salts": []}) for each in stats]


class RemoteIndexes:
    """The global indexes of one collection; each look asks the server."""

    def __init__(self, sender: Sender, calls: IndexCalls) -> None:
        self._sender = sender
        self._calls = calls

    def __iter__(self) -> Iterator[GlobalIndex]:
        """What is declared, in the order of declaration."""
        return iter(definitions(self.stats()))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.stats())

    def create(self, index: GlobalIndex) -> None:
        """Declare an index; it is filled while everything goes on."""
        self._sender.send(self._calls.create(index))

    def drop(self, name: str) -> None:
        """Remove an index; documents are untouched."""
        self._sender.send(self._calls.drop(name))

    def rename(self, name: str, to: str) -> None:
        """Give an index another name; what it holds stays."""
        self._sender.send(self._calls.rename(name, to))

    def rebuild(self, name: str) -> None:
        """Fill an index again from the documents; it cannot be asked meanwhile."""
        self._sender.send(self._calls.rebuild(name))

    def salt(self, name: str, value: Any, fan: int) -> TermChange:
        """Spread the postings of a value over `fan` index partitions; 1 gathers them again."""
        return self._sender.send(self._calls.salt(name, value, fan))

    def stats(self) -> list[dict[str, Any]]:
        """For each index its definition and where it stands."""
        return self._sender.send(self._calls.stats())

    def check(self, only: str | None = None) -> Iterator[Violation]:
        """Every divergence between the indexes, or one, and the documents; a thousand of each."""
        for name in [each.name for each in self] if only is None else [only]:
            yield from self._sender.send(self._calls.check(name))

    def verify(self, documents_per_second: float | None) -> None:
        """Have the server go on comparing documents with the indexes; None: stop."""
        self._sender.send(self._calls.verify(documents_per_second))


class AsyncIndexes:
    """The same for callers that do not wait."""

    def __init__(self, sender: AsyncSender, calls: IndexCalls) -> None:
        self._sender = sender
        self._calls = calls

    async def declared(self) -> list[GlobalIndex]:
        """What is declared, in the order of declaration."""
        return definitions(await self.stats())

    async def create(self, index: GlobalIndex) -> None:
        """Declare an index; it is filled while everything goes on."""
        await self._sender.send(self._calls.create(index))

    async def drop(self, name: str) -> None:
        """Remove an index; documents are untouched."""
        await self._sender.send(self._calls.drop(name))

    async def rename(self, name: str, to: str) -> None:
        """Give an index another name; what it holds stays."""
        await self._sender.send(self._calls.rename(name, to))

    async def rebuild(self, name: str) -> None:
        """Fill an index again from the documents; it cannot be asked meanwhile."""
        await self._sender.send(self._calls.rebuild(name))

    async def salt(self, name: str, value: Any, fan: int) -> TermChange:
        """Spread the postings of a value over `fan` index partitions; 1 gathers them again."""
        return await self._sender.send(self._calls.salt(name, value, fan))

    async def stats(self) -> list[dict[str, Any]]:
        """For each index its definition and where it stands."""
        return await self._sender.send(self._calls.stats())

    async def check(self, only: str | None = None) -> AsyncIterator[Violation]:
        """Every divergence between the indexes, or one, and the documents; a thousand of each."""
        for name in [each.name for each in await self.declared()] if only is None else [only]:
            for violation in await self._sender.send(self._calls.check(name)):
                yield violation

    async def verify(self, documents_per_second: float | None) -> None:
        """Have the server go on comparing documents with the indexes; None: stop."""
        await self._sender.send(self._calls.verify(documents_per_second))
