"""Answering what a person asked for: one search with its counts, widened when nothing matches.

A person expects all words to occur. When no listing has them all, the last word may be unfinished;
when that finds nothing either, some of the words will do, and the page says so.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from api.demo.asked import CHOICES, PAGE_HITS, Asked
from api.demo.listings import INDEXES
from docstore import Collection, Histogram, SearchResult, ValueCount

Cars = Collection[dict[str, Any]]

_FACETS = {"make": 80, "model": 80, "body": 20, "color": 20, "fuel": 20, "state": 60}
_HIGHLIGHTED = ("title", "description")
_PRICE_STEP, _PRICE_LIMIT, _PRICE_SHARE = 1_000, 400_000, 0.98
_PRICE_BARS = 30
_PRICE_ROUND = 500
_YEARS_MAX = 40
_YEAR_SHARE, _LAST_YEAR_SHARE = 0.99, 0.999
_SCALES_SECONDS = 60.0
_EMPTY_PRICE_TOP, _EMPTY_YEARS = 60_000, (1990, 2025)


@dataclass(frozen=True, slots=True)
class Scale:
    """What a range's chart shows: from `low` to `high` in steps; what is outside is at its ends."""

    low: int
    high: int
    step: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results: what matched how, and where the next page begins."""

    result: SearchResult[dict[str, Any]]
    total: int
    facets: Mapping[str, list[ValueCount]]
    histograms: Mapping[str, Histogram]
    note: str
    following: Asked | None


class Scales:
    """The scales of all pages, worked out again once in a while: they take a look at every car."""

    def __init__(self) -> None:
        self._known: Mapping[str, Scale] = {}
        self._until = 0.0

    def of(self, cars: Cars) -> Mapping[str, Scale]:
        """The scales as they were at most a minute ago."""
        if time.monotonic() >= self._until:
            self._known = scales_of(cars)
            self._until = time.monotonic() + _SCALES_SECONDS
        return self._known


def scales_of(cars: Cars) -> dict[str, Scale]:
    """Scales that hold nearly all prices and years: one car of millions would flatten a chart."""
    counted = cars.search(
        limit=0,
        histograms={
            "price": {"interval": _PRICE_STEP, "min": 0, "max": _PRICE_LIMIT},
            "year": {"interval": 1, "min": 1900, "max": 2100},
        },
    ).histograms
    top = _until(counted["price"], _PRICE_SHARE) or _EMPTY_PRICE_TOP
    step = max(_PRICE_ROUND, math.ceil(top / _PRICE_BARS / _PRICE_ROUND) * _PRICE_ROUND)
    first = _until(counted["year"], 1 - _YEAR_SHARE) or _EMPTY_YEARS[0]
    last = (_until(counted["year"], _LAST_YEAR_SHARE) or _EMPTY_YEARS[1] + 1) - 1
    return {
        "price": Scale(0, step * _PRICE_BARS, step),
        "year": Scale(min(max(first - 1, last - _YEARS_MAX + 1), last - 1), last, 1),
    }


def _until(histogram: Histogram, share: float) -> int:
    """The value below which a share of the documents is; 0 when there are none."""
    wanted = share * sum(bucket.documents for bucket in histogram.buckets)
    seen = 0
    for bucket in histogram.buckets:
        seen += bucket.documents
        if seen and seen >= wanted:
            return int(bucket.high)
    return 0


def find(cars: Cars, asked: Asked, scales: Mapping[str, Scale], seconds: float) -> Found:
    """Search, and widen the words until something matches.

    Raises DeadlineExceeded after some seconds, for all searches together.
    """
    until = time.monotonic() + seconds
    for attempt in _attempts(asked.q):
        first = _search(cars, asked, attempt.words, attempt.operator, scales, _left(until))
        if first.total:
            break
    page = first
    if asked.query() is not None:
        # The whole search is counted above; its later pages are read from where one ended.
        page = cars.search(
            attempt.words,
            filter=asked.filter(),
            query=asked.query(),
            sort=asked.order,
            operator=attempt.operator,
            limit=PAGE_HITS,
            highlight=_HIGHLIGHTED,
            timeout=_left(until),
        )
    following = _following(asked, page, first.total)
    return Found(page, first.total, first.facets, first.histograms, attempt.note, following)


def _left(until: float) -> float:
    """Seconds until a moment; never none, so that it is the search that says there are none."""
    return max(until - time.monotonic(), 1e-6)


class _Attempt(NamedTuple):
    """One reading of what was typed, and what to tell when it is the one that matches."""

    words: str | None
    operator: str | None
    note: str


def _attempts(q: str) -> list[_Attempt]:
    if not q:
        return [_Attempt(None, None, "")]
    return [
        _Attempt(q, "and", ""),
        _Attempt(q + "*", "and", ""),
        _Attempt(q, "or", "No listing has all of these words; these have some of them."),
    ]


def _search(
    cars: Cars,
    asked: Asked,
    words: str | None,
    operator: str | None,
    scales: Mapping[str, Scale],
    seconds: float,
) -> SearchResult[dict[str, Any]]:
    index = None if words is not None or asked.query() is not None else index_of(cars, asked)
    counted = cars.search(
        words,
        filter=asked.filter(),
        sort=asked.order,
        operator=operator,
        limit=0 if index is not None or asked.query() is not None else PAGE_HITS,
        offset=asked.offset,
        facets={name: _FACETS[name] for name in CHOICES},
        histograms={
            name: {"interval": scale.step, "min": scale.low, "max": scale.high - scale.step // 2}
            if name == "price"
            else {"interval": scale.step, "min": scale.low, "max": scale.high}
            for name, scale in scales.items()
        },
        highlight=_HIGHLIGHTED if asked.q else None,
        timeout=seconds,
    )
    if index is None:
        return counted
    # The cars of the page come from a global index; what is counted beside them, from all shards.
    page = cars.search(
        filter=asked.filter(),
        sort=asked.order,
        limit=PAGE_HITS,
        offset=asked.offset,
        index=index,
        timeout=seconds,
    )
    return replace(page, facets=counted.facets, histograms=counted.histograms)


def index_of(cars: Cars, asked: Asked) -> str | None:
    """The global index for the colours or makes that are chosen, once it is filled."""
    if not asked.chosen.keys() & {index.name for index in INDEXES}:
        return None
    ready = [each.definition.name for each in cars.indexes.offers() if each.state == "ready"]
    return next((name for name in ready if asked.chosen.get(name)), None)


def _following(asked: Asked, page: SearchResult[Any], total: int) -> Asked | None:
    """The next page: by its number, or beginning where this one ended when that is far."""
    if asked.after is not None and asked.query() is not None:
        if len(page.hits) < PAGE_HITS or page.total <= PAGE_HITS:
            return None
    elif asked.offset + PAGE_HITS >= total:
        return None
    elif asked.page < asked.pages_max:
        return asked.with_page(asked.page + 1)
    elif asked.order is None:
        return None
    last = page.hits[-1]
    return asked.with_after(last.sort, str(last.key))
