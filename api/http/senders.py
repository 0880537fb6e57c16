"""From where a server without keys takes requests: this machine's names, and no other site's pages.

A page of any site can have a person's browser send requests to this machine. Two things give it
away: the name it asks for, when that name was made to lead here (DNS rebinding), and the headers
with which a browser says from which site a request comes. Whoever sends neither of these headers is
no browser, and could as well send what it likes.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from api.http.refusals import CrossSite, UntrustedHost

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; what they answer, a browser shows to pages of this origin only."""
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_OWN = ("same-origin", "none")
"""What `Sec-Fetch-Site` says of a page of this origin, and of a person who typed the address."""


class Senders:
    """Who is heard: `hosts` are names besides this machine's own, `origins` other sites' pages."""

    def __init__(self, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
        self._hosts = {*_LOCAL, *hosts}
        self._origins = frozenset(origins)

    def check(self, request: Request) -> None:
        """Raise UntrustedHost or CrossSite when a request may be another site's doing."""
        host = request.headers.get("host", "")
        name, _, port = host.rpartition(":")
        if host not in self._hosts and not (name in self._hosts and port.isdigit()):
            raise UntrustedHost(
                f"without API keys this server is not known as {host[:100]!r}",
                hint="ask it as localhost, or add the name to the setting trusted_hosts",
            )
        self.check_site(request)

    def check_site(self, request: Request) -> None:
        """Raise CrossSite when a browser sends what can change something for another site."""
        if request.method not in SAFE_METHODS and not self._is_from_here(request):
            origin = request.headers.get("origin", "")
            raise CrossSite(
                f"a page of another site sent this ({origin[:100] or 'it does not say which'})",
                hint="send it from a page of this server, or add that site to the setting "
                "cors_origins",
            )

    def _is_from_here(self, request: Request) -> bool:
        """Whether a page of this origin, one the settings name, or no browser sends a request.

        `Sec-Fetch-Site` is the browser's own judgement, which holds behind a proxy that changes the
        host too; browsers that do not send it are known by their origin alone.
        """
        origin = request.headers.get("origin")
        if origin is not None and (origin in self._origins or "*" in self._origins):
            return True
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site in _OWN
        return origin is None or _host_of(origin) == request.headers.get("host")


def _host_of(origin: str) -> str | None:
    """Host and port of an origin; None for one that hides where it is or is none."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
