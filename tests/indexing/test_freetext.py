from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexing.freetext import WORD_CHARACTERS_MAX, WORDS_MAX, parse_text
from indexing.query import (
    AnyText,
    Bool,
    Exists,
    Lenient,
    Match,
    MatchAll,
    MatchPhrase,
    MatchPhrasePrefix,
    Query,
    Range,
)

FIELDS = {"make", "price", "year", "seller.city"}
RED, FORD, RUST = AnyText("red"), AnyText("ford"), AnyText("rust")
FORD_MAKE = Match("make", "ford", operator="and")


def _typed(query: Query) -> Query:
    """The query with every clause on a field as one that a person typed."""
    if isinstance(query, Bool):
        return Bool(
            must=tuple(map(_typed, query.must)),
            should=tuple(map(_typed, query.should)),
            must_not=tuple(map(_typed, query.must_not)),
            minimum_should_match=query.minimum_should_match,
        )
    return query if isinstance(query, AnyText | MatchAll) else Lenient(query)


def _words(text: str) -> tuple[AnyText, ...]:
    return tuple(map(AnyText, text.split()))


MEANINGS: list[tuple[str, Query]] = [
    ("", MatchAll()),
    (" \t\n\u3000", MatchAll()),
    ("*", MatchAll()),
    ("*:*", MatchAll()),
    ("ford", FORD),
    ("red ford f-150", Bool(should=_words("red ford f-150"))),
    ("ford red ford", Bool(should=(AnyText("ford", count=2), RED))),
    ("ford ford ford", AnyText("ford", count=3)),
    ('"crew cab"', AnyText("crew cab", phrase=True)),
    ('"crew \n cab" red', Bool(should=(AnyText("crew cab", phrase=True), RED))),
    ("“crew cab”", AnyText("crew cab", phrase=True)),
    ('"ford"red', Bool(should=(AnyText("ford", phrase=True), RED))),
    ('red "ford rust', Bool(should=(RED, FORD, RUST))),
    ('red "" ford', Bool(should=(RED, FORD))),
    ('5" tv', Bool(should=_words('5" tv'))),
    ("+ford red", Bool(must=(FORD,), should=(RED,))),
    ('+"crew cab" red', Bool(must=(AnyText("crew cab", phrase=True),), should=(RED,))),
    ("+ford", FORD),
    ("+ford +ford red", Bool(must=(AnyText("ford", count=2),), should=(RED,))),
    ("ford -rust", Bool(should=(FORD,), must_not=(RUST,))),
    ('ford -"one owner"', Bool(should=(FORD,), must_not=(AnyText("one owner", phrase=True),))),
    ("-rust -rust", Bool(must=(MatchAll(),), must_not=(RUST,))),
    ("red - ford", Bool(should=(RED, FORD))),
    ("red & ford + |", Bool(should=(RED, FORD))),
    ("--verbose", AnyText("--verbose")),
    ("c++ c# a+b at&t", Bool(should=_words("c++ c# a+b at&t"))),
    ("o'reilly rock 'n' roll", Bool(should=_words("o'reilly rock 'n' roll"))),
    ("must*", AnyText("must", prefix=True)),
    ("f*d", AnyText("f*d")),
    ("red, ford;", Bool(should=(RED, FORD))),
    ("(red) [ford] {rust}", Bool(should=(RED, FORD, RUST))),
    ("((red ford", Bool(should=(RED, FORD))),
    ("f(x) car(s)", Bool(should=_words("f(x) car(s)"))),
    ("http://x 12:30 make:", Bool(should=_words("http://x 12:30 make:"))),
    ("colour:red", AnyText("colour:red")),
    ("make:ford", FORD_MAKE),
    ("seller.city:x", Match("seller.city", "x", operator="and")),
    ("make:ford red", Bool(must=(FORD_MAKE,), should=(RED,))),
    ("make:ford, red", Bool(must=(FORD_MAKE,), should=(RED,))),
    ("red -make:ford", Bool(should=(RED,), must_not=(FORD_MAKE,))),
    ("(make:ford)", FORD_MAKE),
    ('make:"land rover"', MatchPhrase("make", "land rover")),
    ('-make:"land rover"', Bool(must=(MatchAll(),), must_not=(MatchPhrase("make", "land rover"),))),
    ('make:"ford', FORD_MAKE),
    ("make:fo*", MatchPhrasePrefix("make", "fo")),
    ("make:*", Exists("make")),
    ("make:a:b", Match("make", "a:b", operator="and")),
    ("price:>10", Range("price", gt="10")),
    ("price:>=10", Range("price", gte="10")),
    ("price:<10.5", Range("price", lt="10.5")),
    ("price:<=-10", Range("price", lte="-10")),
    ("price:10..20", Range("price", gte="10", lte="20")),
    ("price:10..", Range("price", gte="10")),
    ("price:..20", Range("price", lte="20")),
    ("price:>", AnyText("price:>")),
    ("price:..", AnyText("price:..")),
    ("price:1..2..3", Match("price", "1..2..3", operator="and")),
    ("red AND ford", Bool(must=(RED, FORD))),
    ("red AND ford rust", Bool(must=(RED, FORD), should=(RUST,))),
    ("red OR ford", Bool(should=(RED, FORD))),
    ("red NOT rust", Bool(should=(RED,), must_not=(RUST,))),
    ("red AND NOT rust", Bool(must=(RED,), must_not=(RUST,))),
    ("NOT rust AND red", Bool(must=(RED,), must_not=(RUST,))),
    ("NOT make:ford", Bool(must=(MatchAll(),), must_not=(FORD_MAKE,))),
    ("red and ford", Bool(should=_words("red and ford"))),
    ('"AND" ford', Bool(should=(AnyText("AND", phrase=True), FORD))),
    ("AND red", RED),
    ("red AND", RED),
    ("OR", AnyText("OR")),
    ("NOT", AnyText("NOT")),
    ("-", AnyText("-")),
    ("()", AnyText("()")),
    ("🚗 ?", AnyText("🚗")),
]


