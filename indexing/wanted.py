"""What a query looks for in a text, so that it can be shown there: words, phrases, whole values.

Pure: the words are still as typed, because each field analyzes them in its own way. What excludes,
and what is no word of the text (ranges, patterns, keys), leaves nothing to show.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from indexing import query as asked


@dataclass(frozen=True, slots=True)
class Words:
    """Words to analyze: next to each other when they are a `phrase`, the last one a `prefix`."""

    field: str | None
    text: str
    phrase: bool = False
    prefix: bool = False
    fuzziness: int | Literal["auto"] = 0


@dataclass(frozen=True, slots=True)
class Exactly:
    """A whole value as it is, its beginning, or what is near to it; a word where there are none.

    `of_words` says that words come first, and a whole value only where a field has no words.
    """

    field: str
    text: str
    prefix: bool = False
    fuzziness: int | Literal["auto"] = 0
    of_words: bool = False


Wanted = Words | Exactly


def wanted(query: asked.Query) -> Iterator[Wanted]:
    """Everything to show; `field` None is any field."""
    if isinstance(query, asked.Bool):
        parts: tuple[asked.Query, ...] = (*query.must, *query.filter, *query.should)
    elif isinstance(query, asked.DisMax):
        parts = query.queries
    elif isinstance(query, asked.ConstantScore | asked.Lenient):
        parts = (query.query,)
    else:
        yield from _LEAVES.get(type(query), _nothing)(query)
        return
    for each in parts:
        yield from wanted(each)


def _nothing(_: Any) -> list[Wanted]:
    return []


def _multi_match(node: asked.MultiMatch) -> list[Wanted]:
    is_phrase = node.type in ("phrase", "phrase_prefix")
    is_prefix = node.type == "phrase_prefix"
    return [
        Words(field, node.text, is_phrase, is_prefix, node.fuzziness) for field, _ in node.fields
    ]


def _values(field: str, values: tuple[asked.Value, ...]) -> list[Wanted]:
    return [Exactly(field, value) for value in values if isinstance(value, str)]


_LEAVES: Mapping[type, Callable[[Any], list[Wanted]]] = {
    asked.Match: lambda node: [Words(node.field, node.text, fuzziness=node.fuzziness)],
    asked.MatchPhrase: lambda node: [Words(node.field, node.text, phrase=node.slop == 0)],
    asked.MatchPhrasePrefix: lambda node: [Words(node.field, node.text, phrase=True, prefix=True)],
    asked.MultiMatch: _multi_match,
    asked.AnyText: lambda node: [Words(None, node.text, phrase=True, prefix=node.prefix)],
    asked.Term: lambda node: _values(node.field, (node.value,)),
    asked.Terms: lambda node: _values(node.field, node.values),
    asked.Prefix: lambda node: [Exactly(node.field, node.value, prefix=True)],
    asked.Fuzzy: lambda node: [
        Exactly(node.field, node.value, fuzziness=node.fuzziness, of_words=True)
    ],
}
