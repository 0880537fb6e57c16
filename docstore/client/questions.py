"""Searches as the API's JSON has them, and plans read back from it; pure."""

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel

from docstore.types import Candidate, IndexUse, Plan, Position
from indexing.errors import InvalidQuery


def question_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a search: what was given, positions as text."""
    question = {
        name: value
        for name, value in asked.items()
        if (value != "auto" if name == "index" else value is not None)
    }
    freshness = question.get("freshness", "current")
    if not isinstance(freshness, str):
        question["after"] = question.pop("freshness")
    after = question.get("after")
    if isinstance(after, Position):
        question["after"] = str(after)
    elif after is not None and not isinstance(after, str):
        question["after"] = [str(each) for each in after]
    sort = question.get("sort")
    if is_dataclass(sort) and not isinstance(sort, type):
        given = asdict(sort)
        question["sort"] = f"-{given['path']}" if given["descending"] else given["path"]
    for name in ("select", "facets", "histograms", "highlight", "field", "fields"):
        value = question.get(name)
        if value is not None and not isinstance(value, str | bool | Mapping):
            question[name] = list(value)
    return question


def plan_of(said: Mapping[str, Any]) -> Plan:
    """The plan that an answer holds."""

    def candidate(one: Mapping[str, Any]) -> Candidate:
        price = float("inf") if one["price"] is None else one["price"]
        indexes = tuple(one.get("indexes", ()))
        return Candidate(one["name"], tuple(one["shards"]), price, one["reason"], indexes)

    return Plan(
        candidate(said["chosen"]),
        tuple(map(candidate, said["rejected"])),
        said["freshness"],
        said["query"],
        said["sort"],
        tuple(said["notes"]),
    )


def uses_of(said: Mapping[str, Any]) -> tuple[IndexUse, ...]:
    """The global indexes that an answer is from."""
    return tuple(
        IndexUse(
            **{
                **each,
                "partitions": tuple(each["partitions"]),
                "checkpoint": {int(shard): seq for shard, seq in each["checkpoint"].items()},
            }
        )
        for each in said.get("indexes", ())
    )


def json_of(value: Any) -> bytes:
    """A value of a request; raises InvalidQuery for what JSON cannot hold."""
    try:
        form = orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError as error:
        raise InvalidQuery(
            f"this cannot travel as JSON: {error}", hint="use dicts, lists, texts and numbers"
        ) from error
    _check_finite(value)
    return form


def _check_finite(value: Any) -> None:
    """Refuse NaN and infinity, which would travel as null and then mean that a field is missing."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidQuery(
            f"expected a finite number, not {value}",
            hint="leave a bound out to keep its side of a range open",
        )
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple | set | frozenset):
        return
    for each in value:
        _check_finite(each)


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if hasattr(value, "compressed"):  # an address, as the ipaddress module has them
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
