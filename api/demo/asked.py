"""What a person asked for, as the address of a results page holds it; pure.

An address is a link to share: everything about a page is in it, and what it says wrongly is left
out, never an error.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from docstore import after_hit

CHOICES: Mapping[str, str] = {
    "make": "Make",
    "model": "Model",
    "body": "Body",
    "color": "Colour",
    "fuel": "Fuel",
    "state": "State",
}
"""The fields to choose values of, as people call them."""
RANGES: Mapping[str, str] = {"price": "Price", "year": "Year"}
SORTS: Mapping[str, str] = {
    "": "Recommended",
    "-posted": "Newest first",
    "price": "Lowest price",
    "-price": "Highest price",
    "mileage": "Lowest mileage",
    "-year": "Newest model year",
}
_DATE = "posted"
_NEWEST = f"-{_DATE}"
PAGE_HITS = 24
WINDOW_MAX = 10_000
"""Sorted hits that are reached by their number; pages after it begin where the one before ended."""
PAGES_MAX = 100_000
"""By score every page has its number: a score cannot be searched for. What is far costs more, up to
a look at every match."""
_TEXT_MAX = 500
_VALUES_MAX = 50
_NUMBER_DIGITS = 17
"""Inside 64 bits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of results. `after` is the sort value and key that the page before ended with."""

    q: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    sort: str = ""
    page: int = 1
    after: tuple[int | str | None, str] | None = None

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> "Asked":
        """Read the parameters of an address."""
        given: dict[str, list[str]] = {}
        for name, text in pairs:
            given.setdefault(name, []).append(text[:_TEXT_MAX])
        last = {name: texts[-1].strip() for name, texts in given.items()}
        q = last.get("q", "")
        chosen = {
            name: values
            for name in CHOICES
            if (values := tuple(dict.fromkeys(filter(None, given.get(name, ()))))[:_VALUES_MAX])
        }
        bounds = {
            name: (_number(last.get(f"{name}_min")), _number(last.get(f"{name}_max")))
            for name in RANGES
        }
        ranges = {name: ends for name, ends in bounds.items() if ends != (None, None)}
        sort = last.get("sort", "")
        page = max(_number(last.get("page")) or 1, 1)
        asked = cls(q, chosen, ranges, sort if sort in SORTS else "", page)
        value, key = last.get("after"), last.get("after_key")
        after = (_moment(value) if asked._field == _DATE else _number(value), key) if key else None
        return replace(asked, page=min(page, asked.pages_max), after=after)

    @property
    def order(self) -> str | None:
        """The field to sort by; None is by score, which needs words to score."""
        return self.sort or (None if self.q else _NEWEST)

    @property
    def _field(self) -> str:
        return (self.order or "").removeprefix("-")

    @property
    def pages_max(self) -> int:
        """The last page that has a number."""
        return PAGES_MAX if self.order is None else WINDOW_MAX // PAGE_HITS

    @property
    def offset(self) -> int:
        """The hits before this page."""
        return 0 if self.after else (self.page - 1) * PAGE_HITS

    def filter(self) -> dict[str, Any]:
        """The choices and ranges as the store's short filter."""
        conditions: dict[str, Any] = {name: list(values) for name, values in self.chosen.items()}
        for name, (low, high) in self.ranges.items():
            bounds = {"gte": low, "lte": high}
            conditions[name] = {sign: each for sign, each in bounds.items() if each is not None}
        return conditions

    def query(self) -> dict[str, Any] | None:
        """What comes after the page before."""
        if self.after is None or self.order is None:
            return None
        return after_hit(self.order, *self.after)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but words narrows the results."""
        return bool(self.chosen or self.ranges)

    def with_page(self, page: int) -> "Asked":
        """The same search at another page."""
        return replace(self, page=page, after=None)

    def with_after(self, value: int | str | None, key: str) -> "Asked":
        """The same search, the page that begins after a hit."""
        return replace(self, page=1, after=(value, key))

    def with_choice(self, name: str, value: str) -> "Asked":
        """The same search with one more value chosen."""
        values = (*self.chosen.get(name, ()), value)
        return replace(self, chosen={**self.chosen, name: values}, page=1, after=None)

    def without(self, name: str, value: str | None = None) -> "Asked":
        """The same search without a range, or without one chosen value."""
        left = tuple(each for each in self.chosen.get(name, ()) if each != value)
        chosen = {**self.chosen, name: left} if left else _less(self.chosen, name)
        return replace(self, chosen=chosen, ranges=_less(self.ranges, name), page=1, after=None)

    def with_words(self, q: str) -> "Asked":
        """The same narrowing with other words."""
        return replace(self, q=q, page=1, after=None)

    def address(self) -> str:
        """The page's address, the shortest that says all."""
        pairs: list[tuple[str, Any]] = [("q", self.q)] if self.q else []
        pairs += [(name, value) for name, values in self.chosen.items() for value in values]
        for name, (low, high) in self.ranges.items():
            pairs += [(f"{name}_min", low)] if low is not None else []
            pairs += [(f"{name}_max", high)] if high is not None else []
        pairs += [("sort", self.sort)] if self.sort else []
        pairs += [("page", self.page)] if self.page > 1 else []
        if self.after is not None:
            value, key = self.after
            pairs += [] if value is None else [("after", value)]
            pairs += [("after_key", key)]
        return f"/?{urlencode(pairs)}" if pairs else "/"


def _number(text: str | None) -> int | None:
    """A whole number, as people write them: `$12,500` too."""
    bare = (text or "").replace(",", "").replace("$", "").strip()
    digits = bare.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > _NUMBER_DIGITS:
        return None
    return int(bare)


def _moment(text: str | None) -> str | None:
    """A date as answers tell it."""
    try:
        return datetime.fromisoformat(text or "").isoformat().replace("+00:00", "Z")
    except ValueError:
        return None


def _less(held: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in held.items() if each != name}
