"""Values that stay, and new ones between them: how a block takes up what changed in it.

The same for every list and array of a block, so that nothing is decoded again. Pure.
"""

from collections.abc import Sequence
from itertools import compress, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]


class Merge:
    """`alive` tells which of the old values stay, `before` the old place each new one precedes.

    New ones are in order, so `before` never falls.
    """

    def __init__(self, alive: npt.NDArray[np.bool_], before: Sequence[int]) -> None:
        self._alive = alive
        # How many of those that stay come before each new one.
        self._places = np.concatenate(([0], np.cumsum(alive)))[np.asarray(before, np.int64)]

    def values(self, old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
        """The values that stay and the new ones."""
        stay = list(compress(old, self._alive.tolist()))
        places = self._places.tolist()
        merged = stay[: places[0]] if places else stay
        for value, (first, last) in zip(new, pairwise([*places, len(stay)]), strict=True):
            merged.append(value)
            merged += stay[first:last]
        return merged

    def array(self, old: Values, new: Values) -> Values:
        """The same of an array."""
        return np.insert(old[self._alive], self._places, new)
