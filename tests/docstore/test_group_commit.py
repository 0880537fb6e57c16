"""Writes of many threads in one commit: each thread is answered, whatever the commit raises."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from docstore import Unavailable
from docstore.shards.group_commit import GroupCommit

WAITING = ["second", "third", "fourth"]


def submitted_together(commit: Callable[[list[str]], list[str]]) -> list["Future[list[str]]"]:
    """What several threads are answered whose writes are in one commit."""
    is_inside, may_go_on = threading.Event(), threading.Event()

    def first_waits(writes: list[str]) -> list[str]:
        if writes == ["first"]:
            is_inside.set()
            may_go_on.wait()
            return writes
        return commit(writes)

    group: GroupCommit[str, str] = GroupCommit(first_waits)
    with ThreadPoolExecutor(1 + len(WAITING)) as pool:
        first = pool.submit(group.submit, ["first"])
        is_inside.wait()
        others = [pool.submit(group.submit, [write]) for write in WAITING]
        while len(group._queue) < len(WAITING):
            assert not any(each.done() for each in others)
        may_go_on.set()
    assert first.result() == ["first"]
    assert group.submit(["first"]) == ["first"]  # nothing is left in the queue
    return others


def test_each_thread_gets_the_outcomes_of_its_writes() -> None:
    others = submitted_together(lambda writes: [f"{write} done" for write in writes])
    assert [each.result() for each in others] == [[f"{write} done"] for write in WAITING]


def test_an_error_reaches_every_thread() -> None:
    def refuse(_: list[str]) -> list[str]:
        raise Unavailable("the disk is full")

    for each in submitted_together(refuse):
        with pytest.raises(Unavailable, match="full"):
            each.result()


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_that_of_one_thread(interrupt: type[BaseException]) -> None:
    def interrupted(_: list[str]) -> list[str]:
        raise interrupt

    raised = [each.exception() for each in submitted_together(interrupted)]
    assert sorted(type(each).__name__ for each in raised) == sorted(
        [interrupt.__name__, "Unavailable", "Unavailable"]
    )
    others = [each for each in raised if isinstance(each, Unavailable)]
    assert all(each.retryable and "op_id" in each.hint for each in others)
    assert others[0] is not others[1]
