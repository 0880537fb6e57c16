"""Two changes of one listing put together: nothing is lost, nothing is decided unseen."""

from hypothesis import given
from hypothesis import strategies as st

from api.demo.conflict import merged

texts = st.fixed_dictionaries({name: st.sampled_from(["", "1", "2", "3"]) for name in "abcd"})


@given(texts, texts, texts)
def test_every_field_is_mine_unless_only_they_changed_it(
    base: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    both = merged(base, mine, theirs)
    for name, before in base.items():
        they_alone = mine[name] == before != theirs[name]
        assert both.values[name] == (theirs[name] if they_alone else mine[name])
        assert (name in both.taken) == they_alone


@given(texts, texts, texts)
def test_fields_that_both_changed_differently_are_disputed(
    base: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    both = merged(base, mine, theirs)
    expected = {
        name: theirs[name]
        for name, before in base.items()
        if len({before, mine[name], theirs[name]}) == 3
    }
    assert both.disputed == expected


@given(texts, texts)
def test_what_nobody_else_changed_is_saved_as_it_is(
    base: dict[str, str], mine: dict[str, str]
) -> None:
    both = merged(base, mine, base)
    assert (both.values, both.taken, both.disputed) == (mine, (), {})
