"""A server that a command asks, because only the process that serves a store knows the answer."""

from typing import Annotated

import typer

from docstore import InvalidRequest, connect
from docstore.client.connecting import is_url
from docstore.client.interface import StoreLike

DEADLINE_SECONDS = 5.0
"""A person waits for the answer, and can ask again."""

Url = Annotated[str, typer.Argument(metavar="URL", help="The server that serves the store.")]
ApiKey = Annotated[
    str | None, typer.Option("--api-key", envvar="DOCSTORE_API_KEY", help="A key that may read.")
]


def asked(url: str, api_key: str | None, what: str) -> StoreLike:
    """The store on a server; `what` is asked for, in words. Raises InvalidRequest for a path."""
    if not is_url(url):
        raise InvalidRequest(
            f"{url!r} is not a server's URL",
            hint=f"{what} are known to the process that serves the store: http://localhost:8000",
        )
    return connect(url, api_key=api_key, deadline=DEADLINE_SECONDS)
