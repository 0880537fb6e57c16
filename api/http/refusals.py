"""What only a server can refuse: requests that never reach the store. Leaves of the error tree."""

from typing import Any

from docstore import InvalidRequest, NotFound, Unavailable


class Unauthorized(InvalidRequest):
    """The request carries no key, or one that is not known."""

    code = "unauthorized"


class Forbidden(InvalidRequest):
    """The key is known and may not do this."""

    code = "forbidden"


class UntrustedHost(InvalidRequest):
    """Without API keys the server is asked only by names it is known to have."""

    code = "untrusted-host"


class CrossSite(InvalidRequest):
    """A page of another site had a browser send what could change something."""

    code = "cross-site"


class UnknownRoute(NotFound):
    """No route has this path."""

    code = "unknown-route"


class MethodNotAllowed(InvalidRequest):
    """The path takes other methods; `data` holds `allowed`."""

    code = "method-not-allowed"


class NotAcceptable(InvalidRequest):
    """The route cannot answer in any form the client accepts."""

    code = "not-acceptable"


class SlowBody(InvalidRequest):
    """The client paused too long within its body."""

    code = "body-timeout"


class IncompleteBody(InvalidRequest):
    """The client went away, or stopped sending, before its body's end."""

    code = "incomplete-body"


class TooLarge(InvalidRequest):
    """The body, or a line of it, is larger than allowed; `data` holds `bytes_max`."""

    code = "too-large"


class HeadTooLarge(InvalidRequest):
    """The request line and the headers are larger than allowed."""

    code = "head-too-large"


class SlowHead(InvalidRequest):
    """The request line and the headers did not come in time."""

    code = "head-timeout"


class UnsupportedMediaType(InvalidRequest):
    """The body's content type is not one the route reads."""

    code = "unsupported-media-type"


class Busy(Unavailable):
    """As many of these run already as are allowed; try again soon."""

    code = "busy"

    def __init__(self, message: str, *, hint: str = "", **data: Any) -> None:
        super().__init__(message, hint=hint, retryable=True, **data)
