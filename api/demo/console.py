"""The console: what the store holds and does, as a page and as a stream of the page's live part.

The stream sends the same markup that the page has, made by the same template, so both always say
the same; who has no script reloads the page.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.demo import rendering
from api.demo.charts import CHART_HEIGHT, CHART_WIDTH, RING_SIZE, line_of, ring_of
from api.http.refusals import Busy
from api.http.service import Service
from docstore import DocstoreError

LOOK_SECONDS = 1.0
_SLOWEST = 8
_HOTTEST = 8
LAG_LOOKS = 60
"""Looks in a chart of lag: a minute."""
_PICTURED_MAX = 64
"""Partitions in a ring; more would be lines that nobody can tell apart. Ranges have no ring."""


@dataclass
class Rates:
    """Turns counts that only grow into rates: what happened since it last looked."""

    _at: float = 0.0
    _counts: dict[str, float] = field(default_factory=dict)

    def of(self, counts: Mapping[str, float], at: float) -> dict[str, float | None]:
        """Each count's growth per second; None the first time it is seen."""
        passed = at - self._at
        rates = {
            name: max(count - self._counts[name], 0) / passed
            if name in self._counts and passed > 0
            else None
            for name, count in counts.items()
        }
        self._at, self._counts = at, dict(counts)
        return rates


@dataclass
class Lags:
    """The lag of every global index at the latest looks."""

    _seen: dict[tuple[str, str], deque[int]] = field(default_factory=dict)

    def of(self, stats: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The statistics of a collection's indexes, each with the line of its lag."""
        shown = []
        for each in stats["indexes"]:
            name = stats["collection"], each["name"]
            seen = self._seen.setdefault(name, deque(maxlen=LAG_LOOKS))
            seen.append(each["lag"])
            line = line_of(list(seen), LAG_LOOKS)
            shown.append({**each, "line": line, "looks": len(seen), "most": max(seen)})
        return shown


async def console_page(service: Service, _: Request) -> Response:
    """The whole page."""
    rates, lags = Rates(), Lags()
    values = await service.run(lambda: looked(service, rates, lags))
    return rendering.page("console.html", **values)


async def events(service: Service, _: Request) -> Response:
    """The live part of the page again and again, as server-sent events."""
    if service.streams >= service.settings.change_streams_max:
        raise Busy("too many consoles are open", hint="close one that you do not need")
    return StreamingResponse(_stream(service), media_type="text/event-stream")


async def _stream(service: Service) -> AsyncIterator[bytes]:
    service.streams += 1
    service.metrics.streams.inc()
    rates, lags = Rates(), Lags()
    try:
        while not service.stopping.is_set():
            try:
                values = await service.run(lambda: looked(service, rates, lags))
            except DocstoreError:
                return  # the browser asks again by itself, and is told then
            yield _event(rendering.rendered("_live.html", **values))
            try:
                await asyncio.wait_for(service.stopping.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
    finally:
        service.streams -= 1
        service.metrics.streams.dec()


def _event(markup: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in markup.splitlines() if line.strip())
    return f"event: live\n{lines}\n".encode()


def looked(service: Service, rates: Rates, lags: Lags) -> dict[str, Any]:
    """Everything the console shows, as of now; looks at every shard."""
    stats = service.store.stats()
    collections = stats["collections"]
    counts: dict[str, float] = {"searches": service.slow.count}
    for each in collections:
        for shard in each["partitions"]:
            counts[_name(each, shard)] = shard["head"]
    growth = rates.of(counts, time.monotonic())
    return {
        "collections": [
            {**_pictured(each, growth), "indexes": lags.of(each)} for each in collections
        ],
        "chart": (CHART_WIDTH, CHART_HEIGHT),
        "documents": sum(each["documents"] for each in collections),
        "bytes": sum(each["bytes"] for each in collections),
        "lag": sum(each["lag"] for each in collections),
        "searches": service.slow.count,
        "searches_rate": growth["searches"],
        "writes_rate": _sum(growth[name] for name in growth if name != "searches"),
        "open_indexes": stats["open_indexes"],
        "dear": service.dear,
        "hot_keys": service.store.hot_keys(_HOTTEST),
        "hot_terms": service.store.hot_terms(_HOTTEST),
        "slowest": service.slow.slowest(_SLOWEST),
        "ring_size": RING_SIZE,
        "clock": time.strftime("%H:%M:%S"),
        "now": time.time(),
    }


def _pictured(stats: dict[str, Any], growth: Mapping[str, float | None]) -> dict[str, Any]:
    most = max((each["documents"] for each in stats["partitions"]), default=0) or 1
    shards = [
        {
            **each,
            "share": round(100 * each["documents"] / most, 1),
            "rate": growth[_name(stats, each)],
        }
        for each in stats["partitions"]
    ]
    is_ring = len(shards) <= _PICTURED_MAX and isinstance(shards[0]["lower"], int)
    ring = ring_of(shards) if is_ring else []
    return {**stats, "partitions": shards, "ring": ring}


def _name(stats: Mapping[str, Any], shard: Mapping[str, Any]) -> str:
    return f"{stats['collection']}/{shard['partition']}"


def _sum(rates: Any) -> float | None:
    known = [each for each in rates if each is not None]
    return sum(known) if known else None
