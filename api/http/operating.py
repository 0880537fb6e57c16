"""What whoever runs a server asks: does it live, is it ready, what did it count."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.http import models
from api.http.answers import json_response
from api.http.queries import parameters
from api.http.routing import Call, Operation
from api.version import VERSION
from docstore import Unavailable


async def live(call: Call) -> Response:
    """The process answers."""
    parameters(call.request, {})
    return json_response({"status": "live", "version": VERSION})


async def ready(call: Call) -> Response:
    """The shards can be opened, the indexes are not too far behind, and the keys are there."""
    parameters(call.request, {})
    store, lag_max = call.service.store, call.service.settings.lag_max
    if call.service.stopping.is_set():
        raise Unavailable("the server is stopping", hint="ask another one")
    call.service.gate.check()
    found = await call.service.run(lambda: store.of_each(lambda each: each.stats()))
    lag = sum(each["lag"] for each in found)
    # Counted, not named: whoever asks whether the server is ready needs no key.
    failing = sum(shard["error"] is not None for each in found for shard in each["partitions"])
    if lag > lag_max or failing:
        raise Unavailable(
            f"the indexes are {lag:,} writes behind, at most {lag_max:,} are allowed"
            if lag > lag_max
            else f"{failing} indexes cannot be brought up to date",
            hint="it recovers by itself once writes pause" if lag > lag_max else "see stats",
            retryable=True,
            lag=lag,
            failing=failing,
        )
    told = {"status": "ready", "version": VERSION, "lag": lag, "collections": len(found)}
    return json_response(told)


async def metrics(call: Call) -> Response:
    """The counts of this server and the state of its store."""
    parameters(call.request, {})
    text = await call.service.run(call.service.metrics.text)
    return Response(text, 200, None, CONTENT_TYPE_LATEST)


OPERATIONS = (
    Operation("GET", "/health/live", live, None, "Is the process alive", models.Health),
    Operation(
        "GET",
        "/health/ready",
        ready,
        None,
        "Is the store ready to serve",
        models.Health,
        refusals=(503,),
    ),
    Operation(
        "GET", "/metrics", metrics, "admin", "Counts for Prometheus", answer_type="text/plain"
    ),
)
