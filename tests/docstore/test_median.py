"""Where a split cuts a partition of which not every key is looked at."""

from typing import Any

import pytest

from docstore import Key, Range, Store
from docstore.map_changes import resharding


@pytest.mark.parametrize("scheme", [{"partitions": 1}, {"partitioning": Range()}])
def test_of_many_keys_the_median_is_that_of_a_sample(
    store: Store, scheme: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resharding, "MEDIAN_OF", 200)
    things = store.create_collection("things", **scheme)
    things.put_many({"id": f"k{n:04}"} for n in range(3_000))
    things.split(0)
    left, right = (part["documents"] for part in things.stats()["partitions"])
    assert left + right == 3_000
    assert min(left, right) > 1_250


def test_few_keys_beside_a_heavy_one_are_found_whatever_the_sample_shows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resharding, "MEDIAN_OF", 20)
    sales = store.create_collection("sales", key=Key("seller", "at"), partitions=1)
    sales.put_many({"seller": "big", "at": at} for at in range(400))
    sales.put({"seller": "small", "at": 1})
    sales.split(0)
    assert sorted(part["documents"] for part in sales.stats()["partitions"]) == [1, 400]
