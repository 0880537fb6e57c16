"""The query as a tree of frozen values: what every front (JSON, filter, free text) parses into.

A node says what is asked, never how it is found: fields are document paths (`seller.city`), values
are plain JSON values, analysis and column choice happen when a node is compiled for one index.
Nodes are hashable and comparable, so plans can be cached and tested. `boost` multiplies a node's
score; nodes in `Bool.filter` and `Bool.must_not` never score.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Value = str | int | float | bool
"""A scalar of a query. Dates and addresses stay strings until a field's kind is known."""


@dataclass(frozen=True, slots=True)
class MatchAll:
    """Every document."""

    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class MatchNone:
    """No document."""


@dataclass(frozen=True, slots=True)
class Match:
    """Analyzed words of one text field; `minimum_should_match` as in Elasticsearch ("75%", 2, -1).

    `fuzziness` is 0, 1, 2 edits or "auto" (0 below 3 characters, 1 below 6, else 2).
    """

    field: str
    text: str
    operator: Literal["or", "and"] = "or"
    minimum_should_match: int | str | None = None
    fuzziness: int | Literal["auto"] = 0
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class MatchPhrase:
    """Analyzed words of one text field in order, at most `slop` moves apart.

    The values of a list are 16 positions apart, so a larger slop reaches into the next.
    """

    field: str
    text: str
    slop: int = 0
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class MatchPhrasePrefix:
    """A phrase whose last word is a prefix: as-you-type search."""

    field: str
    text: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class MultiMatch:
    """`Match` over several fields; `fields` pairs a path with its boost.

    best_fields takes the best field's score plus `tie_breaker` times the others; most_fields adds
    them; phrase and phrase_prefix match phrases and take the best.
    """

    fields: tuple[tuple[str, float], ...]
    text: str
    type: Literal["best_fields", "most_fields", "phrase", "phrase_prefix"] = "best_fields"
    operator: Literal["or", "and"] = "or"
    minimum_should_match: int | str | None = None
    fuzziness: int | Literal["auto"] = 0
    tie_breaker: float = 0.0
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class AnyText:
    """Words typed by a person, over all text fields at once; the leaves of a free-text query.

    One typed word may analyze to several terms (`f-150`): they must then stand next to each other.
    `phrase` asks the same of several typed words, `prefix` lets the last term be a prefix.
    `count` is how often the person typed the word: a repeated word weighs more.
    """

    text: str
    phrase: bool = False
    prefix: bool = False
    count: int = 1
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Term:
    """One exact value, not analyzed."""

    field: str
    value: Value
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Any of several exact values; every match scores `boost`."""

    field: str
    values: tuple[Value, ...]
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Range:
    """Values between two bounds; None leaves a side open; every match scores `boost`."""

    field: str
    gt: Value | None = None
    gte: Value | None = None
    lt: Value | None = None
    lte: Value | None = None
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Prefix:
    """Values that begin with `value`."""

    field: str
    value: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Values of a pattern where `*` is any run and `?` any one character; `\\` escapes."""

    field: str
    pattern: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Regexp:
    """Values that match a regular expression as a whole."""

    field: str
    pattern: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Terms within some edits of `value`, the first `prefix_length` characters exact."""

    field: str
    value: str
    fuzziness: int | Literal["auto"] = "auto"
    prefix_length: int = 0
    transpositions: bool = True
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Exists:
    """Documents that have any value in the field."""

    field: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Ids:
    """Documents by key; a compound key is a tuple of its parts as they are (dates, bytes, …)."""

    values: tuple[Any, ...]
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Bool:
    """All of `must` and `filter`, none of `must_not`, at least some of `should`.

    `minimum_should_match` None means 1 when there is neither must nor filter, else 0.
    """

    must: tuple["Query", ...] = ()
    filter: tuple["Query", ...] = ()
    should: tuple["Query", ...] = ()
    must_not: tuple["Query", ...] = ()
    minimum_should_match: int | str | None = None
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class ConstantScore:
    """Matches of `query`, every one with the score `boost`."""

    query: "Query"
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class DisMax:
    """Matches of any query, with the best score plus `tie_breaker` times the others."""

    queries: tuple["Query", ...] = field(default=())
    tie_breaker: float = 0.0
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Lenient:
    """A clause a person typed: if it cannot be asked of its field, it matches nothing, noted."""

    query: "Query"


Query = (
    MatchAll
    | MatchNone
    | Match
    | MatchPhrase
    | MatchPhrasePrefix
    | MultiMatch
    | AnyText
    | Term
    | Terms
    | Range
    | Prefix
    | Wildcard
    | Regexp
    | Fuzzy
    | Exists
    | Ids
    | Bool
    | ConstantScore
    | DisMax
    | Lenient
)
