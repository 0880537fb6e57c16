"""The postings of many documents are those of each, whatever shape the documents have."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from docstore import GlobalIndex
from docstore.global_index.extracting import Extractor
from docstore.global_index.tails import Changed
from docstore.shards.records import Record
from indexing.schema import Field, Kind, Schema

SCALAR = (
    st.none()
    | st.booleans()
    | st.sampled_from(["red", "blue", "", "\0", "x" * 500, "1"])
    | st.integers(-2, 2)
    | st.sampled_from([2**53 + 1, -(2**63)])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1.0])
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("b"), inner, max_size=1),
    max_leaves=4,
)
DOCUMENT = st.dictionaries(st.sampled_from(["a", "b", "a.b"]), VALUE, max_size=3)
DEFINITION = st.builds(
    GlobalIndex,
    st.sampled_from(["a", "b", "a.b", ("a", "b")]),
    st.sampled_from([(), ("b",), ("a", "b"), ("a.b",), "all"]),
    st.integers(1, 3),
)
SCHEMA = st.sampled_from(
    [Schema(), *(Schema((("a", Field(kind)),)) for kind in (Kind.KEYWORD, Kind.FLOAT, Kind.TEXT))]
)


@given(DEFINITION, SCHEMA, st.lists(DOCUMENT, max_size=8))
def test_the_postings_of_many_documents_are_those_of_each(
    definition: GlobalIndex, schema: Schema, documents: list[dict[str, Any]]
) -> None:
    extractor = Extractor(definition, schema)
    changed = [
        Changed(b"k%d" % at, Record(at + 1, at + 7, orjson.dumps(each)), each, 0)
        for at, each in enumerate(documents)
    ]
    found: list[dict[bytes, Any]] = [{} for _ in range(definition.partitions)]
    extractor.spread([*changed, Changed(b"gone", None, None, 0)], 3, found)
    expected: list[dict[bytes, Any]] = [{} for _ in range(definition.partitions)]
    for key, record, document, _ in changed:
        assert record is not None
        rows = extractor.rows(document, key, 3, record)
        for here, each in zip(expected, rows, strict=True):
            if each:
                here[key] = each
    assert found == expected
