"""The command that shows the store: it loads listings of used cars and serves a site over them."""

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from api import terminal
from api.demo import loading
from api.demo.site import routes
from api.http.server import check_exposure, serve
from api.http.settings import load_settings
from docstore import Store

Data = Annotated[
    Path,
    typer.Argument(metavar="[DATA]", help="The directory of its store (default ./demo-data)."),
]


def demo_command(
    data: Data = Path("demo-data"),
    listings: Annotated[
        Path | None,
        typer.Option("--listings", metavar="FILE", help="Cars to load: JSON lines, plain or gzip."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", metavar="N", help="Default 8000; 0 takes any.")
    ] = None,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open the site (default: at a terminal)."),
    ] = None,
) -> None:
    """Load listings of used cars and serve a site to search them, beside the JSON HTTP API.

    Without --listings it loads the 3,000 that come along. What you change stays in DATA.
    """
    # A line for every request would bury what a person wants to read here.
    settings = load_settings(None, port=port, access_log=False)
    check_exposure(settings)
    opens = sys.stdout.isatty() if browser is None else browser
    with Store.open(data) as store:
        count = loading.prepare(store, listings)

        def ready(url: str) -> None:
            terminal.note(f"{count:,} listings at {url}/ , the console at {url}/console")
            if opens:
                webbrowser.open(url)

        try:
            serve(store, settings, ready, routes)
        except KeyboardInterrupt:
            terminal.note("stopped")
