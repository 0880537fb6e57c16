"""An index over the words of a text field, histograms from rows, and a search planned once."""

from typing import Any

import pytest

from docstore import GlobalIndex, InvalidQuery, Store
from docstore.queries import answering
from docstore.queries.asking import AUTO, Asking
from docstore.queries.request import Request, request_of
from tests.docstore.index_questions import SCHEMA, Cars, answer, check_equal

COLORS = ["red", "blue", "green"]
INDEX = GlobalIndex("note", include=["price", "color", "sold"], name="words")


@pytest.fixture
def cars(store: Store) -> Cars:
    """Six hundred cars in sixteen shards whose notes say more the further one reads."""
    made = store.create_collection("cars", SCHEMA, partitions=16, indexes=[INDEX])
    made.put_many(
        {
            "id": f"{n:03d}",
            "color": COLORS[n % 3],
            "price": n % 20,
            "sold": f"2024-{n % 12 + 1:02d}-03T00:00:00Z",
            "note": [f"A {COLORS[n % 3]} car", "Tired" if n % 5 else "Cared for", f"number n{n}"],
        }
        for n in range(600)
    )
    made.indexes.catch_up()
    return made


def matched(words: str, **more: Any) -> dict[str, Any]:
    return {"match": {"note": {"query": words, **more}}}


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({"query": matched("cared"), "sort": "-price"}, 1),
        ({"query": matched("Cared RED", operator="and"), "sort": "price"}, 2),
        ({"filter": {"note": {"match": "cared"}, "price": {"lt": 5}}}, 1),
        ({"filter": {"color": "red"}, "query": {"term": {"note": "n30"}}, "sort": "price"}, 1),
        ({"query": {"constant_score": {"filter": matched("n30 n33")}}}, 2),
        ({"q": "note:cared", "sort": "sold"}, 1),
    ],
)
def test_words_are_looked_up_where_no_scores_are_needed(
    cars: Cars, asked: dict[str, Any], places: int
) -> None:
    page: dict[str, Any] = {"limit": 7, "offset": 1, "select": ("price",)}
    result = cars.search(**asked, **page)
    assert result.plan.chosen.name == "global_covered"
    assert [use.index for use in result.indexes] == ["words"]
    assert len(result.indexes[0].partitions) <= places
    assert answer(result) == answer(cars.search(**asked, **page, index=None))
    assert result.total == cars.count(
        asked.get("filter"), asked.get("query"), asked.get("q"), operator="and"
    )


def test_the_rarest_of_several_words_leads(cars: Cars) -> None:
    plan = cars.explain(query=matched("car n30 a", operator="and"), sort="price")
    assert plan.chosen.indexes == ("words",)
    assert plan.chosen.reason.startswith("about 1 candidates")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"query": matched("red")}, "ordered by scores"),
        ({"q": "red", "sort": "price"}, "words, keys or patterns"),
        ({"query": {"match_phrase": {"note": "red car"}}, "sort": "price"}, "words in order"),
        ({"query": matched("rde", fuzziness=1), "sort": "price"}, "words like others"),
        ({"query": {"prefix": {"note": "re"}}, "sort": "price"}, "no strings"),
        ({"query": matched("... !"), "sort": "price"}, "no word that is indexed"),
        ({"filter": {"color": "red"}, "sort": "price"}, "no value, range or prefix of 'note'"),
    ],
)
def test_what_words_cannot_tell_is_refused_with_the_reason(
    cars: Cars, asked: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidQuery, match=reason):
        cars.search(**asked, index="words")
    rejected = cars.explain(**asked).rejected
    assert any(reason in each.reason for each in rejected if each.indexes == ("words",))


def test_documents_in_the_tail_are_found_by_their_words(cars: Cars) -> None:
    asked: dict[str, Any] = {"query": matched("cared red", operator="and"), "sort": "price"}
    written = cars.put({"id": "new", "note": ["Red", "cared for"], "price": -1})
    cars.put({"id": "000", "note": ["Red"], "price": -2})
    cars.delete("015")
    for freshness in ("current", written.position):
        found = cars.search(**asked, freshness=freshness, index="words")
        assert found.hits[0].key == "new"
        assert answer(found) == answer(cars.search(**asked, index=None))


