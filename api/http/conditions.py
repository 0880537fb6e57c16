"""Conditional requests: what If-Match, If-None-Match and Idempotency-Key ask of a write; pure."""

import re
import uuid
from dataclasses import dataclass

from starlette.requests import Request

from docstore import InvalidRequest
from docstore.apply import OP_ID_BYTES_MAX
from docstore.keys import OPERATION_KEYS

_TAG = re.compile(r'"(\d{1,18})(?:-(\d{1,18}))?"')


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold for a write to be made."""

    if_version: int | None = None
    if_present: bool = False
    if_absent: bool = False
    op_id: str | None = None
    if_seq: int | None = None


def conditions_of(request: Request) -> Conditions:
    """The conditions of a write; raises InvalidRequest for a header that says something else."""
    headers = request.headers
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    op_id = headers.get("idempotency-key")
    if match is None and none_match is None and op_id is None:
        return _NONE
    if match is not None and none_match is not None:
        raise InvalidRequest(
            "If-Match and If-None-Match contradict each other", hint="send one of them"
        )
    if none_match not in (None, "*"):
        raise InvalidRequest(
            "If-None-Match of a write can only be *",
            hint="If-None-Match: * writes only what is not there yet",
            path="if-none-match",
        )
    version, seq = (None, None) if match in (None, "*") else revision_of(match)
    return Conditions(
        version, match == "*", none_match == "*", None if op_id is None else _op_id(op_id), seq
    )


def operation_of(op_id: str, number: int) -> str:
    """The op_id of one line of a request: the same whenever the request is sent again."""
    return uuid.uuid5(OPERATION_KEYS, f"{op_id} {number}").hex


def revision_of(tag: str | None) -> tuple[int, int | None]:
    """The version that an entity tag names, and the seq unless it is a version alone.

    Raises InvalidRequest for another form.
    """
    found = _TAG.fullmatch((tag or "").strip())
    if found is None:
        raise InvalidRequest(
            "the entity tag is none of this server's",
            hint='send one ETag as this server gave it, like "3-17", or a version, like "3"',
            path="if-match",
        )
    return int(found[1]), None if found[2] is None else int(found[2])


def is_not_modified(request: Request, tag: str) -> bool:
    """Whether a reader has what this entity tag names already."""
    tags = request.headers.get("if-none-match")
    if tags is None:
        return False
    names = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    return "*" in names or tag in names


def _op_id(text: str) -> str:
    # RFC 8941 strings come in quotes; plain tokens are what most clients send.
    plain = text.strip().strip('"')
    if not plain or not plain.isprintable() or len(plain.encode()) > OP_ID_BYTES_MAX:
        raise InvalidRequest(
            f"the Idempotency-Key has not 1 to {OP_ID_BYTES_MAX} printable characters",
            hint="use a UUID",
            path="idempotency-key",
        )
    return plain


_NONE = Conditions()
