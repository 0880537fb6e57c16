"""Writes as values: what `write_many` takes, so that writes of many callers can travel together.

A condition belongs to its operation: of a batch some may succeed and some conflict.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from docstore.documents import DocumentCodec
from docstore.shards.apply import Write, op_id_bytes
from docstore.types import Key
from indexing.errors import InvalidRequest

G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Put:
    """Store a document under its key, as `Collection.put` does.

    `if_seq` is the seq of the position of the write that must have made the document that is there.
    """

    document: Any
    key: Key | None = None
    if_version: int | None = None
    if_absent: bool = False
    if_present: bool = False
    op_id: str | None = None
    if_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document, as `Collection.delete` does; `if_present` makes its absence a conflict."""

    key: Key
    if_version: int | None = None
    if_present: bool = False
    op_id: str | None = None
    if_seq: int | None = None


def several(given: Iterable[G], what: str) -> Iterable[G]:
    """What a call of many was given, refused when it is one document, key or write, or nothing.

    A dict or a string can be gone through as well, and its keys or letters would be taken for
    documents. `what` names the call, as its hint shows it. Raises InvalidRequest.
    """
    is_one = isinstance(given, str | bytes | bytearray | Mapping | BaseModel | Put | Delete)
    if is_one or not isinstance(given, Iterable):
        raise InvalidRequest(
            f"{what} takes several, not one {type(given).__name__}",
            hint=f"put it into a list: {what}([…])",
        )
    return given


def check_conditions(
    if_version: object,
    if_seq: object = None,
    *,
    if_absent: bool = False,
    if_present: bool = False,
) -> None:
    """Refuse conditions that are none or that contradict each other; raises InvalidRequest."""
    for name, value in (("if_version", if_version), ("if_seq", if_seq)):
        if value is not None and (type(value) is not int or value < 0):
            raise InvalidRequest(
                f"{name} is {value!r}", hint="pass what a read or a write told", path=name
            )
    if if_absent and (if_present or if_version is not None or if_seq is not None):
        raise InvalidRequest(
            "if_absent stands beside a condition on what is there",
            hint="pass if_absent alone, or if_version",
            path="if_absent",
        )
    if if_present and if_version == 0:
        raise InvalidRequest(
            "if_version 0 means that there is no document, and if_present that there is one",
            hint="pass one of them",
            path="if_version",
        )


def write_of(
    operation: Put | Delete,
    codec: DocumentCodec[Any],
    encoded_of: Callable[[Key], bytes],
    at: int,
) -> Write:
    """The write that an operation is; raises InvalidDocument, InvalidRequest."""
    op_id = op_id_bytes(operation.op_id)
    if_absent = isinstance(operation, Put) and operation.if_absent
    if_version, if_present, if_seq = operation.if_version, operation.if_present, operation.if_seq
    if if_version is not None or if_absent or if_present or if_seq is not None:
        check_conditions(if_version, if_seq, if_absent=if_absent, if_present=if_present)
    body: bytes | None = None
    if isinstance(operation, Delete):
        encoded = encoded_of(operation.key)
    else:
        _, encoded, body = codec.encode(operation.document, operation.key, operation.op_id)
    return Write(encoded, body, at, if_version, if_absent, if_present, op_id, if_seq)
