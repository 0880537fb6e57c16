"""A page of one moment, found while documents are written.

What matches is found as of one moment, and the documents are read the next. One that was written in
between may match no longer, or belong elsewhere on the page: the page is torn, and is found again,
as of a later moment. Where the same few documents are written without pause that may never end, so
the last attempt may be torn: its hits show their documents as they are by then. So may a long page.
"""

from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")

ATTEMPTS = 3
"""A page is found in a millisecond or few: two torn ones in a row are rare."""
HITS_MAX = 100
"""A longer page is torn by almost any writer, and dear to find again."""


class Torn(Exception):
    """A document of the page was written while the page was found."""


def whole(attempt: Callable[[bool], R], hits: int, *, is_current: bool) -> R:
    """What an attempt at so many hits gives.

    It is told whether its page may be torn, and raises Torn if it is and may not. One that need not
    be current is torn all the time.
    """
    if is_current and hits <= HITS_MAX:
        for _ in range(ATTEMPTS - 1):
            try:
                return attempt(False)
            except Torn:
                continue
    return attempt(True)
