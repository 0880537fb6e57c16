"""Errors as RFC 9457 problems: the one table from the error tree to HTTP statuses.

Invariants: every class of the tree has a status; a problem's `type` is stable, and a page under
that path says what it means; nothing of the file system and no traceback is in an answer.
"""

import re
from typing import Any

from starlette.responses import Response

from api.http import refusals
from api.http.conditions import etag
from api.json_text import json_bytes
from docstore import (
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

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"
RETRY_AFTER_SECONDS = 1
"""What a client is told to wait before it repeats what was refused for lack of room."""

STATUSES: dict[type[DocstoreError], tuple[int, str]] = {
    DocstoreError: (500, "Something went wrong inside"),
    InvalidRequest: (400, "The request cannot be carried out as it is"),
    InvalidDocument: (422, "The document does not fit the collection"),
    InvalidQuery: (400, "The query is not one that can be asked"),
    InvalidCluster: (400, "The cluster is not one that can be planned"),
    InvalidSchema: (422, "The definition of the collection is wrong"),
    NotFound: (404, "There is nothing of that name"),
    LogTrimmed: (410, "The log no longer holds these changes"),
    AlreadyExists: (409, "It exists already"),
    VersionConflict: (412, "The document is not at the version the request names"),
    Unavailable: (503, "The store cannot do this now"),
    Corruption: (500, "What is on disk breaks an invariant"),
    Closed: (503, "The store is closed"),
    refusals.Unauthorized: (401, "An API key is needed"),
    refusals.Forbidden: (403, "The API key does not allow this"),
    refusals.UntrustedHost: (403, "The server is not known by this name"),
    refusals.CrossSite: (403, "This came from another site"),
    refusals.UnknownRoute: (404, "There is no such path"),
    refusals.MethodNotAllowed: (405, "The path does not take this method"),
    refusals.NotAcceptable: (406, "The answer has no form the client accepts"),
    refusals.SlowBody: (408, "The body did not come in time"),
    refusals.IncompleteBody: (400, "The body ended before its end"),
    refusals.TooLarge: (413, "The body is too large"),
    refusals.HeadTooLarge: (431, "The headers are too large"),
    refusals.SlowHead: (408, "The headers did not come in time"),
    refusals.UnsupportedMediaType: (415, "The body is of another kind than the path reads"),
    refusals.Busy: (503, "Too much of this is going on"),
    DeadlineExceeded: (504, "It took longer than allowed"),
}
"""Status and title of every kind of error. Clients branch on these: they never change."""

_PATH = re.compile(r"(?<![\w:/])/(?:[\w.@%+-]+/)+[\w.@%+-]*")
"""An absolute path of the file system, as messages about files quote it."""


def problem(error: DocstoreError, request_id: str = "") -> dict[str, Any]:
    """The members of an error's problem object."""
    status, title = STATUSES[type(error)]
    members: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": title,
        "status": status,
        "detail": error.message,
        "code": error.code,
        "retryable": error.retryable,
    }
    if error.hint:
        members["hint"] = error.hint
    path = error.data.get("path", error.data.get("field"))
    if path is not None:
        members["path"] = path
    if error.data:
        members["data"] = error.data
    if request_id:
        members["request_id"] = request_id
    return _without_paths(members) if status >= 500 else members


def problem_response(error: DocstoreError, request_id: str, mark: str = "") -> Response:
    """The whole answer that an error becomes; `mark` is that of the collection it is about."""
    members = problem(error, request_id)
    headers: dict[str, str] = {}
    if isinstance(error, refusals.Unauthorized):
        headers["www-authenticate"] = "Bearer"
    elif isinstance(error, refusals.MethodNotAllowed):
        headers["allow"] = ", ".join(error.data["allowed"])
    elif isinstance(error, VersionConflict) and error.data.get("current"):
        headers["etag"] = etag(error.data["current"], error.data["seq"], mark)
    if error.retryable:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return Response(json_bytes(members), members["status"], headers, MEDIA_TYPE)


def internal(error: BaseException) -> DocstoreError:
    """What a client is told of a mistake in this program: nothing but that it was one."""
    return DocstoreError(
        "the server made a mistake answering this",
        hint="report it with the request id: the server's log has the details",
        kind=type(error).__name__,
    )


def _without_paths(value: Any) -> Any:
    """The value with absolute paths in its texts reduced to their last name."""
    if isinstance(value, str) and not value.startswith(TYPE_PREFIX):
        return _PATH.sub(lambda found: found[0].rstrip("/").rpartition("/")[2], value)
    if isinstance(value, dict):
        return {name: _without_paths(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_paths(each) for each in value]
    return value
