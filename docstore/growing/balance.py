"""Where to cut a partition so that its writes are halved, not its documents. Pure.

The cut is the median of where the older half of the recent writes went, and it must hold for the
newer half: keys that only grow, or one hot key, have no such place, and a cut would not help.
"""

from collections.abc import Sequence
from typing import Any

SHARE_MIN = 0.25
"""Of the newer writes that must fall on either side."""


def halving(points: Sequence[Any]) -> Any:
    """A point with about half of the writes below it and half from it on; None when none is.

    `points` are where writes went, the oldest first.
    """
    half = len(points) // 2
    older, newer = sorted(points[:half]), points[half:]
    if not older:
        return None
    bound = older[half // 2]
    below = sum(point < bound for point in newer)
    if min(below, len(newer) - below) < SHARE_MIN * len(newer):
        return None
    return bound
