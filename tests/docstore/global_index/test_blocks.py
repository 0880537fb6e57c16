"""A block that took changes up is the block that would be made of the same postings."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from docstore import GlobalIndex
from docstore.global_index.block import Block, Row
from docstore.global_index.extracting import Extractor
from docstore.global_index.postings import packed
from docstore.global_index.renewing import Renewal
from docstore.global_index.wanted import Between, Condition, Wanted
from indexing.schema import Schema

TERMS = [b"a", b"b", b"c"]
OF = Extractor(GlobalIndex("color", include=["price"]), Schema())
POSTING = st.tuples(
    st.sampled_from(TERMS),
    st.sampled_from([b"1", b"2", b"3", b"4"]),
    st.none() | st.integers(0, 3) | st.sampled_from(["x", 2.5]) | st.just(["x", 1]),
    st.booleans(),
)


def row_of(term: bytes, key: bytes, price: Any, several: bool) -> Row:
    """A posting as it is kept."""
    payload = orjson.dumps([term.decode(), price])
    return term, key, packed(term, key, 0, 1, 1, payload, several=several)


def shown(block: Block) -> Any:
    """What a block answers."""
    tests = OF.tests([Condition("price", Between(gte=1, lt=3))])
    wanted = Wanted((), ((b"a", b"c"),))
    return [
        (
            sorted(key for each in found for key in each.all_keys()),
            sorted(each for one in found for each in one.several()),
            [sorted(each.counts("price").items(), key=str) for each in found],
            [each.values("price") for each in found],
        )
        for found in (
            block.find(wanted, ()),
            block.find(wanted, tests),
            *(block.find(Wanted((term,)), tests) for term in TERMS),
        )
    ]


def keys_in(block: Block) -> list[tuple[bytes, bytes]]:
    """What is in a block, by term and key."""
    return sorted(
        (term, key)
        for term in TERMS
        for each in block.find(Wanted((term,)), ())
        for key in each.all_keys()
    )


CHANGES = st.lists(POSTING, max_size=8)


@given(CHANGES, CHANGES, CHANGES, CHANGES, st.booleans())
def test_changes_taken_up_are_as_if_read_so(
    first: list[Any], changes: list[Any], late: list[Any], later: list[Any], has_column: bool
) -> None:
    now = {(each[0], each[1]): row_of(*each) for each in first}
    block = Block(b"", None, sorted(now.values()), OF)
    if has_column:
        block.column("price")

    def change(postings: list[Any]) -> None:
        for term, key, price, several in postings:
            block.kill(term, key)
            now.pop((term, key), None)
            if price != 0:
                now[term, key] = row = row_of(term, key, price, several)
                block.put(*row)

    change(changes)
    renewal = Renewal(block)
    change(late)
    made = renewal.made()
    change(later)
    renewed = renewal.finish(made)
    assert keys_in(renewed) == keys_in(block) == sorted(now)
    again = Renewal(renewed)
    whole = again.finish(again.made())
    assert shown(whole) == shown(Block(b"", None, sorted(now.values()), OF))
    assert len(whole) == len(now)
    assert whole.dead == 0
