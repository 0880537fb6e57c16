"""Questions that were asked before, and what they were parsed to.

Two questions are the same when they are the same bytes, so 1, 1.0 and True stay apart. Only plain
JSON values have bytes; anything else, and a very long question, is parsed each time. What is parsed
is a copy, which no caller can change later. Nothing here says how long an answer stays right.
"""

import marshal
from collections.abc import Callable
from typing import Any, TypeVar

R = TypeVar("R")

QUESTIONS_MAX = 128
"""Each may keep a query for every shard."""
QUESTION_BYTES_MAX = 4_096
_PLAIN = 2
"""The version of marshal without references, in which equal values are equal bytes."""


class Questions:
    """A bounded memory of parsed questions; safe to use from many threads."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}

    def parsed(self, question: tuple[Any, ...], parse: Callable[..., R]) -> R:
        """What the question was parsed to before, or is parsed to now; errors are the parser's."""
        try:
            asked = marshal.dumps(question, _PLAIN)
        except ValueError:
            return parse(*question)
        known: R | None = self._known.get(asked)
        if known is not None:
            return known
        if len(asked) > QUESTION_BYTES_MAX:
            return parse(*question)
        request = parse(*marshal.loads(asked))  # noqa: S302  these bytes were made right above
        if len(self._known) >= QUESTIONS_MAX:
            self._known.clear()
        self._known[asked] = request
        return request
