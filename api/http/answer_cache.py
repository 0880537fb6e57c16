"""Answers that are still true: the bytes of a search, kept until a write could change it.

Invariant: an answer is given again only to the same question of the same state: the key holds the
collection as it is open, the heads of all its shards while their indexes cover them, and the
question as it came. So freshness keeps its meaning exactly, and a write needs to throw nothing
away. Bounded by bytes; the answer used longest ago goes first.
"""

from collections import OrderedDict
from collections.abc import Hashable

_ENTRY_BYTES = 500
"""About what an entry costs besides its bytes."""
_SHARE = 16
"""No answer takes more than this part of the room."""


class AnswerCache:
    """Recent answers; used on the event loop only."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._answers: OrderedDict[Hashable, tuple[bytes, int]] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """The answer kept under a key."""
        kept = self._answers.get(key)
        if kept is None:
            return None
        self._answers.move_to_end(key)
        return kept[0]

    def keep(self, key: Hashable, question: bytes, answer: bytes) -> None:
        """Keep an answer, letting go of old ones for it."""
        size = len(question) + len(answer) + _ENTRY_BYTES
        if size > self._bytes_max // _SHARE or key in self._answers:
            return
        self._answers[key] = (answer, size)
        self._bytes += size
        while self._bytes > self._bytes_max:
            _, (_, freed) = self._answers.popitem(last=False)
            self._bytes -= freed
