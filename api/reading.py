"""The commands that read: search, explain, get, scan, dump.

Each asks the public API once and hands the answer to a table or to JSON. None makes a store.
"""

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from api import answers, counts, dumping, options, terminal
from api.json_text import json_option
from api.keys import key_of, prefix_of
from api.opening import reading, searching
from api.text import counted, plain
from docstore import Document, NotFound, SearchResult

TABLE_ROWS = 50
"""Documents a scan shows people when they do not say how many."""
_FILTER_EXAMPLE = '{"price": {"lt": 20000}}'
_QUERY_EXAMPLE = '{"match": {"title": "civic"}}'


def search(
    data: options.Data,
    collection: options.CollectionName,
    q: options.Question = None,
    filter_text: options.FilterText = None,
    query_text: options.QueryText = None,
    sort: options.SortText = None,
    limit: options.Limit = 10,
    offset: options.Offset = 0,
    select: options.Select = None,
    freshness: options.FreshnessText = "current",
    after: options.After = None,
    operator: options.Operator = None,
    facet: options.Facets = None,
    highlight: options.Highlight = False,
    index: options.IndexName = "auto",
    max_fanout: options.MaxFanout = None,
    as_json: options.AsJson = False,
) -> None:
    """Find documents by words, a filter and a query; all that are given must hold."""
    asked = _asked(q, filter_text, query_text, sort, freshness, after, operator)
    fields = None if select is None else [field.strip() for field in select.split(",")]
    with searching(data) as store:
        found = store.collection(collection)
        result = found.search(
            **asked,
            limit=limit,
            offset=offset,
            select=fields,
            facets=counts.facets_option(facet),
            highlight=highlight,
            index=options.index_named(index),
            max_fanout=max_fanout,
        )
        if as_json:
            terminal.show_json(_result_json(result))
        else:
            counts.show_facets(result)
            counts.show_highlights(result)
            answers.show_hits(result, found.key_fields, sort, offset)


def explain(
    data: options.Data,
    collection: options.CollectionName,
    q: options.Question = None,
    filter_text: options.FilterText = None,
    query_text: options.QueryText = None,
    sort: options.SortText = None,
    freshness: options.FreshnessText = "current",
    after: options.After = None,
    operator: options.Operator = None,
    index: options.IndexName = "auto",
    max_fanout: options.MaxFanout = None,
    as_json: options.AsJson = False,
) -> None:
    """Show how a search would be answered: the plan chosen, those rejected, prices, shards."""
    asked = _asked(q, filter_text, query_text, sort, freshness, after, operator)
    with searching(data) as store:
        plan = store.collection(collection).explain(
            **asked, index=options.index_named(index), max_fanout=max_fanout
        )
    if as_json:
        terminal.show_json(plan.as_dict())
    else:
        answers.show_plan(plan)


def get(
    data: options.Data,
    collection: options.CollectionName,
    key: options.KeyText,
    as_json: options.AsJson = False,
) -> None:
    """Print the document under a key; --json adds its key and version."""
    with reading(data) as store:
        found = store.collection(collection)
        document = found.fetch(key_of(found, key))
    if document is None:
        raise NotFound(
            f"there is no document {key!r} in {collection!r}",
            hint=f"see the keys: docstore scan {data} {collection}",
            key=key,
        )
    if as_json:
        terminal.show_json(_document_json(document))
    else:
        terminal.show_json(document.document, indent=True)


def scan(
    data: options.Data,
    collection: options.CollectionName,
    start: Annotated[
        str | None, typer.Option("--start", metavar="KEY", help="The first key to show.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="KEY", help="Stop before this key.")
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            "--prefix",
            metavar="KEY",
            help="Only keys that begin so: characters, or the first parts of a compound key.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", help=f"Default {TABLE_ROWS}, with --json no limit."
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="From the last key back.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show documents in the order of their keys; --json prints one line per document."""
    with reading(data) as store:
        found = store.collection(collection)
        documents = found.scan(
            prefix_of(found, start),
            prefix_of(found, end),
            prefix=prefix_of(found, prefix),
            limit=limit,
            reverse=reverse,
        )
        if as_json:
            terminal.show_json_lines(map(_document_json, documents))
            return
        rows = list(documents if limit is not None else islice(documents, TABLE_ROWS))
        answers.show_documents(rows, found.key_fields)
        if limit is None and next(documents, None) is not None:
            terminal.note(f"the first {TABLE_ROWS}; --limit shows more, --json all of them")


def dump(
    data: options.Data,
    collection: options.CollectionName,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Instead of stdout; .gz compresses."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Write all documents as JSON lines, in the order of their keys; `load` reads them back."""
    with reading(data) as store:
        documents = (each.document for each in store.collection(collection).scan())
        if output is None:
            terminal.show_json_lines(documents)
            return
        count = dumping.dump_to(output, documents)
    if as_json:
        terminal.show_json({"collection": collection, "documents": count, "output": output})
    else:
        terminal.show(f"{counted(count, 'document')} in {plain(str(output))}")


def _asked(
    q: str | None,
    filter_text: str | None,
    query_text: str | None,
    sort: str | None,
    freshness: str,
    after: str | None,
    operator: str | None,
) -> dict[str, Any]:
    """What `search` and `explain` take, with the JSON of the options parsed."""
    return {
        "q": q,
        "filter": json_option(filter_text, "--filter", _FILTER_EXAMPLE),
        "query": json_option(query_text, "--query", _QUERY_EXAMPLE),
        "sort": sort,
        "freshness": freshness,
        "after": after,
        "operator": operator,
    }


def _result_json(result: SearchResult[Any]) -> dict[str, Any]:
    facets = {path: [each._asdict() for each in values] for path, values in result.facets.items()}
    return {
        "total": result.total,
        "took_ms": round(result.took_ms, 3),
        "shards_touched": result.shards_touched,
        "plan": result.plan.as_dict(),
        **({"indexes": [use.as_dict() for use in result.indexes]} if result.indexes else {}),
        "hits": [
            {
                "key": hit.key,
                "score": hit.score,
                "sort": hit.sort,
                "version": hit.version,
                "document": hit.document,
                **({"highlights": hit.highlights} if hit.highlights else {}),
            }
            for hit in result.hits
        ],
        **({"facets": facets} if facets else {}),
    }


def _document_json(document: Document[Any]) -> dict[str, Any]:
    return {"key": document.key, "version": document.version, "document": document.document}
