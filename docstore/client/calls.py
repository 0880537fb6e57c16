"""The calls of one collection and of a store: requests built and answers read, all of it pure.

Documents are checked, keyed and made JSON here by the same codec as in embedded use, so a document
that is refused never travels and a generated key is the same in every retry."""

import datetime
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import orjson
from pydantic import BaseModel

from docstore.client.indexes import IndexCalls, violations_of
from docstore.client.partition_calls import PartitionCalls
from docstore.client.problems import error_of
from docstore.client.questions import json_of, question_of
from docstore.client.search_calls import SearchCalls
from docstore.client.travelling_keys import TravellingKeys
from docstore.client.wire import JSON, NDJSON, Answer, Call
from docstore.documents import DocumentCodec, check_json
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.keys import KeySpec
from docstore.operations import Delete, Put, check_conditions
from docstore.shards.apply import op_id_bytes
from docstore.types import (
    Change,
    DeleteResult,
    Document,
    FailedWrite,
    Key,
    Position,
    Violation,
    WriteResult,
)
from indexing.errors import DocstoreError, InvalidRequest, VersionConflict
from indexing.schema import Schema

D = TypeVar("D")
Result = WriteResult | FailedWrite

COLLECTIONS = "/v1/collections"
PAGE = 500
"""Documents of one page of a scan, and keys of one request of many."""


