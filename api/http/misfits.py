"""What of a value did not fit a model, in the words of who sent it; pure.

A path names nothing but fields and places of the value: pydantic also names the kind it was trying
there, one error for each kind a field may have, which are told as one here.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_EXPECTED = "Input should be "
_CALLED = {
    "aggs": "values are counted by facets, ranges by histograms",
    "aggregations": "values are counted by facets, ranges by histograms",
    "size": "it is called limit",
    "from": "it is called offset",
    "_source": "it is called select",
    "search_after": "query for greater sort values than the last hit's, or the same and a "
    "greater key",
}
"""What other search servers call something that is called otherwise, or done otherwise, here."""


def told(error: ValidationError, value: Any) -> tuple[str, str]:
    """The path of the first thing that does not fit, empty for the value itself, and why not."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    paths = [_path(each, value) for each in errors]
    # Of the kinds a field may have the one that fits furthest is the one that was meant.
    path = max((each for each in paths if each[:1] == paths[0][:1]), key=len)
    first, *others = dict.fromkeys(
        each["msg"] for each, its in zip(errors, paths, strict=True) if its == path
    )
    message = ", or ".join([first, *(each.removeprefix(_EXPECTED) for each in others)])
    return ".".join(part[:100] for part in path), message


def hint(path: str, names: Sequence[str]) -> str:
    """What to do about the thing at a path: the fields there are, or its name here."""
    called = "" if path in names else _CALLED.get(path, "")
    fields = f"the fields are {', '.join(names)}"
    return f"{called}; {fields}" if called else fields


def _path(error: ErrorDetails, value: Any) -> tuple[str, ...]:
    """The parts of an error's place that are in the value, or missing there."""
    path: list[str] = []
    for place, part in enumerate(error["loc"]):
        is_missing = error["type"] == "missing" and place == len(error["loc"]) - 1
        if _has(value, part):
            value = value[part]
        elif not is_missing:
            continue
        path.append(str(part))
    return tuple(path)


def _has(value: Any, part: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value
