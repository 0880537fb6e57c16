"""Problems of the HTTP API turned back into the errors they were made from.

Invariant: every class of the error tree has its code in `ERRORS`. What only a server can refuse
(an API key, a body that is too large) is the nearest class of the tree, with the server's own code
in `data["problem"]`.
"""

from typing import Any

import orjson

from indexing.errors import (
    AlreadyExists,
    Closed,
    Corruption,
    DeadlineExceeded,
    DocstoreError,
    InvalidCluster,
    InvalidDocument,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    LogTrimmed,
    NotFound,
    Unavailable,
    VersionConflict,
)

ERRORS: dict[str, type[DocstoreError]] = {
    kind.code: kind
    for kind in (
        DocstoreError,
        InvalidRequest,
        InvalidCluster,
        InvalidDocument,
        InvalidQuery,
        InvalidSchema,
        NotFound,
        LogTrimmed,
        AlreadyExists,
        VersionConflict,
        Unavailable,
        DeadlineExceeded,
        Corruption,
        Closed,
    )
}
"""The class of every code."""

RETRY_STATUSES = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed, unless the problem says it will not."""


def error_of(members: Any, status: int) -> DocstoreError:
    """The error that a problem's members describe."""
    if not isinstance(members, dict) or not isinstance(members.get("code"), str):
        return foreign(status)
    code, detail = members["code"], str(members.get("detail", ""))
    data = members.get("data")
    facts: dict[str, Any] = {str(name): value for name, value in data.items()} if data else {}
    kind = ERRORS.get(code)
    if kind is None:
        kind = Unavailable if status in RETRY_STATUSES else _kind_of(status)
        facts["problem"] = code
    # Set afterwards: a fact may have the name of a parameter.
    error = kind(detail, hint=str(members.get("hint", "")))
    error.data = facts
    error.retryable = members.get("retryable") is True
    return error


def problem_of(body: bytes, status: int) -> DocstoreError:
    """The error in the body of an answer that is no success."""
    try:
        return error_of(orjson.loads(body), status)
    except orjson.JSONDecodeError:
        return foreign(status)


def foreign(status: int) -> DocstoreError:
    """The error for an answer that no docstore gives."""
    return Unavailable(
        f"what answered with status {status} is not a docstore server",
        hint="check the address, and what stands between you and the server",
        retryable=status in RETRY_STATUSES,
        status=status,
    )


def _kind_of(status: int) -> type[DocstoreError]:
    if status == 404:
        return NotFound
    return InvalidRequest if 400 <= status < 500 else DocstoreError
