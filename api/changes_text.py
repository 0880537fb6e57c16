"""What happens and happened to partitions, in words for people; pure."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from api.text import counted, plain, size_text


def limits_text(limits: Mapping[str, Any] | None) -> str:
    """When partitions are split and merged unasked."""
    if limits is None:
        return "partitions are split and merged only when somebody says so"
    above = []
    if limits["documents"] is not None:
        above.append(counted(limits["documents"], "document"))
    if limits["bytes"] is not None:
        above.append(size_text(limits["bytes"]))
    if limits["writes_per_second"] is not None:
        writes, window = limits["writes_per_second"], limits["window_seconds"]
        above.append(f"{writes:,g} writes/s for {window:g} s")
    merged = f", merged below {limits['merge_below']:.0%} of that" if limits["merge_below"] else ""
    return f"a partition is split above {' or '.join(above)}{merged}"


def moving_text(moving: Mapping[str, Any]) -> str:
    """How far a change is."""
    of = f", {moving['done']:,} of {moving['of']:,}" if moving["of"] else ""
    return f"{_what(moving)}: {moving['phase']}{of}, {moving['seconds']:.0f} s so far"


def past_text(change: Mapping[str, Any]) -> str:
    """A change that was made: what, what it took, and why when nobody asked for it."""
    took = ""
    if change["seconds"] is not None:
        took = (
            f": {counted(change['documents'], 'document')} in {change['seconds']:.1f} s, "
            f"writers waited {change['pause_ms']:.1f} ms"
        )
    why = f"; {plain(change['why'])}" if change["why"] else ""
    return f"{_what(change)}{took}{why}"


def when_text(change: Mapping[str, Any]) -> str:
    """When a change was made, in this machine's time."""
    moment = datetime.datetime.fromtimestamp(change["at"] / 1e6).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def troubles(auto_split: Mapping[str, Any]) -> list[str]:
    """What could not be done unasked, and why."""
    found = [f"cannot be split: {plain(each['why'])}" for each in auto_split["unsplittable"]]
    if auto_split["error"]:
        found.append(f"the last change failed: {plain(auto_split['error'])}")
    return found


def _what(change: Mapping[str, Any]) -> str:
    if not change["from"]:
        return str(change["kind"])
    return f"{change['kind']} {_numbers(change['from'])} into {_numbers(change['into'])}"


def _numbers(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
