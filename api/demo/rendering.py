"""Pages as answers: templates filled, safe headers, errors shown to people, files of the site.

Everything a listing holds is escaped by the templates; the content security policy allows no
script or style but the site's own files, so what should slip through does nothing.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

import api
from api import changes_text
from api.demo import wording
from api.http.problems import problem
from docstore import DocstoreError, NotFound

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("api", "templates/site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["path"] = lambda key: quote(str(key), safe="")
    environment.filters["marked"] = Markup  # fragments of the store are escaped already
    environment.globals["wording"] = wording
    environment.globals["changes"] = changes_text
    return environment


def rendered(template: str, **values: Any) -> str:
    """A template filled."""
    return _environment().get_template(template).render(**values)


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of the site."""
    headers = {"content-security-policy": CONTENT_SECURITY, "referrer-policy": "same-origin"}
    return HTMLResponse(rendered(template, **values), status, headers)


def problem_page(error: DocstoreError) -> Response:
    """An error in words, with what to do about it."""
    told: Mapping[str, Any] = problem(error)
    return page("problem.html", status=told["status"], problem=told)


def asset(name: str) -> Response:
    """A file of the site by its exact name; raises NotFound."""
    found = _assets().get(name)
    if found is None:
        raise NotFound("there is no such file", hint="go to the listings")
    data, kind = found
    # Looked at again each time: what is shown must fit the page that asks for it.
    return Response(data, 200, {"cache-control": "no-cache"}, kind)


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    """All files, read once: a request can only name one of these."""
    (room,) = api.__path__
    folder = Path(room) / "static"
    return {
        each.name: (each.read_bytes(), _TYPES[each.suffix])
        for each in folder.iterdir()
        if each.suffix in _TYPES
    }
