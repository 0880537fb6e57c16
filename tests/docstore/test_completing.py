"""Completions are the values and words that begin so, counted over the documents one by one."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore import Collection, Completion, InvalidQuery, Schema, Store
from indexing.folding import folded

Named = Collection[dict[str, Any]]
SCHEMA = Schema.from_json(
    {
        "fields": {
            "id": "keyword",
            "make": "keyword",
            "model": {"type": "string", "list": True},
            "title": "text",
            "start": {"type": "text", "analyzer": "prefix"},
            "year": "int",
        }
    }
)
MAKES = ["Škoda", "skoda", "SKODA", "Skid", "Straße", "STRASSE", "Łada", "Æon", "Ford", "Œuvre"]
MODELS = [
    "F-150",
    "Fabia",
    "fabia RS",
    "Citroën",
    "C4",
    "Mégane",
    "été",
    "ÉTÉ",
    "Ñandú",
    "Ⅷ",
    "日本",
]
TITLES = ["Fine leather seats", "leather set", "Leather seat", "a Škoda service", "seat"]
DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": f"d{number}",
        "make": MAKES[number % len(MAKES)],
        "model": [MODELS[number % 7], MODELS[number * 3 % len(MODELS)]],
        "title": TITLES[number % len(TITLES)],
        "start": "Ford",
        "year": 2000 + number % 3,
    }
    for number in range(120)
] + [{"id": f"w{number}", "make": f"W{number:04}"} for number in range(700)]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Named]]:
    with Store.open(tmp_path_factory.mktemp("completing")) as store:
        made: list[Named] = []
        for partitions in (1, 2, 16):
            named = store.create_collection(f"named{partitions}", SCHEMA, partitions=partitions)
            named.put_many({**each, "make": "Skold"} for each in DOCUMENTS[:50])
            named.put({"id": "gone", "make": "Skgone"})
            named.refresh()
            assert not named.put_many(DOCUMENTS).errors
            named.delete("gone")
            made.append(named)
        yield made


def _values(path: str, prefix: str, year: int | None) -> Counter[str]:
    """The documents of each value of a keyword field that begins so."""
    return Counter(
        each[path]
        for each in DOCUMENTS
        if path in each
        and folded(str(each[path])).startswith(folded(prefix))
        and (year is None or each.get("year") == year)
    )


@given(
    st.sampled_from([*MAKES, "W0", "w06", "w0699", "zz"]),
    st.integers(1, 8),
    st.booleans(),
    st.sampled_from([None, 2001]),
    st.integers(1, 20),
)
@settings(max_examples=60, deadline=None)
def test_values_that_begin_so_come_with_their_documents(
    collections: list[Named], value: str, length: int, loud: bool, year: int | None, limit: int
) -> None:
    prefix = (value.upper() if loud else value)[:length]
    short_filter = None if year is None else {"year": year}
    expected = [
        Completion(value, "make", documents)
        for value, documents in _values("make", prefix, year).items()
    ]
    expected.sort(key=lambda each: (-each.documents, folded(each.value), each.value))
    for named in collections:
        assert named.complete(prefix, "make", limit=limit, filter=short_filter) == expected[:limit]


def test_case_and_accents_do_not_matter(collections: list[Named]) -> None:
    for typed, value in (
        ("sKO", "Škoda"), ("ŠKO", "skoda"), ("stras", "Straße"), ("strass", "Straße"),
        ("lad", "Łada"), ("a", "Æon"), ("AEO", "Æon"), ("oe", "Œuvre"),
    ):  # fmt: skip
        assert value in [each.value for each in collections[1].complete(typed, "make")], typed
    for typed, value in (("citroe", "Citroën"), ("ETE", "été"), ("nandu", "Ñandú"), ("日", "日本")):
        assert value in [each.value for each in collections[1].complete(typed, "model")], typed


def test_words_follow_what_was_typed_before_them(collections: list[Named]) -> None:
    for named in collections:
        assert named.complete("leather sea", "title") == [
            ("leather seat", "title", 24),
            ("leather seats", "title", 24),
        ]
        assert named.complete("sea", "title") == [("seat", "title", 48), ("seats", "title", 24)]
        assert named.complete("leather ", "title") == []
        assert named.complete("leather leath", "title") == []


def test_a_word_that_is_a_value_is_told_once(collections: list[Named]) -> None:
    for named in collections:
        found = named.complete("fab", "model")
        assert {each.value for each in found} == {"Fabia", "fabia RS"}


def test_without_a_field_words_of_all_fields_are_completed(collections: list[Named]) -> None:
    for named in collections:
        (found,) = named.complete("skid")
        assert found == ("skid", None, 12)
        assert ("leather", None, 72) in named.complete("le")


def test_several_fields_are_completed_together(collections: list[Named]) -> None:
    found = collections[2].complete("f", ["make", "model"])
    assert {each.field for each in found} == {"make", "model"}
    assert [each.documents for each in found] == sorted(
        (each.documents for each in found), reverse=True
    )


def test_any_text_may_be_typed(collections: list[Named]) -> None:
    for typed in ("", " ", "\ud800", "\0", "(", "x" * 10_000, "ford " * 1000, "-", "*", "é" * 200):
        for field in (None, "make", "title", "start"):
            assert collections[1].complete(typed, field) == []


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"prefix": 7}, "prefix"),
        ({"prefix": "a", "limit": 0}, "limit"),
        ({"prefix": "a", "limit": True}, "limit"),
        ({"prefix": "a", "limit": 10**9}, "limit"),
        ({"prefix": "a", "field": "year"}, "field"),
        ({"prefix": "a", "field": "mak"}, "mak"),
        ({"prefix": "a", "field": 7}, "field"),
        ({"prefix": "a", "field": []}, "field"),
        ({"prefix": "a", "field": [""]}, "field"),
    ],
    ids=str,
)
def test_what_cannot_be_completed_is_refused(
    collections: list[Named], asked: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidQuery) as refused:
        collections[1].complete(**asked)
    assert refused.value.data["path"] == path
    assert refused.value.hint
