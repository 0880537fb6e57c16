"""Ranks: never against the order of the keys, and different where it matters."""

from hypothesis import given
from hypothesis import strategies as st

from indexing.rank import PIVOTS_MAX, pivots_of, rank_by

keys = st.text(st.sampled_from("ab-0\x00é\U00010000"), min_size=1, max_size=12) | st.text(
    st.sampled_from("ab"), min_size=505, max_size=520
)


@given(st.lists(keys, max_size=8), st.lists(keys, min_size=2, max_size=30))
def test_ranks_are_never_against_the_order_of_keys(chosen: list[str], held: list[str]) -> None:
    rank = rank_by(tuple(sorted(set(chosen))))
    ranks = [rank(key) for key in sorted([*held, *chosen])]
    assert ranks == sorted(ranks)
    assert all(0 <= each < 2**64 for each in ranks)


def test_nearly_all_keys_behind_long_names_differ() -> None:
    names = ("autosau-", "autoscout", "craigslist-", "uk-")
    held = sorted(f"{name}{number:06}" for name in names for number in range(0, 9000, 7))
    rank = rank_by(pivots_of(held[::20]))
    # Only the gaps from one name to the next share too little.
    assert len({rank(key) for key in held}) > 0.95 * len(held)


def test_keys_that_only_grow_differ_an_hour_after_the_sample() -> None:
    def uuid(milliseconds: int) -> str:
        digits = f"{milliseconds:012x}"
        return f"{digits[:8]}-{digits[8:]}-7{milliseconds % 4096:03x}-8000-000000000000"

    began = 1_760_000_000_000
    rank = rank_by(pivots_of([uuid(began + ms) for ms in range(64)]))
    for later in (0, 60_000, 3_600_000):
        ranks = [rank(uuid(began + later + ms * 40)) for ms in range(1000)]
        assert len(set(ranks)) > 900


def test_pivots_are_few_and_spread_over_the_sample() -> None:
    held = [f"{number:05}" for number in range(10_000)]
    pivots = pivots_of(held)
    assert len(pivots) == PIVOTS_MAX
    assert pivots[0] == "00000"
    assert pivots[-1] > "09700"
    assert pivots_of(held[:3]) == ("00000", "00001", "00002")
    assert pivots_of([]) == ()
