"""The command `auto-split`: when the partitions of a collection are split and merged unasked."""

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from api import options, terminal
from api.changes_text import limits_text
from api.opening import reading, writing
from docstore import AutoSplit, InvalidRequest


def auto_split(
    data: options.Data,
    collection: options.CollectionName,
    is_on: Annotated[
        bool | None,
        typer.Option("--on/--off", help="With the limits it had or the default ones; or never."),
    ] = None,
    documents: Annotated[
        int | None, typer.Option("--documents", metavar="N", help="Split above; 0 is no limit.")
    ] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", metavar="N", help="Split above; 0 is no limit.")
    ] = None,
    writes_per_second: Annotated[
        float | None,
        typer.Option("--writes-per-second", metavar="X", help="Split above; 0 is no limit."),
    ] = None,
    merge_below: Annotated[
        float | None,
        typer.Option(
            "--merge-below", metavar="SHARE", help="Of every limit; 0 never merges, 0.5 at most."
        ),
    ] = None,
    window_seconds: Annotated[
        float | None,
        typer.Option("--window", metavar="SECONDS", help="How long a load must stand."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show or say when partitions are split and merged by themselves; serving processes do it."""
    given: dict[str, Any] = {
        "documents": documents,
        "bytes": size,
        "writes_per_second": writes_per_second,
    }
    asked: dict[str, Any] = {
        name: value or None for name, value in given.items() if value is not None
    }
    if merge_below is not None:
        asked["merge_below"] = merge_below
    if window_seconds is not None:
        asked["window_seconds"] = window_seconds
    if is_on is None and not asked:
        with reading(data) as store:
            _show(store.collection(collection).auto_split(), as_json=as_json)
        return
    if is_on is False and asked:
        raise InvalidRequest("--off takes no limits", hint="leave --off out to set limits")
    with writing(data) as store:
        found = store.collection(collection)
        limits = replace(found.auto_split() or AutoSplit(), **asked)
        found.set_auto_split(limits if is_on is not False else False)
        _show(found.auto_split(), as_json=as_json)


def _show(limits: AutoSplit | None, *, as_json: bool) -> None:
    form = None if limits is None else asdict(limits)
    if as_json:
        terminal.show_json({"limits": form})
    else:
        terminal.show(limits_text(form))
