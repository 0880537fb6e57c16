"""Many ask, one works, and whoever came while it worked shares the next round."""

import threading

import pytest

from docstore.rounds import Rounds

CALLERS = 12


class Counter:
    """Work that takes as long as a test says, and covers what was asked before it began."""

    def __init__(self) -> None:
        self.asked = self.covered = self.rounds = 0
        self.begun, self.may_end = threading.Event(), threading.Event()

    def work(self) -> None:
        covers = self.asked
        self.rounds += 1
        self.begun.set()
        assert self.may_end.wait(30)
        self.covered = covers


def test_a_lone_caller_works_at_once_and_not_when_nothing_is_left() -> None:
    rounds, done = Rounds(), [False]
    rounds.share(lambda: done[0], lambda: done.__setitem__(0, True))
    assert done == [True]
    rounds.share(lambda: done[0], lambda: pytest.fail("there was nothing to do"))


def test_all_who_come_during_a_round_share_the_next_one() -> None:
    rounds, counter = Rounds(), Counter()

    def ask(number: int) -> None:
        rounds.share(lambda: counter.covered >= number, counter.work)
        assert counter.covered >= number

    counter.asked = 1
    first = threading.Thread(target=ask, args=(1,))
    first.start()
    assert counter.begun.wait(30)
    counter.asked = 1 + CALLERS
    others = [threading.Thread(target=ask, args=(n,)) for n in range(2, 2 + CALLERS)]
    for each in others:
        each.start()
    counter.may_end.set()
    for each in (first, *others):
        each.join(30)
        assert not each.is_alive()
    assert counter.covered == 1 + CALLERS
    assert counter.rounds == 2


def test_an_error_reaches_who_worked_and_the_next_one_tries_again() -> None:
    rounds, done = Rounds(), [False]
    with pytest.raises(ZeroDivisionError):
        rounds.share(lambda: done[0], lambda: done.__setitem__(0, bool(1 // 0)))
    rounds.share(lambda: done[0], lambda: done.__setitem__(0, True))
    assert done == [True]
