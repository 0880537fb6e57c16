"""The arguments and options that several commands share, each worded once."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Argument(metavar="DATA", help="The store's directory.")]
CollectionName = Annotated[str, typer.Argument(metavar="COLLECTION", help="The collection's name.")]
KeyText = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="The document's key; the parts of a compound key with commas between them, "
        "or as a JSON list.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs; errors become JSON on stderr.")
]

Question = Annotated[
    str | None,
    typer.Argument(
        metavar="[Q]",
        help='Words as a person types them: "exact phrase", +must, -not, field:value. '
        "Before a first word with a minus, write --.",
    ),
]
FilterText = Annotated[
    str | None,
    typer.Option(
        "--filter", metavar="JSON", help='Conditions that do not score: {"price": {"lt": 20000}}.'
    ),
]
QueryText = Annotated[
    str | None,
    typer.Option("--query", metavar="JSON", help='A query object: {"match": {"title": "civic"}}.'),
]
SortText = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="FIELD", help="price, price:desc or -price; without it, by score."
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", help="Hits to show.")]
Offset = Annotated[int, typer.Option("--offset", metavar="N", help="Hits to pass over first.")]
Select = Annotated[
    str | None,
    typer.Option("--select", metavar="A,B", help="Only these fields of each document."),
]
FreshnessText = Annotated[
    str,
    typer.Option(
        "--freshness", metavar="current|any", help="See every write before it, or never wait."
    ),
]
After = Annotated[
    str | None,
    typer.Option("--after", metavar="POSITION", help="See at least this write, like 3@1:57."),
]
Operator = Annotated[
    str | None,
    typer.Option(
        "--operator",
        metavar="or|and",
        help="Any plain word of Q will do (default by score), or all must occur (default sorted).",
    ),
]
Facets = Annotated[
    list[str] | None,
    typer.Option(
        "--facet",
        metavar="FIELD[:N]",
        help="Count the field's N most frequent values (10); may be given several times.",
    ),
]
Highlight = Annotated[
    bool, typer.Option("--highlight", help="Show where in each document the words were found.")
]
IndexName = Annotated[
    str,
    typer.Option(
        "--index",
        metavar="NAME",
        help="Answer from this global index; auto takes the cheapest way, none takes no index.",
    ),
]
MaxFanout = Annotated[
    int | None,
    typer.Option(
        "--max-fanout",
        metavar="N",
        help="Ask at most so many shards and index partitions, or say what would ask fewer.",
    ),
]


def index_named(text: str) -> str | None:
    """What a search takes as its index."""
    return None if text == "none" else text
