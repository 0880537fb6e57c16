"""`connect` and `aconnect`: from an address or a directory to a store."""

import re
from pathlib import Path

from docstore.client.async_store import AsyncStore
from docstore.client.interface import StoreLike
from docstore.client.retrying import Retries
from docstore.client.sending import AsyncSender, Sender
from docstore.client.store import RemoteStore
from docstore.store import Store
from indexing.errors import InvalidRequest

_HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}|\[[\da-f:]+\]:\d{1,5}", re.IGNORECASE)


def connect(
    address: str | Path,
    *,
    api_key: str | None = None,
    timeout: float = 30.0,
    deadline: float = 60.0,
) -> StoreLike:
    """The store in a directory, or on the server at an http(s) URL.

    `timeout` is seconds without a sign of life in one attempt, `deadline` seconds after which a
    call is not tried again. Raises InvalidRequest for another address, and what `Store.open`
    raises; a server is first asked when it is used.
    """
    if not is_url(address):
        if api_key is not None:
            raise InvalidRequest(
                "a directory takes no API key", hint="leave it out, or give a server's URL"
            )
        is_unclear = isinstance(address, str) and _HOST_AND_PORT.fullmatch(address) is not None
        if is_unclear and not Path(address).exists():
            raise InvalidRequest(
                f"{address!r} may be a server or a new directory",
                hint=f"write http://{address}, or ./{address}",
            )
        return Store.open(address)
    return RemoteStore(Sender(str(address), api_key, timeout, Retries(deadline)))


def aconnect(
    address: str,
    *,
    api_key: str | None = None,
    timeout: float = 30.0,
    deadline: float = 60.0,
) -> AsyncStore:
    """The store on the server at an http(s) URL, for an event loop.

    Takes what `connect` takes, but for a directory: an embedded store blocks while it works.
    """
    if not is_url(address):
        raise InvalidRequest(
            f"{address!r} is not a server's URL",
            hint="an embedded store is not asynchronous: connect() to it in a thread",
        )
    return AsyncStore(AsyncSender(address, api_key, timeout, Retries(deadline)))


def is_url(address: str | Path) -> bool:
    """Whether an address is not a directory's path."""
    return isinstance(address, str) and "://" in address
