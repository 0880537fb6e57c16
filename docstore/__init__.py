"""A search-oriented document store with secondary indexing, partitioned from the first day.

`Store.open(path)` gives a store, `store.create_collection(name, Model)` a collection of documents
that can be put, read by key and searched. Everything an embedding program needs is named here.
"""

from docstore.advising.advice import Advice
from docstore.advising.observing import advise
from docstore.client.connecting import aconnect, connect
from docstore.collection import Collection
from docstore.global_index.definition import GlobalIndex
from docstore.growing.limits import AutoSplit
from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.proposing import HotKey
from docstore.hot_keys.relief import Relief
from docstore.key_ranges import Range
from docstore.keys import Key
from docstore.operations import Delete, Put
from docstore.partitioning import Hash
from docstore.queries.paging import after_hit
from docstore.store import Store
from docstore.types import (
    BatchResult,
    Candidate,
    Change,
    DeleteResult,
    Document,
    FailedWrite,
    Hit,
    PartitionChange,
    Plan,
    Position,
    SearchResult,
    Violation,
    WriteResult,
)
from indexing.counts import Bucket, Completion, Histogram, ValueCount
from indexing.errors import (
    AlreadyExists,
    Closed,
    Corruption,
    DeadlineExceeded,
    DocstoreError,
    InvalidCluster,
    InvalidDocument,
    InvalidQuery,
    InvalidRequest,
    InvalidSchema,
    LogTrimmed,
    NotFound,
    Unavailable,
    VersionConflict,
)
from indexing.models import Keyword, Text
from indexing.passes import Sort
from indexing.schema import Schema

__all__ = [
    "Advice",
    "AlreadyExists",
    "AutoSplit",
    "BatchResult",
    "Bucket",
    "Candidate",
    "Change",
    "Closed",
    "Collection",
    "Completion",
    "Corruption",
    "DeadlineExceeded",
    "Delete",
    "DeleteResult",
    "DocstoreError",
    "Document",
    "FailedWrite",
    "GlobalIndex",
    "Hash",
    "Histogram",
    "Hit",
    "HotKey",
    "HotTerm",
    "InvalidCluster",
    "InvalidDocument",
    "InvalidQuery",
    "InvalidRequest",
    "InvalidSchema",
    "Key",
    "Keyword",
    "LogTrimmed",
    "NotFound",
    "PartitionChange",
    "Plan",
    "Position",
    "Put",
    "Range",
    "Relief",
    "Schema",
    "SearchResult",
    "Sort",
    "Store",
    "Text",
    "Unavailable",
    "ValueCount",
    "VersionConflict",
    "Violation",
    "WriteResult",
    "aconnect",
    "advise",
    "after_hit",
    "connect",
]
