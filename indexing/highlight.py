"""Highlighting: the parts of a document in which something that was searched for occurs.

Fragments are HTML: the text is escaped, so script in it shows as text, and what was found stands in
`<mark>`. A short value is one fragment; of a long one, the parts with the most different words are
shown in the order of the text, with an ellipsis where it was cut. Pure.
"""

import html
from collections.abc import Iterable, Mapping
from typing import Any

from indexing.analysis import STANDARD
from indexing.errors import InvalidQuery
from indexing.fields import Fields
from indexing.layout import ColumnKind, Layout
from indexing.parameters import field_of
from indexing.place import Budget, Place
from indexing.query import Query
from indexing.spans import Finder, Span
from indexing.texts import texts_of
from indexing.wanted import wanted

FRAGMENT_CHARACTERS = 160
"""Two lines of text on a screen."""
FRAGMENTS_MAX = 3
"""Of one field."""
_WORD_CHARACTERS_MAX = 24
"""How far a cut is moved to stand between words."""
_ELLIPSIS = "…"
_TEXTS = (ColumnKind.TEXT, ColumnKind.KEYWORD)


class Highlighter:
    """Marks what some queries look for in documents of one schema.

    `fields` are the fields to look at, None all of them; raises InvalidQuery for one that is not
    there or holds no text.
    """

    def __init__(
        self, layout: Layout, queries: Iterable[Query], fields: tuple[str, ...] | None
    ) -> None:
        self._layout = layout
        self._wanted = [each for query in queries for each in wanted(query)]
        self._fields = None if fields is None else frozenset(fields)
        self._finders: dict[str, Finder] = {}
        for path in fields or ():
            columns = Fields(layout).columns(path)
            if columns and not any(column.kind in _TEXTS for column in columns):
                raise InvalidQuery(
                    f"field {path!r} holds no text to highlight",
                    hint="highlight fields with text",
                    path="highlight",
                )

    def highlights(self, document: Mapping[str, Any]) -> dict[str, list[str]]:
        """The fragments of each field in which something occurs, by dotted path."""
        found: dict[str, list[str]] = {}
        if not self._wanted:
            return found
        for path, text in texts_of(document):
            if self._fields is not None and path not in self._fields:
                continue
            held = found.get(path, [])
            if len(held) >= FRAGMENTS_MAX:
                continue
            spans = self._finder(path).spans(text)
            if spans:
                found[path] = [*held, *fragments(text, spans)][:FRAGMENTS_MAX]
        return found

    def _finder(self, path: str) -> Finder:
        finder = self._finders.get(path)
        if finder is None:
            layout = self._layout
            columns = {column.kind: column for column in layout.by_path.get(path, ())}
            # What the schema does not name is indexed as plain strings are.
            is_open = not columns and layout.is_open(path)
            words = columns.get(ColumnKind.TEXT)
            anywhere = is_open or not columns.keys().isdisjoint(_TEXTS)
            finder = self._finders[path] = Finder(
                (each for each in self._wanted if anywhere and each.field in (path, None)),
                layout.analyzers[words.analyzer if words else STANDARD],
                has_words=is_open or words is not None,
                has_whole=is_open or ColumnKind.KEYWORD in columns,
            )
        return finder


def fragments(text: str, spans: list[Span]) -> list[str]:
    """The best parts of a text as HTML; `spans` are what was found, in order."""
    if len(text) <= FRAGMENT_CHARACTERS:
        return [_marked(text, spans, 0, len(text))]
    groups: list[list[Span]] = []
    for span in spans:
        if groups and span[1] - groups[-1][0][0] <= FRAGMENT_CHARACTERS:
            groups[-1].append(span)
        else:
            groups.append([span])

    def worth(group: list[Span]) -> tuple[int, int, int]:
        different = {text[start:end].lower() for start, end in group}
        return -len(different), -len(group), group[0][0]

    chosen = sorted(sorted(groups, key=worth)[:FRAGMENTS_MAX])
    parts: list[str] = []
    end = 0
    for group in chosen:
        start, end = _around(text, group[0][0], group[-1][1], end)
        parts.append(_marked(text, group, start, end))
    return parts


def _around(text: str, start: int, end: int, least: int) -> tuple[int, int]:
    """A part of a fragment's length around a place, cut between words, not before `least`."""
    room = max(0, FRAGMENT_CHARACTERS - (end - start))
    low = max(least, start - room // 2)
    high = min(len(text), max(end, low + FRAGMENT_CHARACTERS))
    low = max(least, min(low, max(0, high - FRAGMENT_CHARACTERS)))
    if low > least:
        space = text.find(" ", low, min(start, low + _WORD_CHARACTERS_MAX))
        low = space + 1 if space >= 0 else low
    if high < len(text):
        space = text.rfind(" ", max(end, high - _WORD_CHARACTERS_MAX), high)
        high = space if space >= 0 else high
    return low, high


def _marked(text: str, spans: list[Span], low: int, high: int) -> str:
    parts = [_ELLIPSIS] if low > 0 else []
    at = low
    for start, end in spans:
        parts += [html.escape(text[at:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
        at = end
    parts.append(html.escape(text[at:high]))
    if high < len(text):
        parts.append(_ELLIPSIS)
    return "".join(parts)


def parse_fields(raw: Any) -> tuple[str, ...] | None:
    """`True` for all fields (None), a field, or a list of fields; raises InvalidQuery."""
    if raw is True:
        return None
    place = Place(Budget(), "highlight")
    if isinstance(raw, str):
        raw = (raw,)
    if not isinstance(raw, list | tuple | set | frozenset):
        raise place.wrong_type("true or a list of fields", raw)
    return tuple(field_of(each, place) for each in raw)
