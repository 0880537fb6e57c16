"""The most frequent values of several sources are proven, or not claimed."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from indexing.facets import Source, best
from indexing.layout import ColumnKind

Told = dict[str, int]


def _cut(counts: Told, size: int) -> Source:
    """What an index tells of its counts when it is asked for so many."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    told = dict(ordered[:size])
    rest = min(told.values(), default=0) if len(counts) > size else 0
    return Source(ColumnKind.KEYWORD, told, rest)


counts_of_shards = st.lists(
    st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(1, 9)), min_size=1, max_size=5
)


@given(counts_of_shards, st.integers(1, 6), st.integers(1, 16))
def test_what_is_claimed_is_what_counting_everything_gives(
    shards: list[Told], size: int, told: int
) -> None:
    everything: Counter[str] = Counter()
    for each in shards:
        everything.update(each)
    expected = sorted(everything.items(), key=lambda item: (-item[1], item[0]))[:size]
    claimed = best([_cut(each, told) for each in shards], size)
    assert claimed is None or claimed == expected
    assert best([_cut(each, 16) for each in shards], size) == expected


def test_a_value_that_no_shard_tells_may_be_the_most_frequent() -> None:
    shards = [{"a": 5, "z": 4}, {"b": 5, "z": 4}, {"c": 5, "z": 4}]
    assert best([_cut(each, 1) for each in shards], 1) is None
    assert best([_cut(each, 2) for each in shards], 1) == [("z", 12)]


def test_a_value_far_ahead_of_the_rest_needs_only_what_is_told() -> None:
    shards = [{"a": 50, "b": 2, "c": 1}, {"a": 40, "c": 2, "b": 1}]
    assert best([_cut(each, 2) for each in shards], 1) == [("a", 90)]
    assert best([_cut(each, 1) for each in shards], 2) is None


def test_what_was_counted_twice_is_taken_off() -> None:
    sources = [
        Source(ColumnKind.INT, {1: 4}),
        Source(ColumnKind.FLOAT, {1.0: 3, 2.5: 1}),
        Source(ColumnKind.INT, {1: -2}),
        Source(ColumnKind.BOOL, {True: 1}),
    ]
    assert best(sources, 5) == [(1, 5), (True, 1), (2.5, 1)]
