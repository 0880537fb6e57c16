"""The calls of one collection and of a store: requests built and answers read, all of it pure.

Documents are checked, keyed and made JSON here by the same codec as in embedded use, so a document
that is refused never travels and a generated key is the same in every retry. A typed key travels as
`~` and its encoded bytes in base64url, which is exact for every kind of part. Keys that come inside
answers are JSON: their dates become dates again by the schema, bytes arrive as hexadecimal text.
"""

import base64
import datetime
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import orjson
from pydantic import BaseModel

from docstore import keys
from docstore.apply import op_id_bytes
from docstore.client.indexes import IndexCalls
from docstore.client.problems import error_of
from docstore.client.questions import json_of, plan_of, question_of, uses_of
from docstore.client.wire import JSON, NDJSON, Answer, Call
from docstore.documents import DocumentCodec, check_json
from docstore.hot_keys.proposing import HotKey
from docstore.key_parts import KeyParts
from docstore.keys import KeySpec
from docstore.types import (
    Change,
    Document,
    FailedWrite,
    Hit,
    Key,
    Plan,
    Position,
    SearchResult,
    WriteResult,
)
from indexing.counts import Bucket, Completion, Histogram, ValueCount
from indexing.errors import DocstoreError, InvalidRequest, VersionConflict
from indexing.schema import Schema

D = TypeVar("D")
Result = WriteResult | FailedWrite

COLLECTIONS = "/v1/collections"
PAGE = 500
"""Documents of one page of a scan, and keys of one request of many."""
_RESOLVED_BY_URLS = ("", ".", "..")


