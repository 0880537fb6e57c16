"""Writes as values: what `write_many` takes, so that writes of many callers can travel together.

A condition belongs to its operation: of a batch some may succeed and some conflict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docstore.apply import Write, op_id_bytes
from docstore.documents import DocumentCodec
from docstore.types import Key


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


def write_of(
    operation: Put | Delete,
    codec: DocumentCodec[Any],
    encoded_of: Callable[[Key], bytes],
    at: int,
) -> Write:
    """The write that an operation is; raises InvalidDocument, InvalidRequest."""
    op_id = op_id_bytes(operation.op_id)
    if isinstance(operation, Delete):
        encoded, body, if_absent = encoded_of(operation.key), None, False
    else:
        _, encoded, body = codec.encode(operation.document, operation.key, operation.op_id)
        if_absent = operation.if_absent
    conditions = operation.if_version, if_absent, operation.if_present
    return Write(encoded, body, at, *conditions, op_id, operation.if_seq)
