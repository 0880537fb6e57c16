"""Patterns against a real index: what Tantivy matches is what Python's own comparison says."""

import random
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.errors import InvalidQuery
from indexing.local_index import View
from indexing.patterns import (
    BOUND_CHARACTERS_MAX,
    PATTERN_CHARACTERS_MAX,
    above,
    below,
    checked_regexp,
    near,
    wildcard,
)
from indexing.query import Fuzzy, Prefix, Range, Wildcard
from indexing.schema import Schema
from tests.indexing.built_index import build, found, key_of

NASTY = "\x00\x01\n\r\t *?\\[](){}.+^$|-/~ab\x7f\u00e9\ud7ff\ue000\uffff\U00010000😀\U0010ffff"
"""Ends of the ranges that patterns are made of, signs of regular expressions, and a few letters."""


def _stored() -> list[str]:
    rng = random.Random(6)
    made = {"".join(rng.choices(NASTY, k=rng.randint(0, 4))) for _ in range(400)}
    return sorted(made | {"", "a", "aa", "ab", "b", "a\x00", "a\U0010ffff"} | set(NASTY))


STORED = _stored()
texts = st.sampled_from(STORED) | st.text(alphabet=NASTY, max_size=5) | st.text(max_size=5)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    schema = Schema.from_json({"fields": {"s": "keyword"}})
    documents = [{"s": text} for text in STORED]
    return build(tmp_path_factory.mktemp("patterns") / "index", schema, documents).view()


def keys(hold: list[bool]) -> list[str]:
    return [key_of(number) for number, held in enumerate(hold) if held]


@settings(max_examples=60, deadline=None)
@given(bound=texts)
def test_one_bound_splits_all_strings_as_python_does(view: View, bound: str) -> None:
    assert found(view, Range("s", gt=bound)) == keys([text > bound for text in STORED])
    assert found(view, Range("s", gte=bound)) == keys([text >= bound for text in STORED])
    assert found(view, Range("s", lt=bound)) == keys([text < bound for text in STORED])
    assert found(view, Range("s", lte=bound)) == keys([text <= bound for text in STORED])


@settings(max_examples=40, deadline=None)
@given(low=texts, high=texts)
def test_two_bounds_hold_what_lies_between(view: View, low: str, high: str) -> None:
    assert found(view, Range("s", gt=low, lte=high)) == keys([low < t <= high for t in STORED])
    assert found(view, Range("s", gte=low, lt=high)) == keys([low <= t < high for t in STORED])


def test_two_bounds_are_met_by_one_value_of_a_list(tmp_path: Path) -> None:
    documents = [{"s": ["a", "z"]}, {"s": ["a", "d"]}, {"s": ["ca", "z"]}]
    schema = Schema.from_json({"fields": {"s": {"type": "string", "list": True}}})
    view = build(tmp_path / "index", schema, documents).view()
    assert found(view, Range("s", gte="c", lt="m")) == [key_of(1), key_of(2)]
    assert found(view, Range("s", gt="c", lt="ca")) == []
    assert found(view, Range("s", gte="ca", lte="ca")) == [key_of(2)]


@settings(max_examples=60, deadline=None)
@given(beginning=texts)
def test_a_prefix_is_taken_literally(view: View, beginning: str) -> None:
    expected = keys([text.startswith(beginning) for text in STORED])
    assert found(view, Prefix("s", beginning)) == expected


def matches(pattern: str, text: str) -> bool:
    """A wildcard as its description reads, one character after the other."""
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        return any(matches(rest, text[skipped:]) for skipped in range(len(text) + 1))
    if first == "\\" and rest:
        first, rest = rest[0], rest[1:]
    elif first == "?":
        return bool(text) and matches(rest, text[1:])
    return text[:1] == first and matches(rest, text[1:])


@settings(max_examples=80, deadline=None)
@given(pattern=st.text(alphabet="*?\\ab\x00\n.[😀", max_size=5))
def test_wildcards_match_whole_values(view: View, pattern: str) -> None:
    expected = keys([matches(pattern, text) for text in STORED])
    assert found(view, Wildcard("s", pattern)) == expected


def test_nothing_is_below_the_empty_string() -> None:
    assert below("", inclusive=False, path="s") == []


def test_a_bound_of_the_longest_length_is_still_answered(view: View) -> None:
    bound = "a" * BOUND_CHARACTERS_MAX
    assert found(view, Range("s", gte=bound)) == keys([text >= bound for text in STORED])


@pytest.mark.parametrize("side", [above, below])
def test_a_longer_bound_is_refused_with_its_field(side: object) -> None:
    assert callable(side)
    with pytest.raises(InvalidQuery) as refused:
        side("a" * (BOUND_CHARACTERS_MAX + 1), inclusive=True, path="seller.city")
    assert refused.value.data["path"] == "seller.city"
    assert refused.value.hint


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * (PATTERN_CHARACTERS_MAX + 1),
        "a{251}",
        "(a{16}){16}",
        "((a{2,7}){7}){7}",
        "a{99999999999999999999}",
        "a{1,99999999999999999999}",
    ],
)
def test_a_pattern_that_would_take_seconds_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        checked_regexp(pattern, "s")
    assert refused.value.data["path"] == "s"


@pytest.mark.parametrize("pattern", ["a{250}", r"a\{999}", "x*y+", "(a{5}){50}", "{", "a{,3}"])
def test_a_pattern_within_the_bounds_is_left_as_it_is(pattern: str) -> None:
    assert checked_regexp(pattern, "s") == pattern


def test_a_backslash_at_the_end_stands_for_itself() -> None:
    assert wildcard("a\\") == wildcard("a\\\\")
    assert wildcard(string.ascii_letters) == wildcard(
        "".join(f"\\{c}" for c in string.ascii_letters)
    )


def edits(one: str, other: str) -> int:
    """Edits between two words, neighbours changing places counted as one: optimal alignment."""
    table = {(i, -1): i + 1 for i in range(-1, len(one))}
    table |= {(-1, j): j + 1 for j in range(-1, len(other))}
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            best = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
            if i and j and a == other[j - 1] and one[i - 1] == b:
                best = min(best, table[i - 2, j - 2] + 1)
            table[i, j] = best
    return table[len(one) - 1, len(other) - 1]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> tuple[View, list[list[str]]]:
    rng = random.Random(3)
    texts = [
        ["".join(rng.choices("abc", k=rng.randint(1, 7))) for _ in range(3)] for _ in range(80)
    ]
    schema = Schema.from_json({"fields": {"t": "text"}})
    documents = [{"t": " ".join(text)} for text in texts]
    directory = tmp_path_factory.mktemp("words") / "index"
    return build(directory, schema, documents).view(), texts


@settings(max_examples=80, deadline=None)
@given(st.text("abc", min_size=1, max_size=7), st.integers(1, 4), st.integers(0, 2))
def test_fuzzy_keeps_the_beginning_and_edits_the_rest_of_the_same_word(
    words: tuple[View, list[list[str]]], value: str, exact: int, allowed: int
) -> None:
    view, texts = words
    beginning, rest = value[:exact], value[exact:]
    hold = [
        any(
            word.startswith(beginning) and edits(word[len(beginning) :], rest) <= allowed
            for word in text
        )
        for text in texts
    ]
    assert found(view, Fuzzy("t", value, allowed, exact)) == keys(hold)


def test_too_long_a_rest_for_edits_is_refused() -> None:
    with pytest.raises(InvalidQuery) as refused:
        near("a" * 30, 2, 1, transpositions=True, path="s")
    assert refused.value.data["path"] == "s"
    assert near("a" * 30, 14, 2, transpositions=True, path="s")
