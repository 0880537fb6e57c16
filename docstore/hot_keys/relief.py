"""The policy at work: a thread that looks at hot keys and terms, and salts those that stay hot.

Bounded: one change at a time, and MADE_MAX of them remembered. What cannot be done now is proposed
again at the next look, so an error is kept to be shown and nothing is lost with it: of a change in
`made`, any other in the store's stats. It keeps no other collection from being looked at.
"""

import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.observed import LIMIT_MAX
from docstore.hot_keys.policy import Memory, Patience, decide
from docstore.hot_keys.proposing import HotKey
from docstore.looking import Looking, tried
from docstore.store import Store
from indexing.errors import DocstoreError

LOOK_SECONDS = 10.0
"""A key is salted half a minute after it became hot; looking costs a millisecond."""
MADE_MAX = 100


@dataclass(frozen=True, slots=True)
class Made:
    """A fan that was changed, or could not be: then `error` says why. `at` is Unix time.

    `key` is a partition key, or the name of an index and a value of it.
    """

    at: float
    collection: str
    key: Any
    fan: int
    error: DocstoreError | None


class Relief:
    """Salts what is hot in a store while it is entered: `with Store.open(…) as s, Relief(s):`.

    `made` holds the last changes, the oldest first.
    """

    def __init__(
        self, store: Store, every: float = LOOK_SECONDS, patience: Patience | None = None
    ) -> None:
        self._store = store
        self._patience = patience or Patience()
        self._memory: Memory = {}
        self._thread = Looking("docstore-relief", self.look, lambda: every, store.errors)
        self.made: deque[Made] = deque(maxlen=MADE_MAX)

    def __enter__(self) -> Self:
        self._thread.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, after the change that is under way."""
        self._thread.stop()
        self._thread.join()

    def look(self) -> None:
        """Look once, and change the fans that are due; raises what a collection could not tell."""
        told: list[HotKey | HotTerm] = []
        failed: DocstoreError | None = None
        for name in self._store.collections():
            hot = tried(partial(self._hot, name))
            if isinstance(hot, DocstoreError):
                failed = hot
            else:
                told += hot
        self._memory, due = decide(self._memory, told, self._patience)
        for each in due:
            fan = each.proposed_fan or each.fan
            outcome = tried(partial(self._salt, each, fan))
            error = outcome if isinstance(outcome, DocstoreError) else None
            self.made.append(Made(time.time(), each.collection, each.key, fan, error))
        if failed is not None:
            raise failed

    def _hot(self, name: str) -> list[HotKey | HotTerm]:
        return [
            *self._store.hot_keys(LIMIT_MAX, collections=[name]),
            *self._store.hot_terms(LIMIT_MAX, collections=[name]),
        ]

    def _salt(self, each: HotKey | HotTerm, fan: int) -> None:
        collection = self._store.collection(each.collection)
        if isinstance(each, HotTerm):
            collection.indexes.salt(each.index, each.value, fan)
        else:
            collection.salt((each.key,), fan)
