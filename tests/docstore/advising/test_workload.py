"""What a workload's lines say, and what is wrong with those that say nothing."""

import pytest

from docstore.advising.workload import Asking, ByKey, OfDocument, operations_in
from docstore.keys import Key, KeySpec
from indexing.errors import InvalidRequest
from indexing.query import Bool, MatchAll, Prefix, Range, Term

_ID = KeySpec.of("id")
_COMPOUND = KeySpec.of(Key("seller", "posted", "id"))


def _read(*lines: bytes, spec: KeySpec = _ID) -> list[object]:
    return list(operations_in(enumerate(lines, 1), spec, "cars"))


def test_reads_and_writes_by_key() -> None:
    assert _read(
        b'{"op": "get", "key": "a", "count": 7}',
        b"",
        b'{"op": "delete", "key": ["s", 1]}',
        b'{"op": "put", "key": "b"}',
        b'{"op": "put", "document": {"id": "c"}}',
    ) == [
        ByKey("a", is_write=False, count=7),
        ByKey(("s", 1), is_write=True),
        ByKey("b", is_write=True),
        OfDocument({"id": "c"}),
    ]


def test_a_scan_is_the_search_that_finds_the_same() -> None:
    assert _read(
        b'{"op": "scan", "prefix": "car-"}',
        b'{"op": "scan", "start": "a", "end": "c", "limit": 3}',
        b'{"op": "scan"}',
    ) == [
        Asking(Bool(filter=(Prefix("id", "car-"),))),
        Asking(Bool(filter=(Range("id", gte="a", lte="c"),))),
        Asking(MatchAll()),
    ]
    assert _read(
        b'{"op": "scan", "prefix": ["s", 4]}',
        b'{"op": "scan", "start": ["s", 4], "end": ["t"]}',
        spec=_COMPOUND,
    ) == [
        Asking(Bool(filter=(Term("seller", "s"), Term("posted", 4)))),
        Asking(Bool(filter=(Range("seller", gte="s", lte="t"),))),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[1]",
        b'{"op": "fly"}',
        b'{"op": {}}',
        b'{"op": "get"}',
        b'{"op": "get", "key": {"a": 1}}',
        b'{"op": "get", "key": "a", "count": 0}',
        b'{"op": "get", "key": "a", "count": 1.5}',
        b'{"op": "get", "key": "a", "filter": {}}',
        b'{"op": "search", "filter": 7}',
        b'{"op": "search", "query": {"no-such": {}}}',
        b'{"op": "search", "q": 7}',
        b'{"op": "scan", "start": [{}]}',
        b'{"op": "put", "document": 3}',
        b'"\xff"',
    ],
)
def test_a_line_that_is_no_operation_is_named(line: bytes) -> None:
    with pytest.raises(InvalidRequest, match="line 2 of the workload") as caught:
        _read(b'{"op": "get", "key": "a"}', line)
    assert caught.value.hint
    assert caught.value.data["line"] == 2
