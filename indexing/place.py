"""Where in a request body a part stands: its path, what the body may still use, and refusals there.

Invariant: every error about a request body names its path (`bool.must[1].range.price`), in `data`
and in the message, and all of its text is valid Unicode of bounded length. The depth of a body is
checked on the way down, so it ends long before Python's own recursion does.
"""

import difflib
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from indexing.errors import InvalidQuery

DEPTH_MAX = 32
"""Clauses inside clauses: more than any person writes; each level costs a few Python frames."""
CLAUSES_MAX = 1024
"""Clauses of one body, as Elasticsearch has it; each becomes at least one Tantivy query."""
_NAME_CHARACTERS_MAX = 100
"""What an error shows of a name: enough to find it, whatever was sent."""


@dataclass(slots=True)
class Budget:
    """What one request body may use, shared by all of its places; `clauses` counts the used."""

    depth_max: int = DEPTH_MAX
    clauses_max: int = CLAUSES_MAX
    clauses: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a request body; the empty path is the whole body."""

    budget: Budget
    path: str = ""
    depth: int = 0

    def under(self, name: Any) -> "Place":
        """The place of a named part."""
        shown = _printable(name) if isinstance(name, str) else shown_value(name)
        return replace(self, path=f"{self.path}.{shown}" if self.path else shown)

    def item(self, number: int) -> "Place":
        """The place of a list's item, from 0."""
        return replace(self, path=f"{self.path}[{number}]")

    def clause(self) -> "Place":
        """This place as a clause, one level down and counted; raises InvalidQuery at a bound."""
        budget = self.budget
        if self.depth >= budget.depth_max:
            raise self.refused(
                f"more than {budget.depth_max} clauses inside one another",
                "flatten the query: clauses of nested bools can often stand side by side",
            )
        budget.clauses += 1
        if budget.clauses > budget.clauses_max:
            raise self.refused(
                f"more than {budget.clauses_max} clauses",
                "use one terms clause for many values of a field",
            )
        return replace(self, depth=self.depth + 1)

    def refused(self, message: str, hint: str) -> InvalidQuery:
        """The error that says what is wrong here, for the caller to raise."""
        said = f"{self.path}: {message}" if self.path else message
        return InvalidQuery(said, hint=hint, path=self.path)

    def unknown(
        self, kind: str, name: Any, known: Iterable[str], otherwise: str = ""
    ) -> InvalidQuery:
        """The error for a name that is none of the known ones, with the nearest as its hint."""
        names = sorted(known)
        near = (
            difflib.get_close_matches(name[:50].lower(), names, 1) if isinstance(name, str) else []
        )
        listed = otherwise or f"use {', '.join(names)}"
        return self.refused(
            f"there is no {kind} {shown_value(name)}",
            f"did you mean {near[0]!r}?" if near else listed,
        )

    def wrong_type(self, wanted: str, given: Any, hint: str = "") -> InvalidQuery:
        """The error for a value of another type than wanted."""
        return self.refused(
            f"expected {wanted}, not {shown_value(given)}", hint or f"give {wanted}"
        )


def shown_value(value: Any) -> str:
    """A value as an error shows it: short, whatever it is."""
    if isinstance(value, dict | list | tuple | set | frozenset):
        names = {dict: "an object", list: "a list"}
        return names.get(type(value), f"a {type(value).__name__}")
    if isinstance(value, str):
        return repr(_printable(value))
    if isinstance(value, int) and value.bit_length() > 256:
        # Python refuses to print the longest integers at all.
        return f"a number of {value.bit_length()} bits"
    return _printable(reprlib.repr(value))


def _printable(text: str) -> str:
    cut = text if len(text) <= _NAME_CHARACTERS_MAX else f"{text[:_NAME_CHARACTERS_MAX]}…"
    return cut.encode("utf-8", "backslashreplace").decode()
