"""Places of salted keys: where documents lie for ever, and how a fan changes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.key_parts import KeyParts
from docstore.key_ranges import Range, pre_split
from docstore.keys import Key, KeySpec, encode, partition_bytes
from docstore.map_changes.resalting import salt_to, with_fan
from docstore.map_changes.reshaping import reshaped
from docstore.map_changes.salting import FAN_MAX, is_fan, place_of, places_of, salt_of
from docstore.partitioning import TOKENS, PartitionMap, Salt, token_of
from indexing.errors import InvalidRequest
from indexing.schema import Schema

_SPEC = KeySpec.of(Key("seller", "id"))
_FANS = st.integers(0, 10).map(lambda power: 1 << power)
_TOKENS = st.integers(0, TOKENS - 1)


def _key(seller: str, number: int) -> bytes:
    return encode(_SPEC, (seller, number))


def _first(seller: str) -> bytes:
    return partition_bytes(_SPEC, _key(seller, 0))


# These decide where documents lie on disk: a change here must not happen.
def test_salts_and_places_are_what_they_always_were() -> None:
    assert [salt_of(_key("a", number), 8) for number in range(8)] == [3, 3, 1, 1, 0, 0, 3, 3]
    assert [place_of(0, salt) for salt in (0, 1, 2, 3, 1023)] == [
        0x00000000,
        0x80000000,
        0x40000000,
        0xC0000000,
        0xFFC00000,
    ]


@given(st.binary(min_size=1, max_size=40), _FANS)
def test_a_larger_fan_only_divides_what_a_smaller_one_held_together(key: bytes, fan: int) -> None:
    assert salt_of(key, 1) == 0
    smaller = max(fan // 2, 1)
    assert salt_of(key, fan) % smaller == salt_of(key, smaller)


@given(_TOKENS, _FANS)
def test_places_are_evenly_spaced_and_begin_with_the_key_s_own(token: int, fan: int) -> None:
    places = places_of(token, fan)
    assert places[0] == token
    assert sorted((place - token) % TOKENS for place in places) == [
        index * TOKENS // fan for index in range(fan)
    ]


@given(_TOKENS, st.sampled_from([1, 2, 4, 8, 16, 64]))
def test_a_fan_over_as_many_equal_partitions_uses_each_once(token: int, fan: int) -> None:
    even = PartitionMap.even(fan)
    assert len({even.partition_of(place).number for place in places_of(token, fan)}) == fan


def test_documents_are_spread_evenly_over_the_places() -> None:
    counts = Counter(salt_of(_key("big", number), 64) for number in range(64_000))
    assert len(counts) == 64
    assert max(counts.values()) < 1_150


@pytest.mark.parametrize("fan", [1, 8, 64])
def test_a_read_by_key_touches_one_partition_whatever_the_fan(fan: int) -> None:
    of = PartitionMap(
        "hash", 1, PartitionMap.even(64).partitions, salts=with_fan((), _first("big"), fan)
    )
    owners = of.owners_of(_first("big"))
    assert len(owners) == fan
    touched = {of.owner_of(_SPEC, _key("big", number)) for number in range(5_000)}
    assert touched == set(owners)


def test_cold_keys_stay_where_they_are() -> None:
    plain = PartitionMap.even(16)
    salted = PartitionMap("hash", 1, plain.partitions, salts=with_fan((), _first("big"), 64))
    for number in range(500):
        key = _key(f"seller-{number}", number)
        assert salted.owner_of(_SPEC, key) == plain.owner_of(_SPEC, key)
        assert salted.owners_of(_first(f"seller-{number}")) == (plain.owner_of(_SPEC, key),)


@given(st.integers(1, 40), st.lists(_FANS, min_size=1, max_size=6))
def test_a_changed_fan_replaces_just_the_partitions_that_hold_the_key(
    partitions: int, fans: list[int]
) -> None:
    of = PartitionMap.even(partitions)
    for fan in fans:
        before = of.owners_of(_first("big"))
        cut = salt_to(of, _SPEC, _first("big"), fan)
        if cut is None:
            assert of.fan_of(_first("big")) == fan
            continue
        after = reshaped(of, cut, {each.number: 0 for each in cut.sources}, 0)
        assert after.epoch == of.epoch + 1
        assert after.fan_of(_first("big")) == fan
        gone = set(of.numbers) - set(after.numbers)
        assert gone == {each.number for each in cut.sources}
        if gone:
            # What stays may only be what held nothing before and holds nothing now.
            assert set(before) <= gone
            assert not set(after.owners_of(_first("big"))) & set(of.numbers)
        assert [(each.lower, each.upper) for each in after.partitions] == [
            (each.lower, each.upper) for each in of.partitions
        ]
        for number in range(20):
            key = _key("big", number)
            moved = after.owner_of(_SPEC, key)
            assert moved in after.owners_of(_first("big"))
            assert token_of(partition_bytes(_SPEC, key)) == token_of(_first("big"))
        of = after


@pytest.mark.parametrize("fan", [0, -8, 3, 100, 2048, 10_000, True, 8.0, "8", None])
def test_a_fan_that_is_none_is_refused(fan: object) -> None:
    assert not is_fan(fan)
    with pytest.raises(InvalidRequest, match="fan"):
        salt_to(PartitionMap.even(4), _SPEC, _first("big"), fan)


def test_a_key_of_one_part_is_not_salted() -> None:
    with pytest.raises(InvalidRequest, match="one document"):
        salt_to(PartitionMap.even(4), KeySpec.of("id"), b"car-1", 8)
    with pytest.raises(InvalidRequest, match="one document"):
        salt_to(PartitionMap.even(4), KeySpec.of(Key("id")), b"car-1", 8)


def test_ranges_are_split_instead() -> None:
    ranges = pre_split(_SPEC, KeyParts(Schema(), _SPEC), Range())
    with pytest.raises(InvalidRequest, match="ranges"):
        salt_to(ranges, _SPEC, _first("big"), 8)


def test_the_fan_it_has_is_no_change() -> None:
    salted = PartitionMap(
        "hash", 1, PartitionMap.even(4).partitions, salts=(Salt(_first("big"), 8),)
    )
    assert salt_to(salted, _SPEC, _first("big"), 8) is None
    assert salt_to(PartitionMap.even(4), _SPEC, _first("big"), 1) is None
    assert FAN_MAX >= 64
