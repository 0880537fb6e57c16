"""The global indexes of a collection on a server, for callers that wait and for those that do not.

The methods are those of the embedded `collection.indexes`. Absent: lookups, for which there are
searches that name an index.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from docstore.client.questions import json_of
from docstore.client.sending import AsyncSender, Sender
from docstore.client.wire import JSON, Answer, Call
from docstore.global_index.definition import GlobalIndex
from indexing.errors import AlreadyExists


class IndexCalls:
    """Requests about the indexes of the collection at a path, built and read; pure."""

    def __init__(self, path: str) -> None:
        self._path = f"{path}/indexes"

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

    def rebuild(self, name: str) -> Call[None]:
        """Fill an index again."""
        return Call("POST", f"{self._named(name)}/rebuild", lambda _: None)

    def stats(self) -> Call[list[dict[str, Any]]]:
        """Where every index stands."""
        return Call("GET", self._path, lambda answer: list(answer.json()["indexes"]))


def definitions(stats: list[dict[str, Any]]) -> list[GlobalIndex]:
    """The indexes that statistics are of."""
    return [GlobalIndex.from_json(each) for each in stats]


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

    def rebuild(self, name: str) -> None:
        """Fill an index again from the documents; it cannot be asked meanwhile."""
        self._sender.send(self._calls.rebuild(name))

    def stats(self) -> list[dict[str, Any]]:
        """For each index its definition and where it stands."""
        return self._sender.send(self._calls.stats())


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

    async def rebuild(self, name: str) -> None:
        """Fill an index again from the documents; it cannot be asked meanwhile."""
        await self._sender.send(self._calls.rebuild(name))

    async def stats(self) -> list[dict[str, Any]]:
        """For each index its definition and where it stands."""
        return await self._sender.send(self._calls.stats())
