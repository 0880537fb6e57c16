"""How many optional clauses must match: Elasticsearch's `minimum_should_match`, as a number.

The meaning is that of the Elasticsearch reference, "minimum_should_match parameter". Pure. Fewer
than none or more than all is never needed: the answer stays between 0 and the number of clauses.
"""

import re
from typing import Any

from indexing.errors import InvalidQuery

# Nine digits are more clauses than any query has, and cheap to read.
_SIMPLE = r"[+-]?\d{1,9}%?"
_SPEC = re.compile(
    rf"\s*(?:{_SIMPLE}|\d{{1,9}}\s*<\s*{_SIMPLE}(?:\s+\d{{1,9}}\s*<\s*{_SIMPLE})*)\s*"
)
_CONDITION = re.compile(rf"(\d{{1,9}})\s*<\s*({_SIMPLE})")
_CHARACTERS_MAX = 200
"""Room for a dozen conditions; nobody writes more."""


def check(spec: Any, path: str) -> None:
    """Raise InvalidQuery unless `spec` is a whole number or text like `75%`, `-1`, `2<75% 9<-3`.

    `path` is the place in the request that the error names.
    """
    if isinstance(spec, int) and not isinstance(spec, bool):
        return
    if isinstance(spec, str) and len(spec) <= _CHARACTERS_MAX and _SPEC.fullmatch(spec):
        return
    shown = repr(spec[:_CHARACTERS_MAX]) if isinstance(spec, str) else f"a {type(spec).__name__}"
    raise InvalidQuery(
        f"{path}: {shown} does not say how many clauses must match",
        hint='use a number (2, -1), a share ("75%", "-25%") or conditions ("2<75% 9<-3")',
        path=path,
    )


def minimum_needed(spec: int | str | None, optional: int) -> int:
    """How many of `optional` clauses must match, from 0 to `optional`; None asks for none.

    2 is two of them, -1 all but one, "75%" that share rounded down, "-25%" all but that share
    rounded down, "2<75%" all up to two clauses and 75% above, several conditions with the highest
    limits last. Raises InvalidQuery on anything else.
    """
    if spec is None:
        return 0
    check(spec, "minimum_should_match")
    if isinstance(spec, str) and "<" in spec:
        return _conditional(spec, optional)
    return _simple(spec, optional)


def _conditional(spec: str, optional: int) -> int:
    needed = optional
    for limit, inner in _CONDITION.findall(spec):
        if optional <= int(limit):
            break
        needed = _simple(inner, optional)
    return needed


def _simple(spec: int | str, optional: int) -> int:
    if isinstance(spec, str) and "%" in spec:
        percent = int(spec.strip().removesuffix("%"))
        share = optional * abs(percent) // 100
        needed = share if percent >= 0 else optional - share
    else:
        number = int(spec)
        needed = number if number >= 0 else optional + number
    return max(0, min(optional, needed))
