"""The thread that looks at a store's collections and splits and merges what is due.

Looking opens nothing: a shard that this process has not used is left alone. Bounded: one change at
a time in all of a store. What cannot be done now is due again later, and why is shown; it keeps no
other collection from growing.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial

from docstore.growing.deciding import Action, Memory, Merge, Seen, Split, failed, made, refused
from docstore.live_map import LiveMap
from docstore.looking import Errors, Looking, tried
from docstore.map_changes import resharding
from docstore.types import PartitionChange
from indexing.errors import Closed, DocstoreError, InvalidRequest, NotFound

LOOK_SECONDS = 5.0
"""A look costs some ten microseconds per open shard."""


class Growth:
    """One store's; `lives` are the collections that it has open for writing."""

    def __init__(self, lives: Callable[[], Iterable[LiveMap]], errors: Errors) -> None:
        self._lives = lives
        self._thread = Looking("docstore-growth", self.look, lambda: LOOK_SECONDS, errors)

    def begin(self) -> None:
        """Look from now on; again does nothing."""
        self._thread.begin()

    def stop(self) -> None:
        """Begin nothing any more; what is under way ends by itself, or when its shards close."""
        self._thread.stop()

    def join(self) -> None:
        """Wait until nothing is under way, once stopped."""
        self._thread.join()

    def look(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Look once at all collections, and make the changes that are due."""
        for live in tuple(self._lives()):
            outcome = tried(partial(self._look_at, live, clock))
            if not isinstance(outcome, DocstoreError):
                live.growing.looked(None)
            # One that is being closed or dropped is of no interest any more.
            elif not isinstance(outcome, Closed | NotFound):
                live.growing.looked(outcome)

    def _look_at(self, live: LiveMap, clock: Callable[[], float]) -> None:
        of = live.current.definition.partition_map
        if live.growing.limits is None:
            return
        seen = seen_of(live)
        action = live.growing.look(of.numbers, seen, live.current.made_with, clock())
        if action is None or self._thread.is_stopped or self._is_busy():
            return
        learn: Callable[[Memory], Memory]
        change = tried(partial(_do, live, action))
        if isinstance(change, Closed | NotFound):
            raise change
        if isinstance(change, InvalidRequest) and isinstance(action, Split):
            held = seen[action.number].documents
            told = change.message
            learn = partial(refused, action=action, why=told, documents=held, now=clock())
        elif isinstance(change, DocstoreError):
            learn = partial(failed, why=str(change), now=clock())
        else:
            learn = partial(made, action=action, targets=change.targets, now=clock())
        live.growing.learn(learn)

    def _is_busy(self) -> bool:
        return any(live.is_changing for live in tuple(self._lives()))


def seen_of(live: LiveMap) -> dict[int, Seen]:
    """What is to be seen of the shards that are open."""
    of = live.current.definition.partition_map
    ours = {number for change in of.history if change.why for number in change.targets}
    found: dict[int, Seen] = {}
    for number in of.numbers:
        shard = live.shards.if_open(number)
        if shard is not None:
            documents, held = shard.held()
            _, writes = shard.commit_counts
            found[number] = Seen(documents, held, writes, number in ours)
    return found


def _do(live: LiveMap, action: Action) -> PartitionChange:
    if isinstance(action, Merge):
        return resharding.merge(live, action.left, action.right, action.why)
    split = resharding.split_load if action.by_load else resharding.split
    return split(live, action.number, why=action.why)
