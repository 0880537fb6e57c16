"""The calls that find and count documents of a collection: questions built, answers read; pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from docstore.client.questions import json_of, plan_of, question_of, uses_of
from docstore.client.travelling_keys import TravellingKeys
from docstore.client.wire import JSON, Answer, Call
from docstore.queries.execute import Deadline
from docstore.types import Hit, Key, Plan, SearchResult
from indexing.counts import Bucket, Completion, Histogram, ValueCount

D = TypeVar("D")


class SearchCalls(Generic[D]):
    """What can be asked of the documents at a path. `decode` makes a document of its JSON value."""

    def __init__(self, path: str, keys: TravellingKeys, decode: Callable[[Any], D]) -> None:
        self._path, self._keys, self._decoded = path, keys, decode

    def search(self, **asked: Any) -> Call[SearchResult[D]]:
        """A search; `timeout` is in seconds."""
        question = _timed(asked)
        selected = question.get("select") is not None
        return self._post("/search", question, lambda answer: self._found(answer, selected))

    def count(self, **asked: Any) -> Call[int]:
        """How many match."""
        return self._post("/count", question_of(asked), lambda answer: int(answer.json()["count"]))

    def explain(self, **asked: Any) -> Call[Plan]:
        """A search's plan."""
        return self._post("/explain", question_of(asked), lambda answer: plan_of(answer.json()))

    def complete(self, **asked: Any) -> Call[list[Completion]]:
        """What a person may be typing."""

        def read(answer: Answer) -> list[Completion]:
            return [Completion(**each) for each in answer.json()["completions"]]

        return self._post("/complete", _timed(asked), read)

    def more_like(self, key: Key, **asked: Any) -> Call[SearchResult[D]]:
        """Documents like one."""
        encoded = self._keys.encoded(key)
        question = {"key": self._keys.value(encoded), **_timed(asked)}
        call = self._post("/more-like", question, lambda answer: self._found(answer, False))
        return replace(call, key=self._keys.of(encoded))

    def _post(self, path: str, body: Any, read: Any) -> Call[Any]:
        return Call("POST", self._path + path, read, json_of(body), {"content-type": JSON})

    def _found(self, answer: Answer, selected: bool) -> SearchResult[D]:
        said = answer.json()
        hits: list[Hit[Any]] = [
            Hit(
                self._keys.said(hit["key"]),
                hit["score"],
                hit["document"] if selected else self._decoded(hit["document"]),
                hit["version"],
                hit["sort"],
                hit.get("highlights") or {},
                hit.get("seq", 0),
            )
            for hit in said["hits"]
        ]
        facets = {
            path: [ValueCount(**each) for each in values]
            for path, values in said.get("facets", {}).items()
        }
        histograms = {
            path: Histogram(each["interval"], tuple(Bucket(**one) for one in each["buckets"]))
            for path, each in said.get("histograms", {}).items()
        }
        return SearchResult(
            said["total"],
            hits,
            plan_of(said["plan"]),
            said["shards_touched"],
            said["took_ms"],
            said["timings_ms"],
            facets,
            histograms,
            tuple(said.get("missing", ())),
            uses_of(said),
            tuple(said.get("uncounted", ())),
        )


def _timed(asked: dict[str, Any]) -> dict[str, Any]:
    """The body of a search that may have a `timeout`, in seconds; raises InvalidQuery."""
    timeout = asked.pop("timeout", None)
    Deadline.after(timeout, is_partial=False)
    question = question_of(asked)
    if timeout is not None:
        question["timeout_ms"] = max(1, int(timeout * 1000))
    return question