class CollectionCalls(Generic[D]):
    """What can be asked of one collection. `model` None means documents are dicts."""

    def __init__(
        self, name: str, schema: Schema, spec: KeySpec, model: type[BaseModel] | None
    ) -> None:
        self.name, self.schema, self.spec = name, schema, spec
        self._codec: DocumentCodec[D] = DocumentCodec(schema, spec, model)
        self._keys = TravellingKeys(schema, spec)
        self._path = f"{COLLECTIONS}/{quote(name, safe='')}"
        self.indexes = IndexCalls(self._path, self._keys)
        self.partitions = PartitionCalls(self._path)
        self.has_model = model is not None
        self.searches = SearchCalls(self._path, self._keys, self._decoded)

    # Writing

    def put(
        self,
        document: Any,
        key: Key | None,
        if_version: int | None,
        if_absent: bool,
        if_present: bool,
        op_id: str | None,
        tag: str | None = None,
    ) -> Call[WriteResult]:
        """Store a document; its key is known before it is sent.

        `tag` is the entity tag that the version was read with: it never recurs.
        """
        headers = {"content-type": JSON, **_operation(op_id)}
        check_conditions(if_version, if_absent=if_absent, if_present=if_present)
        whole, encoded, body = self._codec.encode(document, key, op_id)
        if if_version is not None:
            headers["if-match"] = tag or _tag(if_version)
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
        encoded = self._keys.encoded(key)
        whole = self._keys.of(encoded)
        headers = {"content-type": "application/merge-patch+json", **_operation(op_id)}
        check_conditions(if_version)
        if if_version is not None:
            headers["if-match"] = _tag(if_version)
        return Call(
            "PATCH",
            self._document(encoded),
            self._written(whole),
            json_of(patch),
            headers,
            key=whole,
        )

    def delete(
        self, key: Key, if_version: int | None, if_present: bool, op_id: str | None
    ) -> Call[WriteResult]:
        """Remove a document."""
        encoded = self._keys.encoded(key)
        whole = self._keys.of(encoded)
        headers = _operation(op_id)
        check_conditions(if_version, if_present=if_present)
        if if_version is not None:
            headers["if-match"] = _tag(if_version)
        elif if_present:
            headers["if-match"] = "*"
        path = self._document(encoded)
        return Call("DELETE", path, self._written(whole), None, headers, key=whole)

    def line(self, operation: Put | Delete) -> tuple[Key, bytes]:
        """A write of a batch: its key, and the line it is, with the key as it is stored."""
        if_absent = isinstance(operation, Put) and operation.if_absent
        check_conditions(
            operation.if_version,
            operation.if_seq,
            if_absent=if_absent,
            if_present=operation.if_present,
        )
        if isinstance(operation, Delete):
            encoded = self._keys.encoded(operation.key)
            write: dict[str, Any] = {"delete": self._keys.value(encoded)}
            key = self._keys.of(encoded)
        else:
            key, encoded, body = self._codec.encode(operation.document, operation.key)
            write = {"put": orjson.Fragment(body)}
            if self.spec.typed:  # a document has no bytes, and its values are of no exact kind
                write["key"] = self._keys.value(encoded)
            write["if_absent"] = if_absent
        op_id_bytes(operation.op_id)
        write |= {"if_version": operation.if_version, "if_present": operation.if_present}
        write["if_seq"] = operation.if_seq
        write["op_id"] = operation.op_id
        said = {
            name: each for name, each in write.items() if each is not None and each is not False
        }
        return key, json_of(said)

    def batch(self, places: list[int], whole: list[Key], lines: list[bytes]) -> Call[list[Result]]:
        """Carry out a batch of lines; the result is a list of what became of each."""

        def read(answer: Answer) -> list[Result]:
            rows = [orjson.loads(line) for line in answer.body.splitlines()]
            if len(rows) != len(lines):
                raise ValueError("not one result for each line")
            return [
                self._row(row, place, key)
                for row, place, key in zip(rows, places, whole, strict=True)
            ]

        headers = {"content-type": NDJSON, **_operation(None)}
        path = f"{self._path}/documents:write"
        return Call("POST", path, read, b"\n".join(lines) + b"\n", headers)

    def delete_by_query(self, question: dict[str, Any], most: int) -> Call[DeleteResult]:
        """Delete up to so many documents that match."""

        def read(answer: Answer) -> DeleteResult:
            said = answer.json()
            position = tuple(map(Position.parse, said["position"]))
            return DeleteResult(said["deleted"], said["more"], position)

        asked = {**question_of(question), "max_documents": most}
        return self._post("/documents:delete-by-query", asked, read)

    def _row(self, row: dict[str, Any], place: int, key: Key) -> Result:
        if "error" in row:
            error = error_of(row["error"], row["status"])
            if isinstance(error, VersionConflict) and "key" in error.data:
                error.data["key"] = key
            return FailedWrite(place, key, error)
        position = Position.parse(row["position"])
        created, deleted = row["status"] == 201, row.get("deleted", False)
        return WriteResult(key, row["version"], position, created, deleted)

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
        encoded = self._keys.encoded(key)
        whole = self._keys.of(encoded)

        def read(answer: Answer) -> Document[D] | None:
            if answer.status == 404:
                return None
            answer.json()  # a body that was cut off must not pass for a document
            return Document(whole, _version_in(answer), self._codec.decode(answer.body))

        return Call("GET", self._document(encoded), read, absent=_is_no_document)

    def stored(self, key: Key) -> Call[tuple[int, str, dict[str, Any]] | None]:
        """A document's version, its entity tag, and its JSON."""
        encoded = self._keys.encoded(key)

        def read(answer: Answer) -> tuple[int, str, dict[str, Any]] | None:
            if answer.status == 404:
                return None
            return _version_in(answer), answer.headers["etag"], dict(answer.json())

        return Call("GET", self._document(encoded), read, absent=_is_no_document)

    def get_many(self, wanted: list[Key]) -> Call[list[D | None]]:
        """Up to PAGE documents."""
        encoded = [self._keys.encoded(key) for key in wanted]
        texts = [self._keys.value(each) for each in encoded]

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
                parameters[name] = self._keys.bound(bound)
        if cursor is not None:
            parameters["cursor"] = cursor

        def read(answer: Answer) -> tuple[list[Document[D]], str | None]:
            page = answer.json()
            found = [
                Document(
                    self._keys.said(each["key"]), each["version"], self._decoded(each["document"])
                )
                for each in page["documents"]
            ]
            return found, page["next"]

        return Call("GET", f"{self._path}/documents", read, parameters=parameters)

    # Following and operating

    def changes(self, after: Iterable[Position] | None, limit: int) -> Call[list[Change[D]]]:
        """Some writes since some positions."""
        parameters = {"follow": "false", "limit": str(limit)}
        positions = " ".join(map(str, after or ()))
        if positions:
            parameters["after"] = positions

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
            self._keys.said(row["key"]),
            row["version"],
            at // datetime.timedelta(microseconds=1),
            None if document is None else self._decoded(document),
        )

    def refresh(self) -> Call[None]:
        """Index every write now."""
        return self._post("/refresh", {}, lambda _: None)

    def position(self) -> Call[tuple[Position, ...]]:
        """Where the logs end."""

        def read(answer: Answer) -> tuple[Position, ...]:
            return tuple(Position.parse(each) for each in answer.json()["position"])

        return Call("GET", f"{self._path}/position", read)

    def check(self) -> Call[list[Violation]]:
        """All that does not agree."""

        return Call("POST", f"{self._path}/check", violations_of(self._keys), is_long=True)

    def rebuild(self, partition: int | None) -> Call[None]:
        """Make indexes again."""
        parameters = {} if partition is None else {"partition": str(partition)}
        path = f"{self._path}/rebuild"
        return Call("POST", path, lambda _: None, parameters=parameters, is_long=True)

    def stats(self) -> Call[dict[str, Any]]:
        """The statistics."""
        return Call("GET", f"{self._path}/stats", lambda answer: dict(answer.json()))

    def hot_keys(self, limit: int) -> Call[list[HotKey]]:
        """The partition keys with most of the traffic."""
        return Call("GET", f"{self._path}/hot-keys?limit={limit}", hot_keys_in)

    def hot_terms(self, limit: int) -> Call[list[HotTerm]]:
        """The values of global indexes with most documents or traffic."""
        return Call("GET", f"{self._path}/hot-terms?limit={limit}", hot_terms_in)

    def _post(self, path: str, body: Any, read: Any) -> Call[Any]:
        return Call("POST", self._path + path, read, json_of(body), {"content-type": JSON})

    def _document(self, encoded: bytes) -> str:
        return f"{self._path}/documents/{quote(self._keys.text(encoded), safe='')}"

    def _decoded(self, document: Any) -> D:
        return self._codec.decode(orjson.dumps(document))


def hot_keys_in(answer: Answer) -> list[HotKey]:
    """The hot keys that an answer holds, keys as JSON has them."""
    return [HotKey(**each) for each in answer.json()["hot_keys"]]


def hot_terms_in(answer: Answer) -> list[HotTerm]:
    """The hot terms that an answer holds, values as JSON has them."""
    return [HotTerm(**each) for each in answer.json()["hot_terms"]]


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _is_no_document(_: Answer, error: DocstoreError) -> bool:
    return "key" in error.data


def _tag(version: int) -> str:
    """What stands for any document of a version."""
    return f'"{version}"'


def _version_in(answer: Answer) -> int:
    """The version that an entity tag begins with."""
    return int(answer.headers["etag"].strip('"').partition("-")[0])


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
