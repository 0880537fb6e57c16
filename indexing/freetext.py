"""What a person types into a search box, as a query: any text has a meaning, none is an error.

    red ford f-150        words; one in several typed fields is enough, more score higher
    "crew cab"            words next to each other
    +ford -rust           required; excluded (also AND, NOT; OR says what holds anyway)
    make:ford  year:>2010  price:5000..9000   one field, only when it is a known one
    must*                 the beginning of a word

Invariants: `parse_text` returns for every string, and what it returns is valid Unicode of bounded
size. Signs, quotes and colons count only where a person sets them: in front of a word. Brackets
are punctuation: there is no grouping, and a note says so where it would matter.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from typing import Literal

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

WORDS_MAX = 1_000
"""Words that are read; a page pasted by mistake is cut, not refused: each costs time in a shard."""
WORD_CHARACTERS_MAX = 256
"""Characters that are read of a word: the bound of what a prefix or range pattern may have."""

_OPENING = re.compile(r"[\s()\[\]{}]*")
_SIGN = re.compile(r"([+-])(?=[^\s+-])((?:[(\[{]\s*)*)")
_WORD = re.compile(r"\S+")
_NAME = re.compile(r"([^\s:]{1,256}):(?=\S)")
_QUOTES = str.maketrans("“”„‟", '""""')
_PAIRS = {")": "(", "]": "[", "}": "{"}
_COMPARISONS: dict[str, Callable[[str, str], Range]] = {
    ">=": lambda name, limit: Range(name, gte=limit),
    "<=": lambda name, limit: Range(name, lte=limit),
    ">": lambda name, limit: Range(name, gt=limit),
    "<": lambda name, limit: Range(name, lt=limit),
}
_EVERYTHING = ("", "*", "*:*")
_CONNECTING = ("AND", "OR", "NOT")


@dataclass(frozen=True, slots=True)
class _Typed:
    """One clause as it was typed: its sign ("+", "-" or none), and what it asks for.

    `connecting` is set for AND, OR and NOT, which act on their neighbours instead.
    """

    sign: str
    query: Query
    connecting: str = ""


def parse_text(
    q: str, *, operator: Literal["or", "and"] = "or", fields: Container[str] | None = None
) -> tuple[Query, tuple[str, ...]]:
    """The query that a person means by `q`, and notes on what was read differently than typed.

    `operator` says whether plain words are optional or required; `fields` are the paths that
    `field:value` may name. Bounds of ranges and values of fields stay text, for the field's kind
    to read. Raises nothing: text without any word matches nothing, blank text everything.
    """
    text = q.encode("utf-16", "surrogatepass").decode("utf-16", "replace").translate(_QUOTES)
    if text.strip() in _EVERYTHING:
        return MatchAll(), ()
    reader = _Reader(text, () if fields is None else fields)
    typed = list(reader.clauses())
    signed = any(each.sign or each.connecting for each in typed)
    if reader.is_grouped and signed:
        reader.note("brackets do not group: signs and AND, OR, NOT apply to the nearest word")
    if operator == "and" and any(each.connecting == "OR" for each in typed):
        reader.note("OR is ignored: every word is required")
    query = _combined(typed, operator) or AnyText(text.strip()[:WORD_CHARACTERS_MAX])
    return query, tuple(reader.notes)