class CollectionCalls(Generic[D]):
    """What can be asked of one collection. `model` None means documents are dicts."""

    def __init__(
        self, name: str, schema: Schema, spec: KeySpec, model: type[BaseModel] | None
    ) -> None:
        self.name, self.schema, self.spec = name, schema, spec
        self._codec: DocumentCodec[D] = DocumentCodec(schema, spec, model)
        self._parts = KeyParts(schema, spec)
        self._path = f"{COLLECTIONS}/{quote(name, safe='')}"
        self.indexes = IndexCalls(self._path)

    # Writing

    def put(
        self,
        document: Any,
        key: Key | None,
        if_version: int | None,
        if_absent: bool,
        if_present: bool,
        op_id: str | None,
    ) -> Call[WriteResult]:
        """Store a document; its key is known before it is sent."""
        whole, encoded, body = self._codec.encode(document, key)
        headers = {"content-type": JSON, **_operation(op_id)}
        if if_version is not None:
            headers["if-match"] = f'"{if_version}"'
        elif if_present:
            headers["if-match"] = "*"
        if if_absent:
            headers["if-none-match"] = "*"
        return Call("PUT", self._document(encoded), self._written(whole), body, headers, key=whole)

    def patch(
        self, key: Key, patch: Any, if_version: int | None, op_id: str | None
    ) -> Call[WriteResult]:
        """Change some fields."""
        check_json(patch)  # what JSON has no word for would travel as null, which removes a field
        encoded = self._encoded(key)
        whole = self._of(encoded)
        headers = {"content-type": "application/merge-patch+json", **_operation(op_id)}
        if if_version is not None:
            headers["if-match"] = f'"{if_version}"'
        return Call(
            "PATCH",
            self._document(encoded),
            self._written(whole),
            json_of(patch),
            headers,
            key=whole,
        )

    def delete(self, key: Key, if_version: int | None, op_id: str | None) -> Call[WriteResult]:
        """Remove a document."""
        encoded = self._encoded(key)
        whole = self._of(encoded)
        headers = _operation(op_id)
        if if_version is not None:
            headers["if-match"] = f'"{if_version}"'
        path = self._document(encoded)
        return Call("DELETE", path, self._written(whole), None, headers, key=whole)

    def encoded(self, document: Any) -> tuple[Key, bytes]:
        """A document of a batch: its key, and its JSON without a line end."""
        key, _, body = self._codec.encode(document, None)
        return key, body

    def bulk(
        self, places: list[int], whole: list[Key], lines: list[bytes], if_absent: bool
    ) -> Call[list[Result]]:
        """Store a batch of encoded documents; the result is a list of what became of each."""

        def read(answer: Answer) -> list[Result]:
            rows = [orjson.loads(line) for line in answer.body.splitlines()]
            if len(rows) != len(lines):
                raise ValueError("not one result for each line")
            return [
                self._row(row, place, key)
                for row, place, key in zip(rows, places, whole, strict=True)
            ]

        headers = {"content-type": NDJSON, **_operation(None)}
        parameters = {"if_absent": "true"} if if_absent else {}
        path = f"{self._path}/documents:bulk"
        return Call("POST", path, read, b"\n".join(lines) + b"\n", headers, parameters)

    def _row(self, row: dict[str, Any], place: int, key: Key) -> Result:
        if "error" in row:
            error = error_of(row["error"], row["status"])
            if isinstance(error, VersionConflict) and "key" in error.data:
                error.data["key"] = key
            return FailedWrite(place, key, error)
        created = row["status"] == 201
        return WriteResult(key, row["version"], Position.parse(row["position"]), created)

    def _written(self, key: Key) -> Callable[[Answer], WriteResult]:
        def read(answer: Answer) -> WriteResult:
            said = answer.json()
            return WriteResult(
                key,
                said["version"],
                Position.parse(said["position"]),
                said["created"],
                said["deleted"],
            )

        return read

    # Reading by key

    def fetch(self, key: Key) -> Call[Document[D] | None]:
        """A document with its version."""
        encoded = self._encoded(key)
        whole = self._of(encoded)

        def read(answer: Answer) -> Document[D] | None:
            if answer.status == 404:
                return None
            version = int(answer.headers["etag"].strip('"'))
            answer.json()  # a body that was cut off must not pass for a document
            return Document(whole, version, self._codec.decode(answer.body))

        return Call("GET", self._document(encoded), read, absent=_is_no_document)

    def get_many(self, wanted: list[Key]) -> Call[list[D | None]]:
        """Up to PAGE documents."""
        texts = [self._sent(self._encoded(key)) for key in wanted]

        def read(answer: Answer) -> list[D | None]:
            found = answer.json()["documents"]
            return [None if each is None else self._decoded(each) for each in found]

        return self._post("/documents:get-many", {"keys": texts}, read)

    def scan(
        self,
        start: Key | None,
        end: Key | None,
        prefix: Key | None,
        limit: int,
        reverse: bool,
        cursor: str | None,
    ) -> Call[tuple[list[Document[D]], str | None]]:
        """One page of a scan, and the cursor of the next."""
        parameters = {"limit": str(limit), "reverse": "true" if reverse else "false"}
        for name, bound in (("from", start), ("to", end), ("prefix", prefix)):
            if bound not in (None, "", ()):
                parameters[name] = self._bound(bound)
        if cursor is not None:
            parameters["cursor"] = cursor

        def read(answer: Answer) -> tuple[list[Document[D]], str | None]:
            page = answer.json()
            found = [
                Document(self._key(each["key"]), each["version"], self._decoded(each["document"]))
                for each in page["documents"]
            ]
            return found, page["next"]

        return Call("GET", f"{self._path}/documents", read, parameters=parameters)

    # Searching

    def search(self, **asked: Any) -> Call[SearchResult[D]]:
        """A search; `timeout` is in seconds."""
        timeout = asked.pop("timeout", None)
        question = question_of(asked)
        if timeout is not None:
            question["timeout_ms"] = max(1, int(timeout * 1000))
        selected = question.get("select") is not None
        return self._post("/search", question, lambda answer: self._found(answer, selected))

    def count(self, **asked: Any) -> Call[int]:
        """How many match."""
        return self._post("/count", question_of(asked), lambda answer: int(answer.json()["count"]))

    def explain(self, **asked: Any) -> Call[Plan]:
        """A search's plan."""
        return self._post("/explain", question_of(asked), lambda answer: plan_of(answer.json()))

    def complete(self, **asked: Any) -> Call[list[Completion]]:
        """Completions of what was typed."""

        def read(answer: Answer) -> list[Completion]:
            return [Completion(**each) for each in answer.json()["completions"]]

        return self._post("/complete", question_of(asked), read)

    def more_like(self, key: Key, **asked: Any) -> Call[SearchResult[D]]:
        """Documents similar to one."""
        question = {"key": self._sent(self._encoded(key)), **question_of(asked)}
        return self._post("/more-like", question, lambda answer: self._found(answer, False))

    def _found(self, answer: Answer, selected: bool) -> SearchResult[D]:
        said = answer.json()
        hits: list[Hit[Any]] = [
            Hit(
                self._key(hit["key"]),
                hit["score"],
                hit["document"] if selected else self._decoded(hit["document"]),
                hit["version"],
                hit["sort"],
                hit.get("highlights") or {},
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
        )

    # Following and operating

    def changes(self, after: Iterable[Position] | None, limit: int) -> Call[list[Change[D]]]:
        """Some writes since some positions."""
        parameters = {"follow": "false", "limit": str(limit)}
        if after is not None:
            parameters["after"] = " ".join(map(str, after))

        def read(answer: Answer) -> list[Change[D]]:
            rows = [orjson.loads(line) for line in answer.body.splitlines()]
            return [self._change(row) for row in rows]

        return Call(
            "GET",
            f"{self._path}/changes",
            read,
            headers={"accept": NDJSON},
            parameters=parameters,
        )

    def _change(self, row: dict[str, Any]) -> Change[D]:
        if "code" in row:
            raise error_of(row, row["status"])
        at = datetime.datetime.fromisoformat(row["at"]) - _EPOCH
        document = row["document"]
        return Change(
            Position.parse(row["position"]),
            row["operation"],
            self._key(row["key"]),
            row["version"],
            at // datetime.timedelta(microseconds=1),
            None if document is None else self._decoded(document),
        )

    def refresh(self) -> Call[None]:
        """Index every write now."""
        return self._post("/refresh", {}, lambda _: None)

    def stats(self) -> Call[dict[str, Any]]:
        """The statistics."""
        return Call("GET", f"{self._path}/stats", lambda answer: dict(answer.json()))

    def hot_keys(self, limit: int) -> Call[list[HotKey]]:
        """The partition keys with most of the traffic."""
        return Call("GET", f"{self._path}/hot-keys?limit={limit}", hot_keys_in)

    def _post(self, path: str, body: Any, read: Any) -> Call[Any]:
        return Call("POST", self._path + path, read, json_of(body), {"content-type": JSON})

    # Keys

    def _encoded(self, key: Key) -> bytes:
        return keys.encode(self.spec, self._parts.key(key))

    def _of(self, encoded: bytes) -> Key:
        return keys.decode(self.spec, encoded)

    def _text(self, encoded: bytes) -> str:
        if not self.spec.typed:
            text = encoded.decode()
            if text not in _RESOLVED_BY_URLS and not text.startswith("~"):
                return text
        return "~" + base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()

    def _sent(self, encoded: bytes) -> str:
        """A key in a body: a string is its own JSON, ~ means something for typed keys only."""
        return self._text(encoded) if self.spec.typed else encoded.decode()

    def _document(self, encoded: bytes) -> str:
        return f"{self._path}/documents/{quote(self._text(encoded), safe='')}"

    def _bound(self, bound: Key) -> str:
        """A key or its leading parts, as the API's scan reads them."""
        if not self.spec.typed:
            return self._text(keys.prefix_range(self.spec, bound)[0])
        parts = self._parts.key(bound)
        keys.prefix_range(self.spec, parts)
        if len(parts) == len(self.spec.fields):
            return self._text(keys.encode(self.spec, parts))
        if any(isinstance(part, bytes) for part in parts):
            raise InvalidRequest(
                "the leading parts of a key cannot travel with bytes among them",
                hint="scan between whole keys",
            )
        return json_of(list(parts)).decode()

    def _key(self, said: Any) -> Key:
        if not self.spec.typed:
            return said
        parts = self._parts.key(said)
        return parts[0] if len(self.spec.fields) == 1 else parts

    def _decoded(self, document: Any) -> D:
        return self._codec.decode(orjson.dumps(document))


def hot_keys_in(answer: Answer) -> list[HotKey]:
    """The hot keys that an answer holds, keys as JSON has them."""
    return [HotKey(**each) for each in answer.json()["hot_keys"]]


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _is_no_document(_: Answer, error: DocstoreError) -> bool:
    return "key" in error.data


def _operation(op_id: str | None) -> dict[str, str]:
    """The header that makes a write one operation however often it is sent."""
    if op_id is None:
        return {"idempotency-key": uuid.uuid4().hex}
    op_id_bytes(op_id)
    if not (op_id.isascii() and op_id.isprintable()):
        raise InvalidRequest(
            "an op_id with such characters cannot travel in a header", hint="use a UUID"
        )
    return {"idempotency-key": op_id}
