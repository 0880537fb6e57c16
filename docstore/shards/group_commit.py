"""Group commit: threads that write at the same time share one durable transaction.

Whoever finds the door free commits for everyone who queued meanwhile; the others find their answer
ready. A thread alone commits at once and never waits for company. Invariant: `submit` returns only
after the commit that holds the thread's writes, and an error reaches every thread it concerns. What
interrupts the thread that commits (Ctrl-C) is its own: for the others the commit is one of which
nobody knows whether it was made. The queue is bounded by the number of threads.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from docstore.forks import forget_in_children
from indexing.errors import Unavailable

W = TypeVar("W")
O = TypeVar("O")  # noqa: E741  O for outcome


class _Ticket(Generic[W, O]):
    __slots__ = ("done", "error", "outcomes", "writes")

    def __init__(self, writes: list[W]) -> None:
        self.writes = writes
        self.outcomes: list[O] = []
        self.error: BaseException | None = None
        self.done = False


class GroupCommit(Generic[W, O]):
    """Turns concurrent submissions into few calls of `commit`, which gets them one after another.

    `commit` takes a list of writes and returns one outcome for each, all durable, or raises with
    nothing done, unless it is interrupted. `commits` and `writes` count what it was called with
    since the start.
    """

    def __init__(self, commit: Callable[[list[W]], list[O]]) -> None:
        self._commit = commit
        self.commits = 0
        self.writes = 0
        self.forget()
        forget_in_children(self)

    def forget(self) -> None:
        """Be free, in a forked child: whoever was inside is not there to leave."""
        self._door = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Ticket[W, O]] = []

    def submit(self, writes: list[W]) -> list[O]:
        """Commit the writes, in order and as one; returns their outcomes.

        Raises what `commit` raises, Unavailable when it was interrupted in another thread.
        """
        ticket: _Ticket[W, O] = _Ticket(writes)
        with self._queue_lock:
            self._queue.append(ticket)
        with self._door:
            if not ticket.done:
                self._commit_queue()
        if ticket.error is not None:
            raise ticket.error
        return ticket.outcomes

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the door: whoever submits waits until the body is done."""
        with self._door:
            yield

    def _commit_queue(self) -> None:
        tickets: list[_Ticket[W, O]] = []
        try:
            with self._queue_lock:
                tickets, self._queue = self._queue, []
            outcomes = self._commit([write for ticket in tickets for write in ticket.writes])
            self.commits += 1
            self.writes += len(outcomes)
            start = 0
            for ticket in tickets:
                ticket.outcomes = outcomes[start : start + len(ticket.writes)]
                start += len(ticket.writes)
                ticket.done = True
        except BaseException as error:
            for ticket in tickets:
                if not ticket.done:
                    ticket.error = error if isinstance(error, Exception) else _interrupted()
                    ticket.done = True
            raise


def _interrupted() -> Unavailable:
    return Unavailable(
        "the commit was interrupted, and it is not known whether it was made",
        hint="write again; with an op_id it is done once",
        retryable=True,
    )
