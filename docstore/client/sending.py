"""Sends calls with httpx, again and again while that may help; blocking and not.

Invariants: a call ends within the deadline plus one attempt's timeout; no error of httpx reaches a
caller. Only here is httpx known. Connections are pooled and kept alive.
"""

import asyncio
import random
import time
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from docstore.client.retrying import Retries, retry_after
from docstore.client.wire import Answer, Call, Conversation, refusal, unreachable
from indexing.errors import Closed, DocstoreError, InvalidRequest

T = TypeVar("T")

CONNECTIONS_MAX = 100
"""Of one store: further callers wait for one that is free, and all are kept for the next call."""
KEPT_SECONDS = 25.0
"""How long a connection that nobody uses is kept: less than a server keeps it, so that no request
is sent on one that is just being closed."""
_LIMITS = httpx.Limits(
    max_connections=CONNECTIONS_MAX,
    max_keepalive_connections=CONNECTIONS_MAX,
    keepalive_expiry=KEPT_SECONDS,
)
CONNECT_SECONDS = 30.0
"""How long a call waits for a connection that then waits for its answer without end."""


def base_url(url: str, api_key: str | None, timeout: float) -> httpx.URL:
    """The checked address of a server; raises InvalidRequest."""
    try:
        urlsplit(url)  # notices brackets without an end, which httpx lets pass
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidRequest(
            f"{url!r} is not a URL: {error}", hint="give one like http://localhost:8000"
        ) from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query:
        raise InvalidRequest(
            f"{url!r} is not the address of a server",
            hint="give http://host:port or https://host:port, or a directory's path",
        )
    if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key):
        raise InvalidRequest("the API key cannot be sent", hint="pass it as it was printed")
    if timeout <= 0:
        raise InvalidRequest(f"timeout is {timeout!r}", hint="give seconds above 0")
    return parsed


def _headers(api_key: str | None) -> dict[str, str]:
    headers = {"user-agent": "docstore-python", "accept": "application/json, application/x-ndjson"}
    return headers if api_key is None else {**headers, "authorization": f"Bearer {api_key}"}


def _request(call: Call[Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": call.method,
        "url": call.path,
        "content": call.body,
        "headers": dict(call.headers),
        "params": dict(call.parameters) or None,
    }
    return (
        {**request, "timeout": httpx.Timeout(CONNECT_SECONDS, read=None)}
        if call.is_long
        else request
    )


class _Attempts:
    """One call's attempts: when they began and what came of the last one."""

    def __init__(self, url: str, retries: Retries) -> None:
        self.number = 1
        self._url, self._retries = url, retries
        self._began = time.monotonic()

    def answered(self, response: httpx.Response) -> Answer:
        return Answer(response.status_code, response.headers, response.content, self.number)

    def wait(self, outcome: Answer | httpx.HTTPError) -> float | None:
        """Seconds until the next attempt; None when the answer is to be read.

        Raises the outcome's error when there is no time left.
        """
        asked: float | None = None
        error: DocstoreError | None
        if isinstance(outcome, Answer):
            error = refusal(outcome)
            if error is None:
                return None
            asked = retry_after(outcome.headers.get("retry-after"))
        else:
            why = str(outcome) or type(outcome).__name__
            error = unreachable(self._url, why, self.number)
        elapsed = time.monotonic() - self._began
        chance = random.random()  # noqa: S311  spreads load, hides nothing
        seconds = self._retries.wait(self.number, elapsed, asked, chance)
        if seconds is None:
            raise error
        self.number += 1
        return seconds


class Sender:
    """Sends calls and waits for their answers. Safe to use from many threads."""

    def __init__(self, url: str, api_key: str | None, timeout: float, retries: Retries) -> None:
        base = base_url(url, api_key, timeout)
        self.url = str(base)
        self._retries = retries
        self._client = httpx.Client(
            base_url=base, headers=_headers(api_key), timeout=timeout, limits=_LIMITS
        )

    def send(self, call: Call[T]) -> T:
        """The result of a call; raises the error its answer is, and Unavailable without one."""
        attempts = _Attempts(self.url, self._retries)
        while True:
            outcome = self._attempt(call, attempts)
            seconds = attempts.wait(outcome)
            if seconds is None and isinstance(outcome, Answer):
                return call.result(outcome)
            time.sleep(seconds or 0)

    def converse(self, conversation: Conversation[T]) -> T:
        """The result of several calls, which depend on each other's results."""
        try:
            call = next(conversation)
            while True:
                try:
                    result = self.send(call)
                except DocstoreError as error:
                    call = conversation.throw(error)
                else:
                    call = conversation.send(result)
        except StopIteration as end:
            done: T = end.value
            return done

    def _attempt(self, call: Call[T], attempts: _Attempts) -> Answer | httpx.HTTPError:
        if self._client.is_closed:
            raise _closed()
        try:
            return attempts.answered(self._client.request(**_request(call)))
        except httpx.HTTPError as error:
            return error

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()


class AsyncSender:
    """Sends calls without blocking the event loop."""

    def __init__(self, url: str, api_key: str | None, timeout: float, retries: Retries) -> None:
        base = base_url(url, api_key, timeout)
        self.url = str(base)
        self._retries = retries
        self._client = httpx.AsyncClient(
            base_url=base, headers=_headers(api_key), timeout=timeout, limits=_LIMITS
        )
        self._is_closed = False
        self._under_way = 0
        self._idle = asyncio.Event()

    async def send(self, call: Call[T]) -> T:
        """The result of a call; raises the error its answer is, and Unavailable without one."""
        attempts = _Attempts(self.url, self._retries)
        while True:
            outcome = await self._attempt(call, attempts)
            seconds = attempts.wait(outcome)
            if seconds is None and isinstance(outcome, Answer):
                return call.result(outcome)
            await asyncio.sleep(seconds or 0)

    async def converse(self, conversation: Conversation[T]) -> T:
        """The result of several calls, which depend on each other's results."""
        try:
            call = next(conversation)
            while True:
                try:
                    result = await self.send(call)
                except DocstoreError as error:
                    call = conversation.throw(error)
                else:
                    call = conversation.send(result)
        except StopIteration as end:
            done: T = end.value
            return done

    async def _attempt(self, call: Call[T], attempts: _Attempts) -> Answer | httpx.HTTPError:
        if self._is_closed:
            raise _closed()
        self._under_way += 1
        try:
            return attempts.answered(await self._client.request(**_request(call)))
        except httpx.HTTPError as error:
            return error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def close(self) -> None:
        """Send nothing more, and close the pooled connections when what was sent is answered.

        Closed at once, a connection in use would be left open when its answer is there.
        """
        self._is_closed = True
        if self._under_way:
            self._idle.clear()
            await self._idle.wait()
        await self._client.aclose()


def _closed() -> Closed:
    return Closed("the connection is closed", hint="connect again")
