from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.map_format import map_from_json, map_to_json
from docstore.partitioning import (
    PARTITIONS_MAX,
    TOKENS,
    Hash,
    Partition,
    PartitionMap,
    token_of,
)
from indexing.errors import Corruption, InvalidSchema


@st.composite
def maps(draw: st.DrawFn) -> PartitionMap:
    cuts = sorted(draw(st.sets(st.integers(1, TOKENS - 1), max_size=20)))
    bounds = [0, *cuts, TOKENS]
    numbers = draw(st.permutations(range(len(bounds) - 1)))
    slices = tuple(map(Partition, numbers, bounds, bounds[1:]))
    return PartitionMap("hash", draw(st.integers(1, 10**6)), slices)


# These tokens decide where documents lie on disk: a change here must not happen.
@pytest.mark.parametrize(
    ("data", "token"),
    [
        (b"", 0x00000000),
        (b"a", 0x3C2569B2),
        (b"hello", 0x248BFA47),
        (b"hello, world", 0x149BBB7F),
        (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723),
        (bytes(range(256)), 0xE40A0E56),
    ],
)
def test_tokens_are_what_they_always_were(data: bytes, token: int) -> None:
    assert token_of(data) == token


@given(st.binary(max_size=64))
def test_a_token_is_an_unsigned_32_bit_number(data: bytes) -> None:
    assert 0 <= token_of(data) < TOKENS == 2**32


def test_an_even_map_of_four() -> None:
    assert PartitionMap.even(4) == PartitionMap(
        "hash",
        1,
        (
            Partition(0, 0, 1 << 30),
            Partition(1, 1 << 30, 2 << 30),
            Partition(2, 2 << 30, 3 << 30),
            Partition(3, 3 << 30, 4 << 30),
        ),
    )


@given(st.integers(1, PARTITIONS_MAX))
def test_even_slices_differ_by_at_most_one_token(count: int) -> None:
    even = PartitionMap.even(count)
    sizes = {partition.upper - partition.lower for partition in even.partitions}
    assert even.numbers == tuple(range(count))
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", [0, -1, PARTITIONS_MAX + 1, True, 2.0, "4", None])
def test_a_number_of_partitions_out_of_range_is_refused(count: Any) -> None:
    with pytest.raises(InvalidSchema) as caught:
        PartitionMap.even(count)
    assert caught.value.hint


@given(maps(), st.integers(0, TOKENS - 1))
def test_every_token_has_exactly_one_owner(partitions: PartitionMap, token: int) -> None:
    owners = [p for p in partitions.partitions if p.lower <= token < p.upper]
    assert owners == [partitions.partition_of(token)]


@given(maps())
def test_bounds_belong_to_the_slice_they_open(partitions: PartitionMap) -> None:
    for partition in partitions.partitions:
        assert partitions.partition_of(partition.lower) is partition
        assert partitions.partition_of(partition.upper - 1) is partition


@given(maps())
def test_a_map_survives_json(partitions: PartitionMap) -> None:
    assert map_from_json(map_to_json(partitions)) == partitions


def test_a_map_is_written_as_it_always_was() -> None:
    assert map_to_json(PartitionMap.even(2)) == {
        "partitioning": "hash",
        "epoch": 1,
        "partitions": [
            {"number": 0, "lower": 0, "upper": 2147483648},
            {"number": 1, "lower": 2147483648, "upper": 4294967296},
        ],
    }


HALF = TOKENS // 2


@pytest.mark.parametrize(
    ("epoch", "slices"),
    [
        (1, []),
        (1, [(0, 0, HALF)]),  # the upper half has no owner
        (1, [(0, 1, TOKENS)]),  # token 0 has no owner
        (1, [(0, 0, HALF), (1, HALF + 1, TOKENS)]),  # a gap
        (1, [(0, 0, HALF), (1, HALF - 1, TOKENS)]),  # an overlap
        (1, [(0, 0, HALF), (1, HALF, HALF), (2, HALF, TOKENS)]),  # an empty slice
        (1, [(1, HALF, TOKENS), (0, 0, HALF)]),  # out of order
        (1, [(0, 0, TOKENS + 1)]),  # beyond the space
        (1, [(0, 0, HALF), (0, HALF, TOKENS)]),  # one number twice
        (1, [(-1, 0, TOKENS)]),
        (0, [(0, 0, TOKENS)]),
        ("1", [(0, 0, TOKENS)]),
        (1, [(0, 0, float(TOKENS))]),
        (1, [(None, 0, TOKENS)]),
    ],
)
def test_a_map_that_does_not_cover_the_tokens_once_is_refused(
    epoch: Any, slices: list[tuple[Any, Any, Any]]
) -> None:
    with pytest.raises(InvalidSchema) as caught:
        PartitionMap("hash", epoch, tuple(Partition(*bounds) for bounds in slices))
    assert caught.value.hint
    stored = {
        "partitioning": "hash",
        "epoch": epoch,
        "partitions": [{"number": n, "lower": low, "upper": up} for n, low, up in slices],
    }
    with pytest.raises(Corruption):
        map_from_json(stored)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"partitioning": "range", "epoch": 1, "partitions": []},
        {"partitioning": "hash", "epoch": 1, "partitions": {}},
        {"partitioning": "hash", "epoch": 1, "partitions": [[0, 0, TOKENS]]},
        {"partitioning": "hash", "epoch": 1, "partitions": [{"number": 0, "lower": 0}]},
    ],
)
def test_a_stored_map_of_another_shape_is_corruption(data: Any) -> None:
    with pytest.raises(Corruption) as caught:
        map_from_json(data)
    assert caught.value.hint


def test_hash_is_a_value() -> None:
    assert Hash() == Hash()
