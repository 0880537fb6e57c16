"""Patterns for Tantivy's automata: literals, prefixes, wildcards, and ranges over whole strings.

Tantivy has no range over text columns that takes any string, so a range is said as a union of
regular expressions: every string above a bound shares the bound's first i characters and then has
a greater one, for some i. Pure. Strings compare by code point, which is UTF-8's byte order.
"""

import re
from collections.abc import Iterator

from indexing.errors import InvalidQuery

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_ANY_CHARACTER = (
    f"[\\x{{0}}-\\x{{{_SURROGATES[0] - 1:x}}}\\x{{{_SURROGATES[1] + 1:x}}}-\\x{{10ffff}}]"
)
ANY_RUN = f"{_ANY_CHARACTER}*"
BOUND_CHARACTERS_MAX = 256
"""A longer bound would make automata beyond Tantivy's limit of states."""
PATTERN_CHARACTERS_MAX = 1000
NEAR_CHARACTERS_MAX = 16
"""Characters in which a pattern allows one edit: more would make too large an automaton."""
REPETITIONS_MAX = 250
"""The product of all counted repetitions: beyond it, compiling takes seconds before it fails."""
_COUNTED = re.compile(r"(?<!\\)\{(\d*)(?:,(\d*))?\}")


def literal(text: str) -> str:
    """A pattern that matches exactly this text."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in text)


def prefix(text: str) -> str:
    """A pattern that matches every string beginning with this text."""
    return literal(text) + ANY_RUN


def wildcard(pattern: str) -> str:
    """`*` as any run and `?` as any character; a backslash takes the next character literally."""
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            parts.append(ANY_RUN)
        elif character == "?":
            parts.append(_ANY_CHARACTER)
        else:
            parts.append(literal(next(characters, "\\") if character == "\\" else character))
    return "".join(parts)


def checked_regexp(pattern: str, path: str) -> str:
    """The pattern, unless it is so large that compiling it would take seconds.

    Raises InvalidQuery with the limit it passes; Tantivy itself bounds the automaton's states.
    """
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise InvalidQuery(
            f"the pattern for {path!r} has {len(pattern)} characters, at most "
            f"{PATTERN_CHARACTERS_MAX} are allowed",
            hint="shorten the pattern",
            path=path,
        )
    product = 1
    for low, high in _COUNTED.findall(pattern):
        digits = max(len(low), len(high))
        product *= max(int(low or 0), int(high or 0), 1) if digits < 10 else REPETITIONS_MAX + 1
        if product > REPETITIONS_MAX:
            raise InvalidQuery(
                f"the pattern for {path!r} repeats more than {REPETITIONS_MAX} times in all",
                hint="use smaller counts, or * and +",
                path=path,
            )
    return pattern


def near(text: str, exact: int, edits: int, *, transpositions: bool, path: str) -> list[str]:
    """Patterns whose union matches every string within some edits of a text (at most 2).

    The first `exact` characters must be the text's own; the edits are counted in the rest. Tantivy
    has automata for edits, but none that leaves a beginning alone. Raises InvalidQuery when the
    rest is too long.
    """
    beginning, rest = literal(text[:exact]), text[exact:]
    if edits == 0:
        return [beginning + literal(rest)]
    if len(rest) > NEAR_CHARACTERS_MAX:
        raise InvalidQuery(
            f"{len(rest)} characters of {text!r} are left after the exact ones, at most "
            f"{NEAR_CHARACTERS_MAX} may differ",
            hint="use a longer prefix_length, or none",
            path=path,
        )
    ways = [("", rest)]
    if edits > 1:
        ways += _first_edits(rest, transpositions)
    return [beginning + done + _within_one(left, transpositions) for done, left in ways]


def _first_edits(text: str, transpositions: bool) -> Iterator[tuple[str, str]]:
    """Each way to make one edit: the pattern up to and with it, and the text that is left."""
    for place in range(len(text) + 1):
        before, left = literal(text[:place]), text[place:]
        yield before + _ANY_CHARACTER, left
        if left:
            yield before, left[1:]
            yield before + _ANY_CHARACTER, left[1:]
        if transpositions and len(left) > 1:
            yield before + literal(left[1] + left[0]), left[2:]


def _within_one(text: str, transpositions: bool) -> str:
    options = [done + literal(left) for done, left in _first_edits(text, transpositions)]
    return f"({'|'.join([literal(text), *options])})"


def _characters(first: int, last: int) -> str:
    ranges = (
        (first, min(last, _SURROGATES[0] - 1)),
        (max(first, _SURROGATES[1] + 1), last),
    )
    return "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges if low <= high)


def above(bound: str, *, inclusive: bool, path: str) -> list[str]:
    """Patterns whose union matches every string above a bound."""
    _check_bound(bound, path)
    patterns = []
    for place, character in enumerate(bound):
        greater = _characters(ord(character) + 1, _LAST)
        if greater:
            patterns.append(f"{literal(bound[:place])}[{greater}]{ANY_RUN}")
    patterns.append(literal(bound) + (ANY_RUN if inclusive else _ANY_CHARACTER + ANY_RUN))
    return patterns


def below(bound: str, *, inclusive: bool, path: str) -> list[str]:
    """Patterns whose union matches every string below a bound."""
    _check_bound(bound, path)
    patterns = []
    for place, character in enumerate(bound):
        patterns.append(literal(bound[:place]))
        smaller = _characters(0, ord(character) - 1) if ord(character) else ""
        if smaller:
            patterns.append(f"{literal(bound[:place])}[{smaller}]{ANY_RUN}")
    if inclusive:
        patterns.append(literal(bound))
    return patterns


def between(
    low: str, high: str, *, low_inclusive: bool, high_inclusive: bool, path: str
) -> list[str]:
    """Patterns whose union matches every string between two bounds.

    One value has to pass both: two unions would be met by two values of a list.
    """
    if low >= high:
        return [literal(low)] if low == high and low_inclusive and high_inclusive else []
    place = 0
    while place < len(low) and low[place] == high[place]:
        place += 1
    beginning = literal(low[:place])
    if place == len(low):  # the upper bound continues the lower one
        rest = below(high[place:], inclusive=high_inclusive, path=path)
        _check_bound(high, path)
        # The first alternative of `below` is the empty string, which is the lower bound itself.
        return [beginning + each for each in rest if each or low_inclusive]
    _check_bound(low, path)
    _check_bound(high, path)
    patterns = [
        beginning + literal(low[place]) + each
        for each in above(low[place + 1 :], inclusive=low_inclusive, path=path)
    ]
    middle = _characters(ord(low[place]) + 1, ord(high[place]) - 1)
    if middle:
        patterns.append(f"{beginning}[{middle}]{ANY_RUN}")
    patterns += [
        beginning + literal(high[place]) + each
        for each in below(high[place + 1 :], inclusive=high_inclusive, path=path)
    ]
    return patterns


def _check_bound(bound: str, path: str) -> None:
    if len(bound) > BOUND_CHARACTERS_MAX:
        raise InvalidQuery(
            f"a bound of {path!r} has {len(bound)} characters, at most "
            f"{BOUND_CHARACTERS_MAX} are allowed",
            hint="shorten the bound: a prefix of it sorts next to it",
            path=path,
        )
