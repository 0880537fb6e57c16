"""A search that leaves out a common word's postings finds what one that reads them all finds.

The whole is asked for as the sum of each word's search, which is never parted.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from docstore import Collection, SearchResult, Store

DOCUMENTS = 12_000
QUESTIONS = [
    ["common", "seldom0"],
    ["seldom1", "common"],
    ["common", "seldom2", "seldom3"],
    ["common", "seldom4", "unique"],
    ["common", "unique"],
    ["common", "absent"],
    ["seldom0 common", "common"],
    ["common", "seldom0 seldom1", "seldom2"],
]
PAGES = [(0, 1), (0, 10), (7, 10), (100, 50), (0, 600), (11_000, 500)]
Texts = Collection[dict[str, Any]]


def _document(number: int, chance: random.Random) -> dict[str, Any]:
    words = ["common"] * chance.choice((0, 1, 1, 1, 2, 9)) + ["other"] * chance.randrange(8)
    words += [f"seldom{each}" for each in range(5) for _ in range(2) if chance.random() < 0.02]
    if number in (17, 4_000, 11_111):
        words.append("unique")
    chance.shuffle(words)
    return {"id": f"{number:05d}", "text": " ".join(words)}


@pytest.fixture(scope="module", params=[1, 4])
def texts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Texts]:
    chance = random.Random(7)
    with Store.open(tmp_path_factory.mktemp("essential")) as store:
        schema = {"fields": {"id": "keyword", "text": "text"}}
        texts = store.create_collection("texts", schema, partitions=request.param)
        assert not texts.put_many(_document(number, chance) for number in range(DOCUMENTS)).errors
        yield texts


def _clauses(words: list[str]) -> list[dict[str, Any]]:
    return [{"match_phrase" if " " in each else "match": {"text": each}} for each in words]


def _by_all_postings(
    texts: Texts, words: list[str], offset: int, limit: int
) -> SearchResult[dict[str, Any]]:
    whole = {"dis_max": {"queries": _clauses(words), "tie_breaker": 1.0}}
    return texts.search(query=whole, offset=offset, limit=limit)


def _assert_same(texts: Texts, words: list[str], offset: int, limit: int) -> None:
    found = texts.search(query={"bool": {"should": _clauses(words)}}, offset=offset, limit=limit)
    whole = _by_all_postings(texts, words, offset, limit)
    assert found.total == whole.total
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in whole.hits])
    if offset + limit < 600:
        # Far below, sums of the same scores in another order differ in their last digit.
        assert [hit.key for hit in found.hits] == [hit.key for hit in whole.hits]


@pytest.mark.parametrize("words", QUESTIONS, ids=" | ".join)
@pytest.mark.parametrize(("offset", "limit"), PAGES)
def test_a_page_is_that_of_all_postings(
    texts: Texts, words: list[str], offset: int, limit: int
) -> None:
    _assert_same(texts, words, offset, limit)


def test_so_is_one_after_deletes_and_after_changes(texts: Texts) -> None:
    texts.delete_many(f"{number:05d}" for number in range(0, DOCUMENTS, 50))
    texts.put_many(_document(number, random.Random(number)) for number in range(0, DOCUMENTS, 9))
    for words in QUESTIONS:
        _assert_same(texts, words, 0, 20)
    texts.rebuild()
    for words in QUESTIONS:
        _assert_same(texts, words, 0, 20)
