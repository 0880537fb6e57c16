"""Text without case and accents, and the characters that a character without them may stand for.

Pure. Letters that Unicode does not take apart, but people do, are in a small table.
"""

import unicodedata
from functools import cache, lru_cache

_APART = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",  # the Turkish i without a dot
        "ł": "l",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
_ALPHABETS = (range(0x20, 0x530), range(0x1E00, 0x2000))
"""Latin, Greek and Cyrillic: the scripts with case or accents that people leave out."""
FOLDED_MAX = 3
"""Characters that one character folds to at most."""


def folded(text: str) -> str:
    """The text as it is compared: `Škoda` and `skoda` are one."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in plain if not unicodedata.combining(each)).translate(_APART)


@cache
def _variants() -> dict[str, tuple[str, ...]]:
    variants: dict[str, list[str]] = {}
    for alphabet in _ALPHABETS:
        for character in map(chr, alphabet):
            variants.setdefault(folded(character), []).append(character)
    return {plain: tuple(characters) for plain, characters in variants.items()}


@lru_cache(4096)
def reaching(plain: str) -> tuple[str, ...]:
    """The characters that fold to more than some folded characters: ß where an s was typed."""
    return tuple(
        each
        for longer, characters in _variants().items()
        if len(longer) > len(plain) and longer.startswith(plain)
        for each in characters
    )


def variants(plain: str) -> tuple[str, ...]:
    """The characters that fold to some folded characters."""
    found = _variants().get(plain, ())
    return found or ((plain,) if len(plain) == 1 else ())
