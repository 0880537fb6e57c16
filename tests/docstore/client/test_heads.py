"""The interface, the embedded, the blocking and the asynchronous collection offer the same."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, Store
from docstore.client import async_collection, async_store, collection, store
from docstore.client.async_collection import AsyncCollection
from docstore.client.collection import RemoteCollection
from docstore.client.interface import CollectionLike, StoreLike
from docstore.client.store import RemoteStore


def _offered(kind: type[Any]) -> dict[str, Any]:
    return {
        name: member
        for name, member in vars(kind).items()
        if not name.startswith("_") and inspect.isfunction(member)
    }


def _heads(kind: type[Any], names: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: [
            (each.name, each.kind, each.default)
            for each in inspect.signature(getattr(kind, name)).parameters.values()
        ]
        for name in names
    }


@pytest.mark.parametrize("remote", [RemoteCollection, AsyncCollection])
def test_a_remote_collection_takes_what_the_embedded_one_takes(remote: type[Any]) -> None:
    names = set(_offered(CollectionLike))
    assert names == set(_offered(remote))
    heads = _heads(Collection, names)
    heads["explain"].pop()  # paging, which an embedded explain passes over
    assert _heads(remote, names) == heads == _heads(CollectionLike, names)


def test_a_remote_store_takes_what_the_embedded_one_takes() -> None:
    names = set(_offered(StoreLike)) & set(_offered(RemoteStore))
    assert names >= {"collections", "collection", "drop_collection", "close"}
    assert set(_offered(RemoteStore)) <= set(_offered(Store))


@pytest.mark.parametrize(
    ("awaited", "blocking"), [(async_collection, collection), (async_store, store)]
)
def test_the_blocking_classes_are_the_asynchronous_ones_without_waiting(
    awaited: Any, blocking: Any
) -> None:
    """Written twice, because types cannot say "the same, awaited"; so nothing may differ."""
    ours, theirs = (
        [line for line in _plain(Path(module.__file__).read_text()) if line]
        for module in (awaited, blocking)
    )
    assert ours == theirs


def _plain(source: str) -> list[str]:
    """The lines of the classes, in one form for both: no awaiting, no line breaks of formatting."""
    code = source[source.index("class ") :]
    code = re.sub(r"\bawait |\basync ", "", code)
    code = re.sub(r"\b__a(enter|exit)__", r"__\1__", code)
    code = re.sub(r"\bAsync(?=[A-Z])(?!Iterator)", "Remote", code)
    code = code.replace("RemoteSender", "Sender").replace("AsyncIterator", "Iterator")
    code = re.sub(r"for (\w+) in (.+):\n +yield \1\n", r"yield from \2\n", code)
    code = re.sub(r"\s+", " ", code).replace("( ", "(").replace(" )", ")").replace(",)", ")")
    return re.split(r" (?=def |@|class )", code)
