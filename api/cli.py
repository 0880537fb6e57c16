"""The command line `docstore`: its commands, each with the example that its help ends with.

The commands themselves are in the modules named here; how they fail is in `failures`.
"""

import io
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from api.advise_command import advise
from api.auto_split_command import auto_split
from api.demo_command import demo_command
from api.failures import EXIT_CODES_HELP, Command
from api.hot_keys_command import hot_keys_command
from api.hot_terms_command import hot_terms_command
from api.index_command import index
from api.keys_command import keys
from api.load_command import load
from api.operating import check, collections, drop, rebuild, stats
from api.partitions_command import merge, split
from api.reading import dump, explain, get, scan, search
from api.salt_command import salt
from api.serve_command import serve_command
from api.simulate import simulate
from api.version import VERSION
from api.writing import delete, put

app = typer.Typer(
    name="docstore",
    help="A search-oriented document store. DATA is the store's directory.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("Documents", load, "docstore load ./data cars listings.jsonl.gz --key id"),
    ("Documents", get, "docstore get ./data cars car-000001"),
    ("Documents", put, """docstore put ./data cars '{"id": "car-1", "make": "honda"}'"""),
    ("Documents", delete, "docstore delete ./data cars car-1 car-2"),
    ("Documents", scan, "docstore scan ./data cars --prefix car-0001 --limit 20"),
    ("Documents", dump, "docstore dump ./data cars --output cars.jsonl.gz"),
    (
        "Search",
        search,
        """docstore search ./data cars "ford f-150" --filter '{"price": {"lt": 10000}}'""",
    ),
    ("Search", explain, """docstore explain ./data cars --filter '{"id": "car-000001"}'"""),
    ("Server", demo_command, "docstore demo --listings cars.jsonl.gz"),
    ("Server", serve_command, "docstore serve ./data --port 8000"),
    ("Server", hot_keys_command, "docstore hot-keys http://localhost:8000 cars"),
    ("Server", hot_terms_command, "docstore hot-terms http://localhost:8000 cars"),
    ("Store", collections, "docstore collections ./data"),
    ("Store", stats, "docstore stats ./data cars"),
    ("Store", check, "docstore check ./data"),
    ("Store", rebuild, "docstore rebuild ./data cars --partition 2"),
    ("Store", advise, "docstore advise ./data cars --workload asked.jsonl"),
    ("Store", split, "docstore split ./data cars 2"),
    ("Store", merge, "docstore merge ./data cars 4 5"),
    ("Store", auto_split, "docstore auto-split ./data cars --documents 500000"),
    ("Store", salt, "docstore salt ./data sales seller-42 --fan 8"),
    ("Store", drop, "docstore drop ./data cars --yes"),
    (
        "Planning",
        simulate,
        "docstore simulate --nodes 10 --partitions 1000 --event join --html moves.html",
    ),
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"docstore {VERSION}")
        raise typer.Exit


@app.callback()
def _any_command(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


for _panel, _command, _example in _COMMANDS:
    app.command(
        _command.__name__.removesuffix("_command").replace("_", "-"),
        cls=Command,
        rich_help_panel=_panel,
        epilog=f"Example:\n\n{_example}",
        # The simulator has a default for everything; any other command needs an argument.
        no_args_is_help=_command not in (demo_command, simulate),
    )(_command)

app.add_typer(keys, name="keys", rich_help_panel="Server")
app.add_typer(index, name="index", rich_help_panel="Store")


def main() -> None:
    """The console entry: run the command that was typed and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not an error.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="docstore")
