"""Requests about the partitions of a collection: cut, put together, spread, limits; pure.

A change that was made for a first attempt, whose answer was lost, is found in the history: numbers
of partitions are never used again. Salting again what is salted does nothing.
"""

from collections.abc import Callable
from typing import Any

from docstore.client.questions import json_of
from docstore.client.wire import JSON, Answer, Call, Conversation
from docstore.growing.limits import AutoSplit
from docstore.types import Key, PartitionChange
from indexing.errors import NotFound


class PartitionCalls:
    """Those of the collection at a path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def split(self, partition: int, at: Key | None) -> Conversation[PartitionChange]:
        """Cut a partition in two."""
        return self._changed(partition, "split", {"at": at})

    def merge(self, left: int, right: int) -> Conversation[PartitionChange]:
        """Make one partition of two."""
        return self._changed(left, "merge", {"neighbour": right})

    def salt(self, key: Key, fan: int) -> Call[PartitionChange]:
        """Spread a partition key, or gather it."""
        return self._post("/salts", {"key": key, "fan": fan}, lambda answer: _change(answer.json()))

    def auto_split(self) -> Call[AutoSplit | None]:
        """The limits at which partitions are split and merged unasked."""
        return Call("GET", f"{self._path}/auto-split", _limits)

    def set_auto_split(self, limits: AutoSplit | bool) -> Call[None]:
        """Have other limits; raises InvalidRequest for what are none."""
        asked = AutoSplit.of(limits)
        body = json_of({"limits": False if asked is None else asked.as_dict()})
        path = f"{self._path}/auto-split"
        return Call("PUT", path, lambda _: None, body, {"content-type": JSON})

    def _changed(self, number: int, kind: str, asked: Any) -> Conversation[PartitionChange]:
        def read(answer: Answer) -> PartitionChange | None:
            return None if answer.status == 404 else _change(answer.json())

        path = f"/partitions/{number}/{kind}"
        made: PartitionChange | None
        made = yield self._post(path, asked, read, lambda answer, _: answer.attempt > 1)
        if made is None:
            found = yield Call("GET", f"{self._path}/partitions", lambda answer: answer.json())
            past = [each for each in found["history"] if number in each["from"]]
            if not past or past[-1]["kind"] != kind:
                raise NotFound(
                    f"there is no partition {number}",
                    hint="stats() tells which partitions there are",
                    partition=number,
                )
            made = _change(past[-1])
        return made

    def _post(
        self,
        path: str,
        asked: Any,
        read: Callable[[Answer], Any],
        absent: Callable[[Answer, Any], bool] | None = None,
    ) -> Call[Any]:
        headers = {"content-type": JSON}
        return Call(
            "POST", self._path + path, read, json_of(asked), headers, absent=absent, is_long=True
        )


def _change(said: Any) -> PartitionChange:
    return PartitionChange(
        said["kind"],
        said["epoch"],
        tuple(said["from"]),
        tuple(said["into"]),
        said["documents"] or 0,
        said["seconds"] or 0.0,
        said["pause_ms"] or 0.0,
    )


def _limits(answer: Answer) -> AutoSplit | None:
    return AutoSplit.of(answer.json()["limits"])