def test_histograms_come_from_rows_without_a_shard(cars: Cars) -> None:
    asked: dict[str, Any] = {
        "filter": {"note": {"match": "cared"}, "price": {"gte": 5}},
        "histograms": {"price": {"interval": 5}, "sold": {"interval": "month"}},
        "facets": ["color"],
        "limit": 0,
    }
    result = cars.search(**asked)
    assert result.plan.chosen.name == "global_covered"
    assert result.shards_touched == 0
    assert answer(result) == answer(cars.search(**asked, index=None))
    assert sum(bucket.documents for bucket in result.histograms["sold"].buckets) == result.total
    # The price's own condition is left out for its own buckets.
    assert result.histograms["price"].buckets[0].low == 0


def test_what_an_index_does_not_carry_exactly_the_shards_draw(cars: Cars) -> None:
    cars.put({"id": "far", "note": ["cared"], "price": 2.0**60, "seller": {"rank": 3}})
    asked: dict[str, Any] = {
        "filter": {"note": {"match": "cared"}},
        "histograms": {"price": 3, "seller.rank": 3},
        "limit": 0,
    }
    found = cars.search(**asked, index="words")
    assert answer(found) == answer(cars.search(**asked, index=None))
    assert len(found.histograms["seller.rank"].buckets) == 1
    with pytest.raises(InvalidQuery, match="neither numbers nor dates"):
        cars.search(filter={"note": {"match": "cared"}}, histograms={"color": 3}, index="words")


def test_a_search_that_was_priced_is_not_planned_again(cars: Cars) -> None:
    partitions = cars.partitions

    def asked(sort: str = "price") -> Request:
        return request_of(
            partitions, None, {"note": {"match": "cared"}}, None, sort, "current", None, None
        )

    request, asking = asked(), Asking(AUTO)
    assert answering.price(partitions, request, 10, asking) < 1000
    foreseen = request.foreseen
    assert foreseen is not None
    found = cars.search(filter={"note": {"match": "cared"}}, sort="price")
    assert found.plan is foreseen.choice.plan
    assert request.foreseen is None
    assert cars.search(filter={"note": {"match": "cared"}}, sort="price").plan is not found.plan


def test_a_choice_is_good_only_for_the_search_it_was_made_for(cars: Cars) -> None:
    partitions = cars.partitions
    short = {"note": {"match": "cared"}}
    others: list[dict[str, Any]] = [
        {"limit": 11},
        {"index": None},
        {"index": "words"},
        {"max_fanout": 3},
        {"facets": ["color"]},
        {"partial": True, "timeout": 9.0},
    ]
    for other in others:
        request = request_of(partitions, None, short, None, "price", "current", None, None)
        answering.price(partitions, request, 10, Asking(AUTO))
        foreseen = request.foreseen
        assert foreseen is not None
        found = cars.search(filter=short, sort="price", **other)
        assert found.plan is not foreseen.choice.plan
    request = request_of(partitions, None, short, None, "price", "current", None, None)
    answering.price(partitions, request, 10, Asking(AUTO))
    foreseen = request.foreseen
    assert foreseen is not None
    cars.split(partitions.numbers[0])
    found = cars.search(filter=short, sort="price")
    assert found.plan is not foreseen.choice.plan


def test_words_answer_alike_while_shards_are_split_and_merged(cars: Cars) -> None:
    asked: dict[str, Any] = {
        "filter": {"note": {"match": "cared"}, "price": {"lt": 15}},
        "query": {"bool": {"filter": [matched("red a", operator="and")]}},
        "sort": "-price",
        "limit": 9,
        "facets": ("color",),
        "histograms": {"price": 4, "sold": {"interval": "month"}},
    }
    for turn in range(3):
        if turn < 2:
            cars.split(cars.partitions.numbers[turn])
        else:
            cars.merge(*cars.partitions.numbers[1:3])
        cars.put({"id": "007", "note": ["a red car", "cared"], "price": turn})
        assert check_equal(cars, asked, ["words"]) == {"words"}
    cars.indexes.catch_up()
    assert list(cars.check()) == []
