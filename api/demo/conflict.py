"""Two people changed one listing: what each changed, put together; pure.

A field that only one of them changed is as that one left it. Where both did, differently, the
person who saves now sees both and decides: nothing is written over without being seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merged:
    """The values to go on with; `taken` came from the other, `disputed` maps a field to theirs."""

    values: Mapping[str, str]
    taken: tuple[str, ...]
    disputed: Mapping[str, str]


def merged(base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Merged:
    """What two changes of `base` come to; a disputed field stays mine until decided."""
    values, taken, disputed = dict(mine), [], {}
    for name in mine:
        before, here, there = base.get(name, ""), mine[name], theirs.get(name, "")
        if there in (before, here):
            continue
        if here == before:
            values[name] = there
            taken.append(name)
        else:
            disputed[name] = there
    return Merged(values, tuple(taken), disputed)
