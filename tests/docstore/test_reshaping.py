"""Maps that change: every change leaves a map that covers all, and tells what became of what."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import InvalidRequest, InvalidSchema, NotFound
from docstore.map_changes.reshaping import Lineage, merge_of, reshaped, split_at
from docstore.map_format import map_from_json, map_to_json
from docstore.partitioning import TOKENS, Ancestor, Partition, PartitionMap, Reshape, Salt
from indexing.errors import Corruption

RANGES = PartitionMap("range", 1, (Partition(0, b"", None),))


@st.composite
def changed_maps(draw: st.DrawFn) -> PartitionMap:
    """A map of either scheme after some splits and merges, each log as long as drawn."""
    found = draw(st.sampled_from([PartitionMap.even(1), PartitionMap.even(3), RANGES]))
    for at in range(draw(st.integers(0, 12))):
        place = draw(st.integers(0, len(found.partitions) - 1))
        lasts = {number: draw(st.integers(0, 50)) for number in found.numbers}
        if draw(st.booleans()) and place:
            cut = merge_of(found, found.numbers[place], found.numbers[place - 1])
        else:
            bound = draw(st.binary(min_size=1, max_size=3))
            point = bound if found.is_range else int.from_bytes(bound, "big") << 8
            source = found.partition_of(point)
            if source.lower == point:
                continue
            cut = split_at(found, source.number, point)
        found = reshaped(found, cut, lasts, at)
    return found


@given(changed_maps())
def test_a_changed_map_survives_json(changed: PartitionMap) -> None:
    assert map_from_json(map_to_json(changed)) == changed


@given(changed_maps())
def test_numbers_are_never_used_again(changed: PartitionMap) -> None:
    gone = [ancestor.number for change in changed.history for ancestor in change.sources]
    assert len({*gone, *changed.numbers}) == len(gone) + len(changed.numbers)
    assert changed.next_number > max(*gone, *changed.numbers, 0)
    assert changed.epoch == 1 + len(changed.history)


@given(changed_maps(), st.binary(min_size=1, max_size=3))
def test_the_owner_of_a_key_is_an_heir_of_every_owner_it_had(
    changed: PartitionMap, data: bytes
) -> None:
    point = data if changed.is_range else int.from_bytes(data, "big") << 8
    owner = changed.partition_of(point)
    assert owner.holds(point)
    lineage = Lineage(changed)
    first = RANGES if changed.is_range else PartitionMap.even(len(origins(changed)))
    held = first.partition_of(point).number
    assert held == owner.number or owner.number in lineage.heirs(held)
    for number in lineage.ancestors:
        assert number not in changed.numbers
        assert any(heir in changed.numbers for heir in lineage.heirs(number))


def origins(changed: PartitionMap) -> list[int]:
    made = {target for change in changed.history for target in change.targets}
    gone = {ancestor.number for change in changed.history for ancestor in change.sources}
    return sorted({*changed.numbers, *gone} - made)


@given(changed_maps())
def test_no_ancestor_stands_before_one_that_it_came_from(changed: PartitionMap) -> None:
    lineage = Lineage(changed)
    order = list(lineage.ancestors)
    for place, number in enumerate(order):
        assert not lineage.heirs(number) & set(order[:place])


def test_a_split_and_a_merge_of_its_halves() -> None:
    cut = split_at(RANGES, 0, b"m")
    halves = reshaped(RANGES, cut, {0: 7}, at=5)
    assert halves.partitions == (Partition(1, b"", b"m", 2), Partition(2, b"m", None, 2))
    assert halves.history == (Reshape(2, 5, (Ancestor(0, 1, 7),), (1, 2)),)
    assert [halves.partition_of(key).number for key in (b"", b"a", b"m", b"z")] == [1, 1, 2, 2]
    whole = reshaped(halves, merge_of(halves, 2, 1), {1: 9, 2: 8}, at=6)
    assert whole.partitions == (Partition(3, b"", None, 3),)
    assert [change.kind for change in whole.history] == ["split", "merge"]
    assert Lineage(whole).heirs(0) == {1, 2, 3}
    assert Lineage(whole).heirs(1) == {3}


@pytest.mark.parametrize("bound", [0, TOKENS // 2, TOKENS, -1])
def test_a_bound_that_is_not_inside_the_partition_is_refused(bound: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        split_at(PartitionMap.even(2), 0, bound)
    assert caught.value.hint


@pytest.mark.parametrize("number", [2, -1, True, "0", None])
def test_an_unknown_partition_is_refused(number: Any) -> None:
    with pytest.raises(NotFound):
        split_at(PartitionMap.even(2), number, 5)
    with pytest.raises(NotFound):
        merge_of(PartitionMap.even(2), 0, number)


@pytest.mark.parametrize("pair", [(0, 2), (2, 0), (1, 1)])
def test_a_merge_of_partitions_that_are_not_neighbours_is_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(InvalidRequest, match="not neighbours"):
        merge_of(PartitionMap.even(3), *pair)


def test_a_map_that_is_full_is_not_split() -> None:
    with pytest.raises(InvalidRequest, match="4,096"):
        split_at(PartitionMap.even(4096), 7, 7 * (TOKENS // 4096) + 1)


def test_salts_are_kept_and_found() -> None:
    salted = replace(PartitionMap.even(2), salts=(Salt(b"a", 8), Salt(b"b", 4)))
    assert map_from_json(map_to_json(salted)) == salted
    assert salted.salt_of(b"b") == Salt(b"b", 4)
    assert salted.salt_of(b"c") is None


@pytest.mark.parametrize(
    "salts",
    [
        (Salt(b"a", 3),),
        (Salt(b"a", 0),),
        (Salt(b"a", 1),),
        (Salt(b"a", 10_000),),
        (Salt(b"b", 2), Salt(b"a", 2)),
    ],
)
def test_salts_that_cannot_be_are_refused(salts: tuple[Salt, ...]) -> None:
    with pytest.raises(InvalidSchema):
        replace(PartitionMap.even(2), salts=salts)


@pytest.mark.parametrize(
    "wrong",
    [{"next_number": 1}, {"history": [{}]}, {"history": 7}, {"salts": [{"key": "zz", "fan": 2}]}],
)
def test_a_stored_history_of_another_shape_is_corruption(wrong: dict[str, Any]) -> None:
    with pytest.raises(Corruption):
        map_from_json({**map_to_json(PartitionMap.even(2)), **wrong})
