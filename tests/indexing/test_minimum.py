import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.errors import InvalidQuery
from indexing.minimum import check, minimum_needed

percents = st.integers(-150, 150).map(lambda number: f"{number}%")
numbers = st.integers(-20, 20)
simple = st.one_of(percents, numbers.map(str))
conditional = st.lists(
    st.tuples(st.integers(0, 20), simple).map(lambda pair: f"{pair[0]}<{pair[1]}"),
    min_size=1,
    max_size=4,
).map(" ".join)


def _as_elasticsearch(optional: int, spec: str) -> int:
    """Elasticsearch's Queries.calculateMinShouldMatch, line by line, before its caller clamps."""
    result = optional
    if "<" in spec:
        for condition in spec.split():
            limit, inner = condition.split("<")
            if optional <= int(limit):
                return result
            result = _as_elasticsearch(optional, inner)
        return result
    if spec.endswith("%"):
        whole = abs(optional * int(spec[:-1])) // 100
        result = optional - whole if spec.startswith("-") else whole
    else:
        result = optional + int(spec) if int(spec) < 0 else int(spec)
    return max(result, 0)


@pytest.mark.parametrize(
    ("spec", "optional", "needed"),
    [
        (None, 5, 0),
        (0, 5, 0),
        (2, 5, 2),
        (9, 5, 5),
        (-1, 5, 4),
        (-9, 5, 0),
        ("3", 5, 3),
        ("-2", 5, 3),
        ("75%", 4, 3),
        ("75%", 5, 3),
        ("-25%", 4, 3),
        ("-25%", 5, 4),
        ("100%", 5, 5),
        ("200%", 5, 5),
        ("-200%", 5, 0),
        ("2<75%", 2, 2),
        ("2<75%", 4, 3),
        ("2<-25% 9<-3", 2, 2),
        ("2<-25% 9<-3", 8, 6),
        ("2<-25% 9<-3", 10, 7),
        (" 2 < 75% ", 4, 3),
        ("75%", 0, 0),
    ],
)
def test_specifications_mean_what_they_mean_in_elasticsearch(
    spec: int | str | None, optional: int, needed: int
) -> None:
    assert minimum_needed(spec, optional) == needed


@given(st.one_of(simple, conditional), st.integers(0, 30))
def test_every_specification_agrees_with_elasticsearch_within_the_clauses(
    spec: str, optional: int
) -> None:
    assert minimum_needed(spec, optional) == min(optional, _as_elasticsearch(optional, spec))


@pytest.mark.parametrize(
    "spec", ["", "many", "7.5", "75 %", "%", "2<", "<3", "2<75% 9", True, 1.5, None, [2], "1" * 500]
)
def test_what_is_no_specification_is_refused_with_its_place(spec: Any) -> None:
    with pytest.raises(InvalidQuery, match=re.escape("bool.minimum_should_match")) as caught:
        check(spec, "bool.minimum_should_match")
    assert caught.value.data["path"] == "bool.minimum_should_match"
    assert "75%" in caught.value.hint
    assert len(caught.value.message) < 400