@pytest.mark.parametrize(("text", "query"), MEANINGS)
def test_text_means_what_a_person_expects(text: str, query: Query) -> None:
    assert parse_text(text, fields=FIELDS) == (_typed(query), ())


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("red ford", Bool(must=(RED, FORD))),
        ("red", RED),
        ("red -rust", Bool(must=(RED,), must_not=(RUST,))),
        ("red make:ford", Bool(must=(RED, FORD_MAKE))),
        ("-rust", Bool(must=(MatchAll(),), must_not=(RUST,))),
        ("red - ford", Bool(must=(RED, FORD))),
    ],
)
def test_the_operator_and_requires_every_plain_word(text: str, query: Query) -> None:
    assert parse_text(text, operator="and", fields=FIELDS) == (_typed(query), ())


def test_without_fields_a_colon_is_text() -> None:
    assert parse_text("make:ford price:>10")[0] == Bool(should=_words("make:ford price:>10"))


def test_a_note_says_what_was_not_read_as_typed() -> None:
    query, notes = parse_text("-(red ford)")
    assert query == Bool(should=(FORD,), must_not=(RED,))
    assert "brackets do not group" in notes[0]
    assert "OR is ignored" in parse_text("red OR ford", operator="and")[1][0]


def test_words_beyond_the_bound_are_ignored_and_noted() -> None:
    text = " ".join(f"w{number}" for number in range(WORDS_MAX))
    query, notes = parse_text(text)
    assert isinstance(query, Bool)
    assert len(query.should) == WORDS_MAX
    assert notes == ()
    again, notes = parse_text(f"{text} one more")
    assert again == query
    assert len(notes) == 1
    assert "the rest was ignored" in notes[0]


def test_words_of_a_phrase_count_towards_the_bound() -> None:
    query, notes = parse_text('a "' + "b " * 5000 + '" c')
    assert query == Bool(
        should=(AnyText("a"), AnyText(" ".join("b" * (WORDS_MAX - 1)), phrase=True))
    )
    assert len(notes) == 1


@pytest.mark.parametrize("text", ["x" * 10**6, "make:" + "x" * 10**6, '"' + "x" * 10**6 + '"'])
def test_a_long_word_is_cut_and_noted(text: str) -> None:
    query, notes = parse_text(text, fields=FIELDS)
    query = query.query if isinstance(query, Lenient) else query
    assert isinstance(query, AnyText | Match)
    assert len(query.text) == WORD_CHARACTERS_MAX
    assert "long word" in notes[0]


@pytest.mark.parametrize(
    "piece",
    ['"', '""', '"" ', '" " ', "+", "- ", "(", ")", "-(", 'make:"', "a:", "AND ", "\0", "\ud800"],
)
def test_a_million_of_anything_is_read_in_bounded_work(piece: str) -> None:
    query, _ = parse_text(piece * 10**6, fields=FIELDS)
    assert sum(len(each.text) for each in _any_texts(query)) <= WORDS_MAX * WORD_CHARACTERS_MAX


def test_surrogates_become_valid_unicode() -> None:
    assert parse_text("\ud83d\ude97")[0] == AnyText("🚗")
    assert parse_text("a\ud800b")[0] == AnyText("a\ufffdb")


def _any_texts(query: Query) -> Iterator[AnyText]:
    if isinstance(query, AnyText):
        yield query
    elif isinstance(query, Bool):
        for each in (*query.must, *query.should, *query.must_not):
            yield from _any_texts(each)


anything = st.text(st.characters(exclude_categories=()))
grammar = st.lists(
    st.one_of(
        st.sampled_from([*"+-\"()[]{}*:.,<>= ~'", "AND ", "OR ", "NOT ", "make:", "price:", "a "]),
        st.text(max_size=3),
    ),
    max_size=20,
).map("".join)


@settings(max_examples=500)
@given(st.one_of(anything, grammar), st.sampled_from(["or", "and"]))
@example("\x00\x1c\x85\u2028\ufeff", "or")
def test_any_text_at_all_is_a_query_of_valid_unicode(text: str, operator: str) -> None:
    query, notes = parse_text(text, operator="and" if operator == "and" else "or", fields=FIELDS)
    assert repr((query, notes)).encode()
    for each in _any_texts(query):
        assert each.text.strip()
        assert each.text.encode()
        assert each.count >= 1
    if isinstance(query, Bool):
        assert query.must or query.should


@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), min_size=1, max_size=12))
def test_plain_words_keep_their_order_and_counts(words: list[str]) -> None:
    found = list(_any_texts(parse_text(" ".join(words))[0]))
    assert [each.text for each in found] == list(dict.fromkeys(words))
    assert {each.text: each.count for each in found} == {w: words.count(w) for w in words}
