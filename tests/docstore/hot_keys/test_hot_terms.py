"""Hot terms of global indexes: how they are found, judged, shown and relieved."""

from typing import Any

import pytest

from docstore import Collection, GlobalIndex, HotTerm, InvalidRequest, Relief, Store
from docstore.hot_keys import hot_terms as judging
from docstore.hot_keys.hot_terms import Measured, judged_term
from docstore.hot_keys.policy import Patience
from docstore.hot_keys.traffic import Load

QUIET = Load(0.0, 0.0)
COLORS = ["white", "red", "blue", "green"]


def judged(
    documents: int = 56_000,
    reads: Load = QUIET,
    writes: Load = QUIET,
    fan: int = 1,
    partitions: int = 4,
) -> HotTerm:
    measured = Measured(documents, 224_000, reads, writes, fan, partitions)
    return judged_term("cars", "color", "white", measured)


def test_a_term_of_a_quarter_of_all_documents_is_hot() -> None:
    told = judged()
    assert (told.is_hot, told.proposed_fan, told.document_share) == (True, 2, 0.25)
    assert told.action.startswith("salt it over 2 index partitions")
    assert judged(fan=2).action == "nothing to do"


def test_little_of_anything_is_not_hot() -> None:
    measured = Measured(9_000, 9_000, Load(900.0, 1.0), Load(90.0, 1.0), 1, 4)
    told = judged_term("cars", "color", "white", measured)
    assert (told.is_hot, told.proposed_fan) == (False, None)


@pytest.mark.parametrize("kind", ["reads", "writes"])
def test_a_term_is_hot_by_its_traffic_alone(kind: str) -> None:
    load = Load(5_000.0, 0.6)
    loads = (load, QUIET) if kind == "reads" else (QUIET, load)
    told = judged(10, *loads)
    assert (told.is_hot, told.proposed_fan) == (True, 4)
    assert judged(10, *loads, fan=4).proposed_fan is None


def test_what_cannot_be_spread_further_is_said() -> None:
    assert judged(224_000, partitions=1).action == "nothing to do"
    assert judged(224_000, fan=4, partitions=5).action == "nothing to do"
    assert "make the index with more" in judged(224_000, fan=4, partitions=7).action
    assert judged(10, fan=4).action == "unsalt it"
    assert judged(224_000, fan=1, partitions=6).proposed_fan == 4


@pytest.fixture
def cars(store: Store, monkeypatch: pytest.MonkeyPatch) -> Collection[dict[str, Any]]:
    """Four hundred cars, half of them white; their loading is no traffic that matters."""
    monkeypatch.setattr(judging, "WRITES_PER_SECOND", 1e9)
    indexes = [
        GlobalIndex("color", include=["price"], partitions=4),
        GlobalIndex(["color", "make"], name="pairs", partitions=4),
    ]
    made = store.create_collection("cars", partitions=2, indexes=indexes)
    made.indexes.catch_up()  # what filling an index reads is no traffic
    made.put_many(
        {"id": f"{n}", "color": COLORS[max(0, n % 6 - 2)], "make": "vw", "price": n}
        for n in range(400)
    )
    made.indexes.catch_up()
    return made


def test_the_heaviest_terms_are_told_with_their_traffic(
    cars: Collection[dict[str, Any]], store: Store
) -> None:
    for _ in range(30):
        cars.search(filter={"color": "red"}, sort="price", index="color")
    told = {each.key: each for each in store.hot_terms(20)}
    assert set(told) == {("color", color) for color in COLORS} | {
        ("pairs", (color, "vw")) for color in COLORS
    }
    white, red = told["color", "white"], told["color", "red"]
    assert (white.documents, red.documents) == (201, 67)
    assert white.document_share == pytest.approx(201 / 400)
    assert red.read_share == 1
    assert white.write_share == pytest.approx(201 / 400, abs=0.01)
    assert cars.hot_terms(1)[0].as_dict()["is_hot"] is False
    with pytest.raises(InvalidRequest, match="limit"):
        store.hot_terms(257)


def test_a_spread_term_is_told_as_one(cars: Collection[dict[str, Any]]) -> None:
    cars.indexes.salt("color", "white", 4)
    cars.put_many({"id": f"{n}", "color": "white", "price": -n} for n in range(0, 400, 6))
    (white,) = [each for each in cars.hot_terms(20) if each.key == ("color", "white")]
    assert (white.fan, white.documents) == (4, 201)
    assert white.proposed_fan == 1  # it is not hot, and spread over four


def test_the_policy_spreads_a_term_that_stays_hot_and_gathers_it_later(
    cars: Collection[dict[str, Any]], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "DOCUMENTS_MIN", 150)
    relief = Relief(store, patience=Patience(looks_to_grow=2, looks_to_shrink=2))
    for _ in range(3):
        relief.look()
    made = {(each.key, each.fan, each.error) for each in relief.made}
    assert (("color", "white"), 4, None) in made
    assert (("pairs", ("white", "vw")), 4, None) in made
    expected = cars.search(filter={"color": "white"}, sort="price", limit=400, index=None)
    spread = cars.search(filter={"color": "white"}, sort="price", limit=400, index="color")
    assert [hit.key for hit in spread.hits] == [hit.key for hit in expected.hits]
    assert len(spread.indexes[0].partitions) == 4
    monkeypatch.setattr(judging, "DOCUMENTS_MIN", 10_000)
    for _ in range(3):
        relief.look()
    assert {each.fan for each in cars.hot_terms(20)} == {1}
