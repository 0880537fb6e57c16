"""Answers as JSON: the shapes that `models` describes, made without going through the models.

Documents are passed on as the bytes they are stored as; decoding and encoding them again would
cost more than everything else about a hit.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from api.json_text import json_bytes
from docstore import Change, Document, Position, SearchResult, WriteResult

POSITION_HEADER = "docstore-position"


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(json_bytes(value), status, headers, "application/json")


def stored(body: bytes) -> orjson.Fragment:
    """A stored document inside an answer."""
    return orjson.Fragment(body)


def position_text(positions: Iterable[Position]) -> str:
    """Positions as a header holds them, and as `after` takes them back."""
    return " ".join(map(str, positions))


def written_json(result: WriteResult) -> dict[str, Any]:
    """An acknowledged write."""
    return {
        "key": result.key,
        "version": result.version,
        "position": str(result.position),
        "created": result.created,
        "deleted": result.deleted,
    }


def document_json(document: Document[bytes]) -> dict[str, Any]:
    """A document with its key and version."""
    return {
        "key": document.key,
        "version": document.version,
        "document": stored(document.document),
    }


def search_json(result: SearchResult[Any], *, with_plan: bool) -> dict[str, Any]:
    """A page of hits. With `select` documents are dicts, else their bytes."""
    answer: dict[str, Any] = {
        "total": result.total,
        "hits": [
            {
                "key": hit.key,
                "score": hit.score,
                "sort": hit.sort,
                "version": hit.version,
                "seq": hit.seq,
                "document": stored(hit.document)
                if isinstance(hit.document, bytes)
                else hit.document,
                **({"highlights": hit.highlights} if hit.highlights else {}),
            }
            for hit in result.hits
        ],
        "shards_touched": result.shards_touched,
        "took_ms": round(result.took_ms, 3),
        "timings_ms": {name: round(value, 3) for name, value in result.timings_ms.items()},
    }
    if result.missing or result.uncounted:
        answer["partial"] = True
        answer["missing"] = list(result.missing)
        answer["uncounted"] = list(result.uncounted)
    if result.indexes:
        answer["indexes"] = [each.as_dict() for each in result.indexes]
    if result.facets:
        answer["facets"] = {
            path: [each._asdict() for each in values] for path, values in result.facets.items()
        }
    if result.histograms:
        answer["histograms"] = {
            path: {
                "interval": each.interval,
                "buckets": [bucket._asdict() for bucket in each.buckets],
            }
            for path, each in result.histograms.items()
        }
    if with_plan:
        answer["plan"] = result.plan.as_dict()
    return answer


def change_json(change: Change[bytes]) -> dict[str, Any]:
    """One write of the feed."""
    at = datetime.datetime.fromtimestamp(change.at / 1_000_000, datetime.UTC)
    return {
        "position": str(change.position),
        "operation": change.operation,
        "key": change.key,
        "version": change.version,
        "at": at.isoformat(),
        "document": None if change.document is None else stored(change.document),
    }
