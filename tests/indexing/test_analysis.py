"""Analyzers turn text into the terms that a person would expect to match."""

import pytest

from indexing.analysis import STEMMED_LANGUAGES, analyzer_names, analyzer_of


@pytest.mark.parametrize(
    ("name", "text", "terms"),
    [
        ("standard", "Ford F-150, O'Reilly's", ["ford", "f", "150", "o", "reilly", "s"]),
        ("folded", "Škoda Citroën", ["skoda", "citroen"]),
        ("english", "The running of cars", ["run", "car"]),
        ("german", "die schnellen Wagen", ["schnell", "wag"]),
        ("whitespace", "Ford F-150", ["Ford", "F-150"]),
        ("keyword", "Ford F-150", ["Ford F-150"]),
        ("ngram", "Abc", ["ab", "abc", "bc"]),
        ("prefix", "Ford F", ["ford f"]),
    ],
)
def test_terms_of_a_query(name: str, text: str, terms: list[str]) -> None:
    assert analyzer_of(name).terms(text) == terms


def test_prefix_indexes_every_beginning_and_searches_the_whole() -> None:
    prefix = analyzer_of("prefix")
    assert prefix.index.analyze("Kia") == ["k", "ki", "kia"]
    assert prefix.terms("x" * 100) == ["x" * 32]
    assert not prefix.ordered


def test_a_dropped_word_leaves_a_gap() -> None:
    assert analyzer_of("english").positions("state of the art") == ((0, "state"), (3, "art"))


def test_every_named_analyzer_can_be_built() -> None:
    assert set(STEMMED_LANGUAGES) < set(analyzer_names())
    for name in analyzer_names():
        assert analyzer_of(name).terms("Auto")


def test_a_custom_analyzer_is_its_tokenizer_and_filters() -> None:
    definition = {
        "tokenizer": {"type": "regex", "pattern": r"[a-z0-9]+"},
        "filters": ["lowercase", {"type": "stopwords", "words": ["the"]}],
    }
    assert analyzer_of("mine", {"mine": definition}).terms("the f150 x") == ["f150", "x"]
