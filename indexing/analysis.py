"""Analyzers by name: how text becomes the terms of an index, and a query the terms it looks for.

An analyzer has two sides. They are the same, except where the index stores more than was written:
`prefix` indexes every beginning of a value and searches with the value as typed.
Custom analyzers are a tokenizer and a chain of filters, given as JSON. Absent on purpose: synonyms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from indexing.errors import InvalidSchema

STANDARD = "standard"
TERM_BYTES_MAX = 255
"""Longer terms are dropped by the standard chains: nobody types them, and they bloat the index."""
PREFIX_CHARACTERS_MAX = 32
"""The longest beginning that `prefix` indexes; a longer query is cut to it."""

STEMMED_LANGUAGES = (
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian",
    "italian", "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "tamil",
    "turkish",
)  # fmt: skip
"""Languages Tantivy has a Snowball stemmer for; each is also an analyzer's name."""
STOPWORD_LANGUAGES = frozenset(
    {
        "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian",
        "norwegian", "portuguese", "russian", "spanish", "swedish",
    }
)  # fmt: skip
"""Languages Tantivy has a list of stop words for."""


@dataclass(frozen=True, slots=True)
class Analyzer:
    """The two sides of an analyzer; `ordered` is False where terms have no positions (n-grams).

    A query is cut to `characters_max`, the longest text that a term can hold.
    """

    index: TextAnalyzer
    search: TextAnalyzer
    ordered: bool = True
    characters_max: int | None = None

    def terms(self, text: str) -> list[str]:
        """The terms a query looks for, in order, repeated as often as they occur."""
        return self.search.analyze(text[: self.characters_max])

    def positions(self, text: str) -> tuple[tuple[int, str], ...]:
        """The terms with their places, counted from the first; dropped words leave a gap."""
        tokens = self.search.pre_tokenize(text).tokens
        first = tokens[0].position if tokens else 0
        return tuple((token.position - first, token.text) for token in tokens)


def _chain(tokenizer: Tokenizer, *filters: Filter) -> TextAnalyzer:
    builder = TextAnalyzerBuilder(tokenizer)
    for each in filters:
        builder = builder.filter(each)
    return builder.build()


def _same(analyzer: TextAnalyzer, *, ordered: bool = True) -> Analyzer:
    return Analyzer(analyzer, analyzer, ordered)


def _stemmed(language: str) -> Analyzer:
    filters = [Filter.remove_long(TERM_BYTES_MAX), Filter.lowercase()]
    if language in STOPWORD_LANGUAGES:
        filters.append(Filter.stopword(language))
    return _same(_chain(Tokenizer.simple(), *filters, Filter.stemmer(language)))


def _prefix() -> Analyzer:
    grams = Tokenizer.ngram(1, PREFIX_CHARACTERS_MAX, prefix_only=True)
    return Analyzer(
        _chain(grams, Filter.lowercase()),
        _chain(Tokenizer.raw(), Filter.lowercase()),
        ordered=False,
        characters_max=PREFIX_CHARACTERS_MAX,
    )


_BUILT_IN: Mapping[str, Callable[[], Analyzer]] = {
    STANDARD: lambda: _same(
        _chain(Tokenizer.simple(), Filter.remove_long(TERM_BYTES_MAX), Filter.lowercase())
    ),
    "folded": lambda: _same(
        _chain(
            Tokenizer.simple(),
            Filter.remove_long(TERM_BYTES_MAX),
            Filter.lowercase(),
            Filter.ascii_fold(),
        )
    ),
    "whitespace": lambda: _same(_chain(Tokenizer.whitespace(), Filter.remove_long(TERM_BYTES_MAX))),
    "keyword": lambda: _same(_chain(Tokenizer.raw())),
    "ngram": lambda: _same(
        _chain(Tokenizer.ngram(2, 3), Filter.lowercase()),
        ordered=False,
    ),
    "prefix": _prefix,
    **{language: partial(_stemmed, language) for language in STEMMED_LANGUAGES},
}

_TOKENIZERS: Mapping[str, Callable[..., Tokenizer]] = {
    "simple": Tokenizer.simple,
    "whitespace": Tokenizer.whitespace,
    "keyword": Tokenizer.raw,
    "regex": Tokenizer.regex,
    "ngram": lambda min_gram=2, max_gram=3, prefix_only=False: _ngram(
        min_gram, max_gram, prefix_only
    ),
}


