"""The policy at work: a thread that looks at hot keys and terms, and salts those that stay hot.

Bounded: one change at a time, and MADE_MAX of them remembered. What cannot be done now is proposed
again at the next look, so an error is kept to be shown and nothing is lost with it.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from docstore.hot_keys.hot_terms import HotTerm
from docstore.hot_keys.observed import LIMIT_MAX
from docstore.hot_keys.policy import Memory, Patience, decide
from docstore.hot_keys.proposing import HotKey
from docstore.store import Store
from indexing.errors import Closed, DocstoreError

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
        self._every = every
        self._patience = patience or Patience()
        self._memory: Memory = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="docstore-relief", daemon=True)
        self.made: deque[Made] = deque(maxlen=MADE_MAX)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, after the change that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.look()
            except Closed:
                return
            except DocstoreError:
                continue  # a collection that was dropped while it was looked at

    def look(self) -> None:
        """Look once, and change the fans that are due."""
        told: list[HotKey | HotTerm] = [
            *self._store.hot_keys(LIMIT_MAX),
            *self._store.hot_terms(LIMIT_MAX),
        ]
        self._memory, due = decide(self._memory, told, self._patience)
        for each in due:
            fan = each.proposed_fan or each.fan
            failed: DocstoreError | None = None
            collection = self._store.collection(each.collection)
            try:
                if isinstance(each, HotTerm):
                    collection.indexes.salt(each.index, each.value, fan)
                else:
                    collection.salt((each.key,), fan)
            except Closed:
                raise
            except DocstoreError as error:
                failed = error
            self.made.append(Made(time.time(), each.collection, each.key, fan, failed))
