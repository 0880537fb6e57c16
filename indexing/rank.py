"""The rank of a key: a number in the order of the keys, by which Tantivy sorts far faster.

Invariant: two ranks are never in another order than their keys; equal ranks say nothing. Pivots are
keys of a sample: what lies between two of them begins with all that those two share, so a rank is
the number of the gap and the bytes that follow. Before the first and after the last pivot, the gaps
are those of keys that share so many characters with it, which tells apart keys that only grow. The
idea is that of order-preserving key compression (Zhang et al., SIGMOD 2020), made small.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

SAMPLE_MIN = 64
"""Fewer keys than this are too few to choose pivots from."""
PIVOTS_MAX = 64
SHARED_MAX = 511
"""Characters that a key outside of all pivots is taken to share with the nearest at most."""
_REST_BYTES, _REST_BITS = 7, 52
"""64 bits are 12 for the gap and 52 for what follows: six bytes and a half."""


def pivots_of(keys: Sequence[str]) -> tuple[str, ...]:
    """Evenly spaced keys of a sorted sample."""
    step = max(1, len(keys) // PIVOTS_MAX)
    return tuple(keys[::step][:PIVOTS_MAX])


def rank_by(pivots: tuple[str, ...]) -> Callable[[str], int]:
    """The function from a key's text to its rank, 64 bits without a sign. Pivots are sorted."""
    shared = [_shared(one, other) for one, other in pairwise(pivots)]
    count = len(pivots)

    def rank(key: str) -> int:
        place = bisect_right(pivots, key)
        if 0 < place < count:
            gap, start = SHARED_MAX + place, shared[place - 1]
        elif not count:
            gap = start = 0
        elif place:
            start = min(_shared(key, pivots[-1]), SHARED_MAX)
            gap = SHARED_MAX + count + SHARED_MAX - start
        else:
            gap = start = min(_shared(key, pivots[0]), SHARED_MAX)
        rest = key[start : start + _REST_BYTES].encode()[:_REST_BYTES].ljust(_REST_BYTES, b"\0")
        return gap << _REST_BITS | int.from_bytes(rest) >> 8 * _REST_BYTES - _REST_BITS

    return rank


def _shared(one: str, other: str) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
