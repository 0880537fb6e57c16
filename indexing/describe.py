"""A query as one line that a person can read, for plans and logs. Nothing parses it back."""

from collections.abc import Callable, Iterable
from typing import Any

from indexing import query as q


def describe(node: q.Query) -> str:
    """The query in words and signs: `+` required, `-` excluded, `#` a filter without a score."""
    text = _WRITERS[type(node)](node)
    boost = getattr(node, "boost", 1.0)
    return text if boost == 1.0 else f"({text})^{boost:g}"


def _any_text(node: q.AnyText) -> str:
    text = f'"{node.text}"' if node.phrase else node.text
    return f"{text}{'*' if node.prefix else ''}{f'^{node.count}' if node.count > 1 else ''}"


def _range(node: q.Range) -> str:
    bounds = ((">", node.gt), (">=", node.gte), ("<", node.lt), ("<=", node.lte))
    said = " ".join(f"{sign} {value!r}" for sign, value in bounds if value is not None)
    return f"{node.field} {said or 'exists'}"


def _bool(node: q.Bool) -> str:
    clauses = [f"+{_inner(each)}" for each in node.must]
    clauses += [_inner(each) for each in node.should]
    clauses += [f"#{_inner(each)}" for each in node.filter]
    clauses += [f"-{_inner(each)}" for each in node.must_not]
    if node.minimum_should_match is not None:
        clauses.append(f"[at least {node.minimum_should_match}]")
    return " ".join(clauses) or "everything"


def _inner(node: q.Query) -> str:
    text = describe(node)
    return f"({text})" if isinstance(node, q.Bool | q.DisMax) or " " in text else text


def _several(values: Iterable[Any]) -> str:
    shown = [repr(value) for value in values]
    more = f", … {len(shown) - 5} more" if len(shown) > 5 else ""
    return f"({', '.join(shown[:5])}{more})"


_WRITERS: dict[type, Callable[[Any], str]] = {
    q.MatchAll: lambda _: "everything",
    q.MatchNone: lambda _: "nothing",
    q.Match: lambda node: f"{node.field}: {node.text}",
    q.MatchPhrase: lambda node: f'{node.field}: "{node.text}"',
    q.MatchPhrasePrefix: lambda node: f'{node.field}: "{node.text}*"',
    q.MultiMatch: lambda node: f"{'|'.join(path for path, _ in node.fields)}: {node.text}",
    q.AnyText: _any_text,
    q.Term: lambda node: f"{node.field} = {node.value!r}",
    q.Terms: lambda node: f"{node.field} in {_several(node.values)}",
    q.Range: _range,
    q.Prefix: lambda node: f"{node.field} = {node.value!r}*",
    q.Wildcard: lambda node: f"{node.field} ~ {node.pattern}",
    q.Regexp: lambda node: f"{node.field} ~ /{node.pattern}/",
    q.Fuzzy: lambda node: f"{node.field} ≈ {node.value!r}",
    q.Exists: lambda node: f"{node.field} exists",
    q.Ids: lambda node: f"key in {_several(node.values)}",
    q.Bool: _bool,
    q.ConstantScore: lambda node: f"constant {_inner(node.query)}",
    q.DisMax: lambda node: " | ".join(map(_inner, node.queries)),
    q.Lenient: lambda node: describe(node.query),
}
