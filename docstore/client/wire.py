"""One exchange with a server as values: what is sent, and how the answer is read; pure.

A `Call` can be sent any number of times: every write in it carries the id of its operation, so that
the server does it once. Deliberately absent: sending.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import orjson

from docstore.client.problems import foreign, problem_of
from indexing.errors import DocstoreError, Unavailable

T = TypeVar("T")

JSON = "application/json"
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `attempt` counts from 1."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    attempt: int = 1

    def json(self) -> Any:
        """The body; raises Unavailable when it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise foreign(self.status) from error


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request and how its answer is read. `path` is encoded already."""

    method: str
    path: str
    read: Callable[[Answer], T]
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    absent: Callable[[Answer, DocstoreError], bool] | None = None
    """Whether a 404 is an answer to read, not an error."""
    is_long: bool = False
    """Whether the server may take longer than any timeout, because it reads all of a collection."""
    key: Any = None
    """The document's key, which errors name as it was given, not as JSON has it."""

    def result(self, answer: Answer) -> T:
        """What the answer says; raises the error it is."""
        if not 200 <= answer.status < 300:
            error = problem_of(answer.body, answer.status)
            if self.key is not None and "key" in error.data:
                error.data["key"] = self.key
            is_read = (
                answer.status == 404 and self.absent is not None and self.absent(answer, error)
            )
            if not is_read:
                raise error
        try:
            return self.read(answer)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise foreign(answer.status) from error


Conversation = Generator[Call[Any], Any, T]
"""Several calls that lead to one result: it yields each, and is told its result or its error."""


def refusal(answer: Answer) -> DocstoreError | None:
    """The error in an answer after which the request may be sent again, or None."""
    if answer.status < 429:
        return None
    error = problem_of(answer.body, answer.status)
    return error if error.retryable else None


def unreachable(url: str, why: str, attempts: int) -> Unavailable:
    """The error for a server that gave no whole answer."""
    return Unavailable(
        f"no answer from {url}: {why}",
        hint="check that the server runs and the address is right",
        retryable=True,
        attempts=attempts,
    )
