"""Comparing a filled index with documents and with scatter searches, before it is asked.

Some documents of every shard are held against their postings; a sample of the index's terms is
looked up both ways, as of now. Where they differ the document decides, and only one that was not
written or deleted meanwhile counts. A local index that cannot answer proves nothing. Returns what
differs in words; nothing is changed.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from itertools import islice
from typing import Any

from docstore import keys
from docstore.global_index.checking import check_document
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.terms import BEYOND
from docstore.global_index.wanted import Wanted
from docstore.keys import KeySpec
from docstore.queries import execute
from indexing.errors import Corruption, DocstoreError
from indexing.filters import parse_filter
from indexing.local_index import View
from indexing.search import Searches

TERMS_COMPARED = 24
DOCUMENTS_COMPARED = 32
"""Of every shard."""
DOCUMENTS_MAX = 2000
"""Documents of one term that are compared: a frequent one would take long."""
TAIL_ENTRIES = 1000
"""Entries of a log that are read at once."""

Scatter = Callable[[dict[str, Any]], "set[bytes] | None"]
"""The keys of documents with some values, from the local indexes; None when they are too many."""


def scatter_over(views: Callable[[], dict[int, View]], spec: KeySpec, pool: Executor) -> Scatter:
    """Searches over views of all shards."""

    def scatter(values: dict[str, Any]) -> set[bytes] | None:
        try:
            of_now = views()
        except DocstoreError:
            return None  # whoever searches is told
        ready = Searches(parse_filter(values), of_now, str).ready(None)
        found = execute.search(ready, of_now, None, 0, DOCUMENTS_MAX, pool)
        if found.total > DOCUMENTS_MAX:
            return None
        return {keys.from_key_text(spec, key_text) for _, key_text, _, _ in found.ranked}

    return scatter


def settle(index: LiveIndex, numbers: Sequence[int], scatter: Scatter) -> None:
    """Let an index be asked that was filled and is right; else it is emptied.

    Raises Corruption, naming the first difference.
    """
    begun = index.begun
    if index.state(numbers) != "comparing":
        return
    found = next(iter(differences(index, numbers, scatter)), None)
    if index.begun != begun:
        return  # it was emptied meanwhile: what was compared is no more
    if found is None:
        index.promote(begun)
        return
    index.empty()
    raise Corruption(
        f"the index {index.definition.name!r} was filled and differs: {found}",
        hint="it is being filled again; if this stays, check the store",
    )


def differences(index: LiveIndex, numbers: Sequence[int], scatter: Scatter) -> Iterator[str]:
    """What the index says otherwise than a search does, term by term of a sample."""
    index.digest({number: index.shard_of(number).head for number in numbers})
    heads = {number: index.shard_of(number).head for number in numbers}
    for number in numbers:
        for key, record in index.shard_of(number).scan_batch(b"")[:DOCUMENTS_COMPARED]:
            if record.seq <= index.files.floor(number):
                for each in check_document(index, number, key, record):
                    yield f"{key!r}: {each.detail}"
    for name, value in _sample(index):
        term = index.definition.term_named(name)
        found = scatter(dict(zip(index.definition.fields, value, strict=True)))
        if found is None:
            continue
        mine = index.keys_under(Wanted((term,)))
        wrong = [
            key
            for key in mine ^ found
            if not _is_right(index, numbers, key, term, in_index=key in mine)
        ]
        # Read last: whatever was written while the two were looked up is among them.
        written = _written_since(index, heads) if wrong else frozenset()
        for key in wrong:
            if key not in written:
                yield f"{key!r} under {value!r}: {'only' if key in mine else 'not'} in the index"


def _sample(index: LiveIndex) -> list[tuple[bytes, list[Any]]]:
    """Some terms, the first and frequent ones among them, each with its value."""
    if index.extractor.has_words:
        return []  # a word is not a value that a filter finds
    chosen: list[tuple[bytes, list[Any]]] = []
    share = max(1, TERMS_COMPARED // index.definition.partitions)
    for partition in index.files.partitions:
        known = [
            term
            for term, count in islice(partition.counted(), 2000)
            if count < DOCUMENTS_MAX and term != BEYOND
        ]
        for term in random.sample(known, min(share, len(known))):
            rows, _ = partition.rows(term, term + b"\xff", 1)
            if rows:
                posting = partition.posting(rows[0][0], rows[0][1])
                if posting is not None:
                    value = posting.payload[0]
                    chosen.append((term, [value] if index.extractor.is_single else value))
    return chosen


def _is_right(
    index: LiveIndex, numbers: Sequence[int], key: bytes, term: bytes, *, in_index: bool
) -> bool:
    """Whether a document as it is now, or that there is none, agrees with the index."""
    for number in numbers:
        record = index.shard_of(number).get(key)
        if record is not None:
            return in_index == any(
                term == index.definition.term_named(name)
                for rows in index.rows_of(key, number, record)
                for name in rows
            )
    return not in_index


def _written_since(index: LiveIndex, heads: Mapping[int, int]) -> set[bytes]:
    """The keys that were written, or deleted, after a seq of each shard."""
    written: set[bytes] = set()
    for number, head in heads.items():
        shard, after = index.shard_of(number), head
        while after < shard.head and (entries := shard.tail(after, TAIL_ENTRIES)):
            written.update(entry.key for entry, _ in entries)
            after = entries[-1][0].seq
    return written