def _ngram(min_gram: int, max_gram: int, prefix_only: bool) -> Tokenizer:
    if not 1 <= min_gram <= max_gram:
        # Tantivy panics on these.
        raise ValueError("min_gram is at least 1 and at most max_gram")
    return Tokenizer.ngram(min_gram, max_gram, prefix_only)


_FILTERS: Mapping[str, Callable[..., Filter]] = {
    "lowercase": Filter.lowercase,
    "ascii_fold": Filter.ascii_fold,
    "alphanum_only": Filter.alphanum_only,
    "remove_long": lambda limit=TERM_BYTES_MAX: Filter.remove_long(limit),
    "stemmer": Filter.stemmer,
    "stopwords": lambda language=None, words=None: (
        Filter.custom_stopword(words) if words is not None else Filter.stopword(language)
    ),
    "split_compound": Filter.split_compound,
}


def analyzer_names(custom: Mapping[str, Any] | None = None) -> list[str]:
    """Every name a text field may use."""
    return sorted({*_BUILT_IN, *(custom or {})})


def analyzer_of(name: str, custom: Mapping[str, Any] | None = None) -> Analyzer:
    """Build an analyzer by name; `custom` maps names to JSON definitions.

    A definition is `{"tokenizer": "simple" | {"type": "ngram", …}, "filters": ["lowercase",
    {"type": "stemmer", "language": "english"}]}`. Raises InvalidSchema on an unknown name or part.
    """
    if custom and name in custom:
        return _custom(name, custom[name])
    build = _BUILT_IN.get(name)
    if build is None:
        raise InvalidSchema(
            f"there is no analyzer {name!r}",
            hint=f"use one of {', '.join(analyzer_names(custom))}, or define it in `analyzers`",
            analyzer=name,
        )
    return build()


def _custom(name: str, definition: Any) -> Analyzer:
    if not isinstance(definition, dict) or "tokenizer" not in definition:
        raise InvalidSchema(
            f"analyzer {name!r} must be an object with a tokenizer",
            hint='for example {"tokenizer": "simple", "filters": ["lowercase"]}',
            analyzer=name,
        )
    kind, options = _part(name, definition["tokenizer"])
    tokenizer = _built(name, _TOKENIZERS, "tokenizer", kind, options)
    chain = definition.get("filters", [])
    if not isinstance(chain, list) or definition.keys() - {"tokenizer", "filters"}:
        raise InvalidSchema(
            f"analyzer {name!r} takes a tokenizer and a list of filters, nothing else",
            hint='for example {"tokenizer": "simple", "filters": ["lowercase"]}',
            analyzer=name,
        )
    filters = [_built(name, _FILTERS, "filter", *_part(name, each)) for each in chain]
    try:
        return _same(_chain(tokenizer, *filters), ordered=kind != "ngram")
    except ValueError as error:
        # Languages and patterns are looked at only when the chain is built.
        raise InvalidSchema(
            f"analyzer {name!r} cannot be built: {error}",
            hint="check its languages and patterns",
            analyzer=name,
        ) from error


def _part(name: str, part: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(part, str):
        return part, {}
    if isinstance(part, dict) and isinstance(part.get("type"), str):
        return part["type"], {key: value for key, value in part.items() if key != "type"}
    raise InvalidSchema(
        f"analyzer {name!r}: {part!r} is neither a name nor an object with a type",
        hint='write "lowercase" or {"type": "stemmer", "language": "english"}',
        analyzer=name,
    )


def _built(
    name: str,
    table: Mapping[str, Callable[..., Any]],
    what: str,
    kind: str,
    options: dict[str, Any],
) -> Any:
    if kind not in table:
        raise InvalidSchema(
            f"analyzer {name!r}: there is no {what} {kind!r}",
            hint=f"use one of {', '.join(sorted(table))}",
            analyzer=name,
        )
    try:
        return table[kind](**options)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidSchema(
            f"analyzer {name!r}: {what} {kind!r} does not take {options!r}: {error}",
            hint=f"check the options of {kind!r}",
            analyzer=name,
        ) from error
