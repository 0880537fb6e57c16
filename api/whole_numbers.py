"""Whole numbers as they were written: the JSON reader makes floats of those beyond 64 bits.

Invariant: a document is stored with the numbers it was sent with, or refused.
"""

import json
from typing import Any

from docstore import InvalidDocument

_EXACT = 2.0**63
"""Floats below cannot stand for whole numbers that were too large."""


def check_whole_numbers(value: Any, data: bytes) -> None:
    """Refuse the JSON `data`, read as `value`, when a whole number in it became a float.

    Raises InvalidDocument. Costs a look at every number, and a second reading when one is huge.
    """
    try:
        if _has_huge(value):
            json.loads(data, parse_int=_of_64_bits)
    except RecursionError as error:
        raise InvalidDocument("the document is nested too deep", hint="flatten it") from error


def _has_huge(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return not -_EXACT < value < _EXACT
    if kind is dict:
        return any(_has_huge(each) for each in value.values() if type(each) in _LOOKED_INTO)
    if kind is list:
        return any(_has_huge(each) for each in value if type(each) in _LOOKED_INTO)
    return False


_LOOKED_INTO = frozenset((float, dict, list))


def _of_64_bits(digits: str) -> int:
    if len(digits) <= 20 and -(2**63) <= (number := int(digits)) < 2**64:
        return number
    raise InvalidDocument(
        f"the whole number {digits[:40]} does not fit in 64 bits", hint="store it as a string"
    )
