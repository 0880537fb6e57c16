"""Every error this project raises, as one tree grouped by what the caller can do.

DocstoreError
├── InvalidRequest      change the request; nothing was done
│   ├── InvalidCluster      nodes, partitions or an event that cannot be planned for
│   ├── InvalidDocument     a document, its key or a field of it
│   ├── InvalidQuery        a query, filter, sort or page
│   └── InvalidSchema       a schema, analyzer or collection definition
├── NotFound            the named collection or document does not exist
│   └── LogTrimmed          the changes asked for are no longer in the log
├── AlreadyExists       the named collection exists
├── VersionConflict     a condition of a write did not hold; read again and decide
├── Unavailable         busy, locked or out of room; `retryable` says whether to try again
├── Corruption          what is on disk breaks an invariant; `check` and `rebuild` help
└── Closed              the store was closed

The tree stands in the lowest room because every room raises from it. Each error carries a stable
`code` for programs, `data` for messages and logs, and a `hint` that says what to do. A foreign
exception is translated once, in the file that imports its library.
"""

from typing import Any, ClassVar


class DocstoreError(Exception):
    """The root: `code` is stable, `hint` says what to do, `data` holds the facts."""

    code: ClassVar[str] = "error"
    retryable: bool = False

    def __init__(self, message: str, *, hint: str = "", **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-ready data: code, message, hint, retryable and the facts."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            **self.data,
        }


class InvalidRequest(DocstoreError):
    """The request cannot be carried out as it is; nothing was done."""

    code = "invalid-request"


class InvalidCluster(InvalidRequest):
    """Nodes, partitions, replicas, an event or a policy; `data` holds what is at fault."""

    code = "invalid-cluster"


class InvalidDocument(InvalidRequest):
    """A document, its key or one of its fields; `data` holds `field` where one is at fault."""

    code = "invalid-document"


class InvalidQuery(InvalidRequest):
    """A query, filter, sort or page; `data` holds `path`, the place inside the query."""

    code = "invalid-query"


class InvalidSchema(InvalidRequest):
    """A schema, an analyzer, a key specification or a collection's name."""

    code = "invalid-schema"


class NotFound(DocstoreError):
    """The named collection or document does not exist."""

    code = "not-found"


class LogTrimmed(NotFound):
    """Changes after a position were forgotten; `data["oldest"]` is where the log begins now."""

    code = "log-trimmed"


class AlreadyExists(DocstoreError):
    """A collection of that name exists."""

    code = "already-exists"


class VersionConflict(DocstoreError):
    """`if_version`, `if_absent` or `if_present` did not hold; `data["current"]` is 0 if absent."""

    code = "version-conflict"


class Unavailable(DocstoreError):
    """The store cannot serve this now: locked by another process, out of room, or behind."""

    code = "unavailable"

    def __init__(
        self, message: str, *, hint: str = "", retryable: bool = False, **data: Any
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.retryable = retryable


class DeadlineExceeded(Unavailable):
    """It was not answered in the time it had."""

    code = "deadline-exceeded"


class Corruption(DocstoreError):
    """What is on disk breaks an invariant or was written by a newer format."""

    code = "corruption"


class Closed(DocstoreError):
    """The store was closed; open it again."""

    code = "closed"