class _Reader:
    """Reads typed clauses from left to right, at most WORDS_MAX words of them."""

    def __init__(self, text: str, fields: Container[str]) -> None:
        self._text = text
        self._fields = fields
        self._at = 0
        self._left = WORDS_MAX
        self.is_grouped = False
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        """Say something once."""
        if message not in self.notes:
            self.notes.append(message)

    def clauses(self) -> Iterator[_Typed]:
        """The clauses in their order, without those of punctuation only."""
        while (place := self._skip()) < len(self._text):
            if not self._left:
                self.note(f"only the first {WORDS_MAX:,} words were read, the rest was ignored")
                return
            sign = _SIGN.match(self._text, place)
            if sign:
                self.is_grouped |= bool(sign[2])
                self._at = sign.end()
            typed = self._clause(sign[1] if sign else "")
            if typed is not None:
                yield typed

    def _skip(self) -> int:
        """Pass white space and brackets; the place of what follows."""
        skipped = _OPENING.match(self._text, self._at)
        if skipped:
            self.is_grouped |= "(" in skipped[0]
            self._at = skipped.end()
        return self._at

    def _clause(self, sign: str) -> _Typed | None:
        named = _NAME.match(self._text, self._at)
        name = named[1] if named and named[1] in self._fields else None
        quoted = self._quoted(named.end() if named and name else self._at)
        if quoted is not None:
            phrase = Lenient(MatchPhrase(name, quoted)) if name else AnyText(quoted, phrase=True)
            return _Typed(sign, phrase) if _has_word(quoted) else None
        word = _WORD.match(self._text, self._at)
        if word is None:
            return None
        self._at = word.end()
        self._left -= 1
        if name:
            value = self._bounded(word[0][len(name) + 1 :])
            on_field = _on_field(name, _trimmed(value))
            if on_field is not None:
                return _Typed(sign, Lenient(on_field))
        return self._plain(sign, word[0])

    def _plain(self, sign: str, word: str) -> _Typed | None:
        text = _trimmed(self._bounded(word))
        if not sign and text in _CONNECTING:
            return _Typed("", AnyText(text), connecting=text)
        if not _has_word(text):
            return None
        stem = text.rstrip("*")
        return _Typed(sign, AnyText(stem, prefix=stem != text))

    def _quoted(self, place: int) -> str | None:
        """The words of the quotation that opens at a place, which is then passed, or None."""
        if not self._text.startswith('"', place):
            return None
        closing = self._text.find('"', place + 1)
        if closing < 0:
            return None
        words = self._text[place + 1 : closing].split(None, self._left)
        if len(words) > self._left:
            self.note(f"only the first {WORDS_MAX:,} words were read, the rest was ignored")
            words.pop()
        self._at = closing + 1
        self._left -= max(1, len(words))  # so that a million empty quotations end too
        return " ".join(map(self._bounded, words))

    def _bounded(self, word: str) -> str:
        if len(word) <= WORD_CHARACTERS_MAX:
            return word
        self.note(f"only the first {WORD_CHARACTERS_MAX} characters of a long word were read")
        return word[:WORD_CHARACTERS_MAX]


def _trimmed(word: str) -> str:
    """A word without what a sentence puts around it: an opening quote, commas, closing brackets."""
    word = word.lstrip('"').rstrip(",;")
    while word and word[-1] in _PAIRS and word.count(word[-1]) > word.count(_PAIRS[word[-1]]):
        word = word[:-1].rstrip(",;")
    return word


def _has_word(text: str) -> bool:
    """Whether any character is more than punctuation; an emoji is, a dash or a tilde is not."""
    return any(
        each.isalnum()
        or (not each.isascii() and unicodedata.category(each)[0] not in "PZ" and each.isprintable())
        for each in text
    )


def _on_field(name: str, value: str) -> Query | None:
    """A clause on one field, or None when the value holds nothing to look for."""
    if value == "*":
        return Exists(name)
    for sign, compared in _COMPARISONS.items():
        if value.startswith(sign):
            limit = value.removeprefix(sign)
            return compared(name, limit) if _has_word(limit) else None
    if not _has_word(value):
        return None
    low, dots, high = value.partition("..")
    if dots and ".." not in high:
        return Range(name, gte=low or None, lte=high or None)
    stem = value.rstrip("*")
    if stem != value:
        return MatchPhrasePrefix(name, stem)
    return Match(name, value, operator="and")


def _combined(typed: list[_Typed], operator: str) -> Query | None:
    """One query of all clauses; None when there is none."""
    must: dict[Query, int] = {}
    should: dict[Query, int] = {}
    must_not: dict[Query, int] = {}
    plain = must if operator == "and" else should
    placed: list[tuple[dict[Query, int], Query]] = []
    is_joined = is_negated = False
    for each in typed:
        if each.connecting == "AND":
            is_joined = True
            if placed and placed[-1][0] is should:
                placed[-1] = (must, placed[-1][1])
        elif each.connecting == "NOT":
            is_negated = True
        elif not each.connecting:
            is_required = each.sign == "+" or is_joined or not isinstance(each.query, AnyText)
            is_excluded = each.sign == "-" or is_negated
            side = must_not if is_excluded else must if is_required else plain
            placed.append((side, each.query))
            is_joined = is_negated = False
    for side, query in placed:
        side[query] = side.get(query, 0) + 1
    if not placed:
        return None
    required, optional = _weighted(must), _weighted(should)
    if not must_not and len(required) + len(optional) == 1:
        return (*required, *optional)[0]
    if not required and not optional:
        required = (MatchAll(),)
    return Bool(must=required, should=optional, must_not=tuple(must_not))


def _weighted(counts: dict[Query, int]) -> tuple[Query, ...]:
    """The clauses, with a repeated word as one that weighs more."""
    return tuple(
        replace(query, count=count) if isinstance(query, AnyText) else query
        for query, count in counts.items()
    )
