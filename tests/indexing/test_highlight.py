"""Fragments: what was found is marked as the field's analyzer sees it, and all else is escaped."""

import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.dsl import parse_query
from indexing.freetext import parse_text
from indexing.highlight import FRAGMENT_CHARACTERS, FRAGMENTS_MAX, Highlighter, fragments
from indexing.layout import Layout
from indexing.schema import Schema
from indexing.spans import is_near

SCHEMA = Schema.from_json(
    {
        "fields": {
            "title": "string",
            "body": {"type": "text", "analyzer": "english"},
            "plain": "text",
            "folded": {"type": "text", "analyzer": "folded"},
            "start": {"type": "text", "analyzer": "prefix"},
            "grams": {"type": "text", "analyzer": "ngram"},
            "tags": {"type": "keyword", "list": True},
            "price": "int",
            "seller": {"type": "object", "fields": {"name": "string"}},
        },
        "dynamic": "index",
    }
)
LAYOUT = Layout(SCHEMA)


def _marked(query: Any, document: dict[str, Any], *fields: str) -> dict[str, list[str]]:
    parsed = parse_text(query)[0] if isinstance(query, str) else parse_query(query)
    return Highlighter(LAYOUT, [parsed], fields or None).highlights(document)


@pytest.mark.parametrize(
    ("query", "field", "text", "expected"),
    [
        ("running", "body", "It runs well", "It <mark>runs</mark> well"),
        ("running", "plain", "It runs well", None),
        ("RUNS", "plain", "It runs, well", "It <mark>runs</mark>, well"),
        ("f-150", "title", "Ford F-150 XL, no. 150", "Ford <mark>F-150</mark> XL, no. 150"),
        ('"crew cab"', "title", "crew, cab and crew", "<mark>crew, cab</mark> and crew"),
        ("cit*", "title", "a Citroën city", "a <mark>Citroën</mark> <mark>city</mark>"),
        ("citroen", "folded", "a Citroën", "a <mark>Citroën</mark>"),
        ("-red blue", "title", "red or blue", "red or <mark>blue</mark>"),
        ("for", "start", "Fordable", "<mark>For</mark>dable"),
        ("ord", "grams", "Ford", "F<mark>ord</mark>"),
        ("new", "tags", "as new", "as <mark>new</mark>"),
        ("x", "title", "<script>x</script>", "&lt;script&gt;<mark>x</mark>&lt;/script&gt;"),
        ("a", "title", "a & \"b\" 'c'", "<mark>a</mark> &amp; &quot;b&quot; &#x27;c&#x27;"),
        ("日本", "title", "日本 😀 日本", "<mark>日本</mark> 😀 <mark>日本</mark>"),
        ({"match": {"title": "red car"}}, "title", "car", "<mark>car</mark>"),
        ({"match": {"body": "red"}}, "title", "red", None),
        ({"match": {"tags": "as new"}}, "tags", "as new", "<mark>as new</mark>"),
        ({"match": {"tags": "new"}}, "tags", "as new", None),
        ({"match": {"title": {"query": "hunda", "fuzziness": 1}}}, "title", "A Honda",
         "A <mark>Honda</mark>"),
        ({"fuzzy": {"title": "hnoda"}}, "title", "A Honda", "A <mark>Honda</mark>"),
        ({"match_phrase": {"title": "one two"}}, "title", "2 one two",
         "2 <mark>one two</mark>"),
        ({"match_phrase_prefix": {"title": "one tw"}}, "title", "one two", "<mark>one two</mark>"),
        ({"multi_match": {"query": "x", "fields": ["title", "body"]}}, "body", "x",
         "<mark>x</mark>"),
        ({"term": {"title": "As Is"}}, "title", "As Is", "<mark>As Is</mark>"),
        ({"term": {"title": "As Is"}}, "title", "as is", None),
        ({"term": {"plain": "as"}}, "plain", "As is", "<mark>As</mark> is"),
        ({"terms": {"tags": ["a", "b"]}}, "tags", "b", "<mark>b</mark>"),
        ({"prefix": {"tags": "as"}}, "tags", "as new", "<mark>as new</mark>"),
        ({"bool": {"must_not": [{"match": {"title": "x"}}]}}, "title", "x", None),
        ({"dis_max": {"queries": [{"match": {"title": "x"}}]}}, "title", "x", "<mark>x</mark>"),
        ({"range": {"title": {"gte": "a"}}}, "title", "x", None),
        ("ford", "unnamed", "a ford", "a <mark>ford</mark>"),
    ],
)  # fmt: skip
def test_what_was_asked_for_is_marked(
    query: Any, field: str, text: str, expected: str | None
) -> None:
    assert _marked(query, {field: text}) == ({} if expected is None else {field: [expected]})


def test_lists_and_objects_are_looked_into() -> None:
    document = {"tags": ["a b", "c", "b"], "seller": {"name": "b"}, "price": 5, "sold": True}
    assert _marked("b", document) == {
        "tags": ["a <mark>b</mark>", "<mark>b</mark>"],
        "seller.name": ["<mark>b</mark>"],
    }
    assert _marked("b", document, "seller.name") == {"seller.name": ["<mark>b</mark>"]}


def test_of_a_long_text_the_parts_with_most_words_are_shown() -> None:
    filler = "lorem ipsum dolor sit amet " * 20
    text = f"{filler}one {filler}one two {filler}two {filler}one <b>two</b> one {filler}"
    (found,) = _marked("one two", {"plain": text}).values()
    assert len(found) == FRAGMENTS_MAX
    assert sum("one</mark>" in each and "two</mark>" in each for each in found) == 2
    assert all(each.startswith("…") and each.endswith("…") for each in found)
    assert any("&lt;b&gt;<mark>two</mark>&lt;/b&gt; <mark>one</mark>" in each for each in found)


_characters = st.text(st.sampled_from("ab<>&\"' é日😀\n"), max_size=600)


@given(_characters, st.data())
def test_fragments_are_escaped_pieces_of_the_text(text: str, data: st.DataObject) -> None:
    ends = data.draw(st.sets(st.integers(0, len(text)), max_size=10).map(sorted))
    spans = list(zip(ends[::2], ends[1::2], strict=False))
    if not spans:
        return
    made = fragments(text, spans)
    assert 1 <= len(made) <= FRAGMENTS_MAX
    for each in made:
        assert not re.search(r"<(?!/?mark>)", each)
        plain = html.unescape(re.sub(r"</?mark>", "", each)).strip("…")
        assert plain in text
        longest = max(end - start for start, end in spans)
        assert len(plain) <= max(FRAGMENT_CHARACTERS, longest)
        for word in re.findall(r"<mark>(.*?)</mark>", each, re.DOTALL):
            assert html.unescape(word) in [text[start:end] for start, end in spans]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 2))
def test_near_is_what_trying_all_edits_finds(one: str, other: str, edits: int) -> None:
    reached = {one}
    for _ in range(edits):
        reached |= {near for each in reached for near in _edited(each)}
    if edits < 2 or len(one) < 2:
        assert is_near(one, other, edits) == (other in reached)
    elif is_near(one, other, edits):
        # Two edits of the same place are one step more than an alignment may take.
        assert other in reached


def _edited(text: str) -> set[str]:
    places = range(len(text) + 1)
    return (
        {text[:at] + each + text[at:] for at in places for each in "abc"}
        | {text[:at] + text[at + 1 :] for at in places}
        | {text[:at] + each + text[at + 1 :] for at in places[:-1] for each in "abc"}
        | {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in places[:-2]}
    )
