"""When a bulk load has the next index take its tail."""

import pytest

from docstore.partitions import tails_due

TAIL = 25_000


def _taken(indexes: int, writes: int) -> list[tuple[int, int]]:
    """Which indexes take how much, when so many writes go to all of them evenly."""
    tails, taken = [0] * indexes, list[tuple[int, int]]()
    for write in range(writes):
        tails[write % indexes] += 1
        begun = len({index for index, _ in taken})
        if sum(tails) >= TAIL * tails_due(indexes, begun):
            longest = tails.index(max(tails))
            taken.append((longest, tails[longest]))
            tails[longest] = 0
    return taken


@pytest.mark.parametrize("indexes", [1, 2, 4, 7])
def test_indexes_take_their_tails_in_turn_and_apart(indexes: int) -> None:
    taken = _taken(indexes, 4 * indexes * TAIL)
    assert [index for index, _ in taken[:indexes]] == list(range(indexes))
    for number, (index, entries) in enumerate(taken):
        assert index == number % indexes
        due = TAIL * min(number + 1, indexes) / indexes
        assert entries == pytest.approx(due, rel=0.001)


def test_the_first_begins_while_the_others_have_little() -> None:
    assert [tails_due(4, begun) for begun in range(6)] == [1.0, 1.75, 2.25, 2.5, 2.5, 2.5]
