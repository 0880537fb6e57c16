"""The pages that find: results with what narrows them, completions, and one listing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.demo import rendering, wording
from api.demo.asked import CHOICES, PAGE_HITS, RANGES, SORTS, Asked
from api.demo.charts import CHART_HEIGHT, CHART_WIDTH, Bar, bars_of, stretches_of
from api.demo.finding import Found, Scale, Scales, find
from api.demo.listings import COLLECTION
from api.http.service import Service
from docstore import NotFound, SearchResult, ValueCount

_SHOWN_VALUES = 7
"""Of a facet; the rest unfolds."""
_SIMILAR = 6
_COMPARED = ("make", "model", "title", "body", "fuel", "features")
"""What makes two cars alike; who sells them and how they say so does not."""
_COMPLETIONS = 8
_COMPLETION_SECONDS = 2.0
_COMPLETED_FIELDS = ("make", "model", "body")
_PAGES_AROUND = 2


@dataclass(frozen=True, slots=True)
class Option:
    """A value to choose, and the listings that have it."""

    id: str
    value: str
    label: str
    documents: int | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A field to choose values of."""

    name: str
    title: str
    options: Sequence[Option]
    more: Sequence[Option]


@dataclass(frozen=True, slots=True)
class Range:
    """A field to bound, with its chart."""

    name: str
    title: str
    scale: Scale
    low: int | None
    high: int | None
    bars: Sequence[Bar]


async def search_page(scales: Scales, service: Service, request: Request) -> Response:
    """The results of what the address asks for."""
    asked = Asked.read(request.query_params.multi_items())
    cars = service.served(COLLECTION).collection
    seconds = service.settings.request_seconds

    def run() -> tuple[Found, Mapping[str, Scale]]:
        known = scales.of(cars)
        return find(cars, asked, known, seconds), known

    found, known = await service.run(run)
    service.slow.note(COLLECTION, found.result)
    return rendering.page(
        "results.html",
        asked=asked,
        found=found,
        choices=_choices(asked, found.facets),
        ranges=_ranges(asked, found, known),
        chips=_chips(asked),
        pages=_pages(asked, found.total),
        sorts=SORTS,
        how=how(found.result),
        done=wording.done(request.query_params.get("done")),
        first=asked.offset + 1,
        is_far=asked.after is not None,
        chart=(CHART_WIDTH, CHART_HEIGHT),
    )


def how(result: SearchResult[Any]) -> dict[str, Any]:
    """How an answer was found, for the part of the page that unfolds."""
    plan = result.plan
    return {
        "plan": plan.as_dict(),
        "touched": frozenset(plan.chosen.shards),
        "indexes": result.indexes,
        "read": result.shards_touched,
        "shards": sorted({*plan.chosen.shards, *(n for c in plan.rejected for n in c.shards)}),
        "took": result.took_ms,
        "stages": stretches_of(result.timings_ms),
        "total": result.total,
        "hits": len(result.hits),
    }


def _choices(asked: Asked, facets: Mapping[str, list[ValueCount]]) -> list[Choice]:
    found = []
    for name, title in CHOICES.items():
        chosen = asked.chosen.get(name, ())
        counted = {str(each.value): each.documents for each in facets.get(name, ())}
        counts: dict[str, int | None] = {**counted, **{v: 0 for v in chosen if v not in counted}}
        options = [
            Option(f"{name}-{place}", value, wording.label(value), documents, value in chosen)
            for place, (value, documents) in enumerate(counts.items())
        ]
        if not options:
            continue
        # What is chosen must not be folded away.
        shown = [each for at, each in enumerate(options) if at < _SHOWN_VALUES or each.is_chosen]
        more = [each for each in options if each not in shown]
        found.append(Choice(name, title, shown, more))
    return found


def _ranges(asked: Asked, found: Found, scales: Mapping[str, Scale]) -> list[Range]:
    ranges = []
    for name, title in RANGES.items():
        low, high = asked.ranges.get(name, (None, None))
        bars = bars_of(found.histograms[name], low, high)
        ranges.append(Range(name, title, scales[name], low, high, bars))
    return ranges


def _chips(asked: Asked) -> list[tuple[str, str]]:
    """What narrows the results in words, each with the address without it."""
    chips = [
        (f"{CHOICES[name]}: {wording.label(value)}", asked.without(name, value).address())
        for name, values in asked.chosen.items()
        for value in values
    ]
    return chips + [
        (f"{RANGES[name]} {wording.bounds(name, *bounds)}", asked.without(name).address())
        for name, bounds in asked.ranges.items()
    ]


def _pages(asked: Asked, total: int) -> list[tuple[int, str]]:
    """The numbers of pages near this one, with their addresses."""
    last = min(-(-total // PAGE_HITS), asked.pages_max)
    if asked.after is not None or last <= 1:
        return []
    near = range(max(1, asked.page - _PAGES_AROUND), min(last, asked.page + _PAGES_AROUND) + 1)
    return [(each, asked.with_page(each).address()) for each in sorted({1, *near})]


async def completions(service: Service, request: Request) -> Response:
    """What a person may be typing, as JSON: names of cars first, then words of their titles."""
    asked = Asked.read(request.query_params.multi_items())
    cars = service.served(COLLECTION).collection
    typed = asked.q

    def run() -> list[str]:
        if not typed:
            return []
        known = asked.filter()
        bounds: dict[str, Any] = {"limit": _COMPLETIONS, "timeout": _COMPLETION_SECONDS}
        names = cars.complete(typed, _COMPLETED_FIELDS, filter=known, **bounds)
        words = cars.complete(typed, ("title",), filter=known, **bounds)
        found = {each.value.lower(): each.value for each in (*words, *names)}
        order = dict.fromkeys(each.value.lower() for each in (*names, *words))
        return [found[value] for value in order if value != typed.lower()][:_COMPLETIONS]

    # One of a few dear searches, and soon over: nobody waits for words that were typed long ago.
    found = await service.run_dear(_COMPLETION_SECONDS, run)
    return JSONResponse({"completions": found}, headers={"cache-control": "no-store"})


async def listing_page(service: Service, request: Request) -> Response:
    """One listing, and cars like it."""
    key = request.path_params["key"]
    cars = service.served(COLLECTION).collection
    stored = await service.run(lambda: cars.fetch(key))
    if stored is None:
        raise NotFound(
            "this listing is not there any more", hint="it may have been sold: look for others"
        )
    seconds = service.settings.request_seconds
    similar = await service.run_dear(
        seconds, lambda: cars.more_like(key, _COMPARED, limit=_SIMILAR, timeout=seconds)
    )
    service.slow.note(COLLECTION, similar)
    return rendering.page(
        "listing.html",
        car=stored.document,
        key=key,
        version=stored.version,
        similar=similar,
        how=how(similar),
        done=wording.done(request.query_params.get("done")),
        back=_back(request),
    )


def _back(request: Request) -> str:
    """The results a person comes from, as the page before says; else all."""
    referrer = request.headers.get("referer", "")
    base = str(request.base_url)
    if not referrer.startswith(base):
        return "/"
    path, _, query = referrer.removeprefix(base).partition("?")
    return "/" if path else Asked.read(parse_qsl(query)).address()
