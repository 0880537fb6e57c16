"""The command that serves a store over HTTP."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from api import options, terminal
from api.http.server import check_exposure, serve
from api.http.settings import Settings, load_settings
from docstore import Relief, Store


def serve_command(
    data: options.Data,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Default 127.0.0.1; others need API keys."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", metavar="N", help="Default 8000; 0 takes any.")
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option("--api-key-file", metavar="FILE", help="Made with docstore keys add."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="TOML with any of the server's settings."),
    ] = None,
    auto_split: Annotated[
        bool | None,
        typer.Option(
            "--auto-split/--no-auto-split",
            help="Split partitions above their limits, merge small ones, unasked (the default).",
        ),
    ] = None,
    auto_salt: Annotated[
        bool | None,
        typer.Option("--auto-salt/--no-auto-salt", help="Salt keys that stay hot, unasked."),
    ] = None,
    record_workload: Annotated[
        Path | None,
        typer.Option(
            "--record-workload",
            metavar="FILE",
            help="Write what is asked, keys and queries, for docstore advise; up to 64 MiB.",
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Follow a store that another process writes.")
    ] = False,
) -> None:
    """Serve a store as a JSON HTTP API until stopped; makes the store if there is none.

    Every setting can also come from the environment (DOCSTORE_PORT) or the --config file.
    """
    settings = load_settings(
        config,
        host=host,
        port=port,
        api_key_file=api_key_file,
        auto_split=auto_split,
        auto_salt=auto_salt,
    )
    check_exposure(settings)
    opened = Store.open(data, read_only=read_only, auto_split=settings.auto_split)
    with opened as store, _policy(store, settings), _recording(store, record_workload):
        try:
            serve(store, settings, lambda url: _tell(data, url))
        except KeyboardInterrupt:
            terminal.note("stopped")


def _tell(data: Path, url: str) -> None:
    terminal.note(f"serving {data} at {url}")
    terminal.note("open /docs there to see the API; /v1/collections is where it begins")


def _policy(store: Store, settings: Settings) -> AbstractContextManager[object]:
    return Relief(store) if settings.auto_salt and not store.read_only else nullcontext()


def _recording(store: Store, path: Path | None) -> AbstractContextManager[object]:
    return nullcontext() if path is None else store.record(path)
