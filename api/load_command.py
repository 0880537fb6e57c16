"""The command `load`: files of JSON lines into a collection, which it makes when it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from api import failures, load_target, options, terminal
from api.lines import STDIN, Line, Reader, Source, source_of
from api.load import Interrupts, Loader, Stopped, Tally, batches
from api.load_progress import LoadProgress
from api.load_report import LoadReport
from api.text import counted
from docstore import Collection, InvalidRequest, Store

BATCH_DOCUMENTS = 2000
"""Written together: the cost of a durable commit is spread thin, and memory stays small."""
BATCH_DOCUMENTS_MAX = 100_000

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="JSON lines, plain or gzip; - is standard input."),
]
KeyFields = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="FIELD",
        help="The field that holds the key (default id); several, repeated or with commas, "
        "make a compound key.",
    ),
]
SchemaText = Annotated[
    str,
    typer.Option(
        "--schema",
        metavar="FILE|infer|none",
        help="Of a new collection: a JSON file; inferred from the first "
        f"{load_target.SAMPLE_DOCUMENTS:,} documents; or none, to index whatever arrives.",
    ),
]
Partitions = Annotated[
    int | None,
    typer.Option(
        "--partitions",
        metavar="N",
        help=f"Of a new collection, at first (default {load_target.PARTITIONS}).",
    ),
]
IsRange = Annotated[
    bool,
    typer.Option("--range", help="Of a new collection: partitions of key ranges, one at first."),
]
PreSplit = Annotated[
    list[str] | None,
    typer.Option(
        "--pre-split",
        metavar="KEY",
        help="The same, cut at this key at first, or its first parts; repeated, ascending.",
    ),
]
Batch = Annotated[
    int,
    typer.Option(
        "--batch", metavar="N", min=1, max=BATCH_DOCUMENTS_MAX, help="Documents written together."
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Begin at the first line, not where a load stopped.")
]
StopOnError = Annotated[
    bool, typer.Option("--stop-on-error", help="Stop at the first batch with a refused line.")
]


def load(
    data: options.Data,
    collection: options.CollectionName,
    files: Files,
    key: KeyFields = None,
    schema: SchemaText = load_target.INFER,
    partitions: Partitions = None,
    is_range: IsRange = False,
    pre_split: PreSplit = None,
    batch: Batch = BATCH_DOCUMENTS,
    restart: Restart = False,
    stop_on_error: StopOnError = False,
    as_json: options.AsJson = False,
) -> None:
    """Load documents from files, one JSON object per line; makes the store and the collection.

    A load that was stopped goes on where it was when the same command is run again. Lines that
    are refused are reported and left out. Documents without a key get one.
    """
    sources = _sources(files)
    if partitions is not None and (is_range or pre_split):
        raise InvalidRequest(
            "--partitions is of hashed keys; ranges have as many as their bounds say",
            hint="leave --partitions out, or --range and --pre-split",
        )
    wanted = load_target.Wanted(
        collection,
        load_target.key_fields_of(key),
        schema,
        partitions,
        is_range or bool(pre_split),
        tuple(pre_split or ()),
    )
    if schema not in (load_target.INFER, load_target.NONE):
        load_target.schema_in(schema)  # a wrong file is told before a store is made
    interrupts = Interrupts()
    with interrupts.handled(), Store.open(data) as store:
        target = load_target.existing(store, wanted)
        progress = LoadProgress(store.path / collection)
        identities = [source.identity for source in sources if source.identity]
        if restart and target is not None:
            progress.forget(identities)
        done = {identity: progress.mark_of(identity).lines for identity in identities}
        reader = Reader(sources)
        lines: Iterator[Line] = reader.lines(done)
        if target is None:
            sample, lines = load_target.sampled(lines)
            target = load_target.create(store, wanted, load_target.documents_of(sample))
        tally = Tally(refused_before=sum(progress.mark_of(each).refused for each in identities))
        _tell_resumed(sources, done, as_json=as_json)
        with LoadReport(collection, tally, reader.bytes_total, as_json=as_json) as report:
            loader = Loader(target, progress, tally, report.refused, stop_on_error=stop_on_error)
            with _told_how_to_go_on(as_json=as_json):
                is_stopped = _run(loader, lines, batch, interrupts, reader, report)
                report.indexing()
                target.refresh()
        if not is_stopped:
            progress.forget(identities)
        _summary(target, tally, sum(done.values()), loader.generates_for, as_json=as_json)
    if tally.refused or tally.refused_before:
        raise typer.Exit(failures.SOMETHING_REFUSED)


def _sources(files: list[str]) -> list[Source]:
    """What to load, each file once; raises before anything is made."""
    if files.count(STDIN) > 1:
        raise InvalidRequest("standard input is named twice", hint="name - once")
    return [source_of(file) for file in dict.fromkeys(files)]


def _run(
    loader: Loader,
    lines: Iterator[Line],
    batch: int,
    interrupts: Interrupts,
    reader: Reader,
    report: LoadReport,
) -> bool:
    """Load all lines; returns whether the load stopped at a refused one."""
    for each in batches(lines, batch):
        try:
            with interrupts.guarded():
                loader.load(each)
        except Stopped:
            return True
        report.advanced(reader.bytes_read)
    return False


@contextmanager
def _told_how_to_go_on(*, as_json: bool) -> Iterator[None]:
    """On Ctrl-C, say that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        if not as_json:
            terminal.note("what was loaded is safe; the same command goes on from here")
        raise


def _tell_resumed(sources: list[Source], done: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        return
    for source in sources:
        if source.identity and (lines := done[source.identity]):
            terminal.note(
                f"{source.name}: going on after line {lines:,}; --restart begins at the first"
            )


def _summary(
    collection: Collection[Any],
    tally: Tally,
    resumed_after: int,
    generated_field: str | None,
    *,
    as_json: bool,
) -> None:
    documents = collection.count()
    if as_json:
        terminal.show_json(
            {
                "collection": collection.name,
                "documents": documents,
                "loaded": tally.loaded,
                "refused": tally.refused + tally.refused_before,
                "generated_keys": tally.generated,
                "resumed_after_lines": resumed_after,
                "seconds": round(tally.seconds, 3),
                "docs_per_second": round(tally.rate),
            }
        )
        return
    if tally.generated:
        terminal.note(
            f"{counted(tally.generated, 'document')} had no {generated_field!r}; "
            "keys were made for them"
        )
    if tally.refused or tally.refused_before:
        before = f" ({tally.refused_before:,} of them before)" if tally.refused_before else ""
        refused = counted(tally.refused + tally.refused_before, "line")
        terminal.note(f"refused {refused}{before}")
    held = counted(documents, "document")
    terminal.show(f"{held} in {collection.name}, {tally.rate:,.0f} docs/s")
