"""A caller's value as messages show it: short, however long it is.

Deliberately absent: what errors hold as data, which is the whole value.
"""

from reprlib import Repr

CHARACTERS_MAX = 80
"""Of one value: what a person reads in a line."""

_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = CHARACTERS_MAX


def shown(value: object) -> str:
    """Its `repr`, cut in the middle; of long lists, the beginning."""
    return _REPR.repr(value)
