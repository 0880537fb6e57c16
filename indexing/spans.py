"""Where in a text the words that a query looks for stand, as that text's field analyzes them.

Pure. Both sides go through the field's analyzer, so `running` is found in `runs` where words are
stemmed. Places are counted in characters.
"""

from collections.abc import Callable, Iterable
from typing import Any

from indexing.analysis import Analyzer
from indexing.near import edits_of
from indexing.wanted import Exactly, Wanted, Words

Span = tuple[int, int]
"""Where something begins, and where the next begins."""
TEXT_CHARACTERS_MAX = 100_000
"""How much of a value is looked at: analyzing takes a second per 10 MB."""

Matches = Callable[[str], bool]
"""Whether a term of the text is one that is looked for."""


class Finder:
    """Finds what is wanted of one field.

    `has_words` and `has_whole` say whether the field's words and its whole values are indexed.
    """

    def __init__(
        self, wanted: Iterable[Wanted], analyzer: Analyzer, *, has_words: bool, has_whole: bool
    ) -> None:
        self._analyzer = analyzer
        self._whole: list[Matches] = []
        self._terms: list[Matches] = []
        self._phrases: list[list[tuple[int, Matches]]] = []
        for each in wanted:
            if isinstance(each, Exactly):
                of_words = has_words and (each.of_words or not has_whole)
                (self._terms if of_words else self._whole).append(_exact(each))
            elif has_words or each.field is None:
                self._add_words(each)
            else:
                self._whole.append(_beginning(each.text) if each.prefix else _equal(each.text))

    def _add_words(self, words: Words) -> None:
        analyzer = self._analyzer
        if not analyzer.ordered:
            self._terms.extend(_equal(term) for term in set(analyzer.terms(words.text)))
            return
        positions = analyzer.positions(words.text)
        matching = [
            (place, _near(term, edits_of(words.fuzziness, term))) for place, term in positions
        ]
        if words.prefix and positions:
            last, beginning = positions[-1]
            matching[-1] = (last, _beginning(beginning))
        if words.phrase and len(matching) > 1:
            self._phrases.append(matching)
        else:
            self._terms.extend(matches for _, matches in matching)

    def spans(self, text: str) -> list[Span]:
        """Where something that is wanted stands, in order and without overlaps."""
        if any(matches(text) for matches in self._whole):
            return [(0, len(text))]
        if not self._terms and not self._phrases:
            return []
        tokens = self._analyzer.index.pre_tokenize(text[:TEXT_CHARACTERS_MAX]).tokens
        known: dict[str, bool] = {}
        found: list[Span] = []
        for token in tokens:
            term = token.text
            hit = known.get(term)
            if hit is None:
                hit = known[term] = any(matches(term) for matches in self._terms)
            if hit:
                found.append((token.char_offset_from, token.char_offset_to))
        if self._phrases:
            found.extend(self._phrase_spans(tokens))
        return _joined(found)

    def _phrase_spans(self, tokens: list[Any]) -> Iterable[Span]:
        by_place: dict[int, list[Any]] = {}
        for token in tokens:
            by_place.setdefault(token.position, []).append(token)
        for phrase in self._phrases:
            for start in by_place:
                there: list[Any] = [
                    next(
                        (each for each in by_place.get(start + place, ()) if fits(each.text)), None
                    )
                    for place, fits in phrase
                ]
                if all(there):
                    yield there[0].char_offset_from, there[-1].char_offset_to


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(set(spans)):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined


def _exact(exact: Exactly) -> Matches:
    if exact.prefix:
        return _beginning(exact.text)
    return _near(exact.text, edits_of(exact.fuzziness, exact.text))


def _equal(term: str) -> Matches:
    return term.__eq__


def _beginning(term: str) -> Matches:
    return lambda other: other.startswith(term)


def _near(term: str, edits: int) -> Matches:
    return (lambda other: is_near(term, other, edits)) if edits else _equal(term)


def is_near(one: str, other: str, edits: int) -> bool:
    """Whether so many insertions, deletions, replacements and exchanges of neighbours do.

    The optimal string alignment distance, row by row.
    """
    if abs(len(one) - len(other)) > edits:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        above, row = row, [i]
        for j, candidate in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (character != candidate))
            if i > 1 and j > 1 and character == other[j - 2] and one[i - 2] == candidate:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1] <= edits
