"""The middle of what a shard holds, so that a cut there leaves half on either side. Pure."""

from collections.abc import Iterable
from typing import Any

POINTS_MAX = 1 << 20
"""Points kept at once, about 100 MB of keys: of more, every second is left out, then again."""


def median_of(points: Iterable[Any]) -> Any:
    """A point with some points below it and about as many from it on; None when all are equal."""
    kept: list[Any] = []
    step, skip = 1, 0
    least = most = None
    for point in points:
        least = point if least is None or point < least else least
        most = point if most is None or point > most else most
        if skip:
            skip -= 1
            continue
        skip = step - 1
        kept.append(point)
        if len(kept) > POINTS_MAX:
            kept, step = kept[::2], step * 2
            skip = step - 1
    if least is None or least == most:
        return None
    kept.sort()
    middle = kept[len(kept) // 2]
    if middle > least:
        return middle
    return min((point for point in kept if point > least), default=most)
