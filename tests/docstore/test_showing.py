"""Values in messages: short whatever they are."""

import pytest

from docstore.showing import CHARACTERS_MAX, shown


@pytest.mark.parametrize("value", ["ford", 7, 2.5, ("ford", 7), ["ford"], None, b"ford"])
def test_what_is_short_is_shown_as_it_is(value: object) -> None:
    assert shown(value) == repr(value)


@pytest.mark.parametrize("value", ["x" * 5_000, 10**4_000, b"x" * 5_000, ["x" * 5_000]])
def test_what_is_long_is_cut(value: object) -> None:
    assert len(shown(value)) <= CHARACTERS_MAX + 2
    assert "..." in shown(value)
