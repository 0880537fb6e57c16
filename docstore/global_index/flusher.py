"""The thread that writes to the indexes' files what was taken into memory, and fills new ones.

A commit waits for the disk, which following the logs must not: lag is counted to memory, which is
what is read. So does showing what was taken in the blocks that are searched. An error is kept for
`stats` and tried again after a pause that doubles; what could not be written stays in memory and in
the logs.
"""

import time
from collections.abc import Callable, Iterable

from docstore.global_index.live_index import LiveIndex
from docstore.global_index.pacing import Pacing
from docstore.global_index.woken import Woken
from indexing.errors import Closed, DocstoreError

LOOK_SECONDS = 0.05
"""Between two looks at whether what is in memory should be written."""


class Flusher:
    """One thread for all indexes of a collection; it starts at the first `wake`.

    `fill` reads a little more of what an index is filled from and tells whether there is more; it
    is told whether somebody writes. `failed` is told what an index raised.
    """

    def __init__(
        self,
        indexes: Callable[[], Iterable[LiveIndex]],
        pacing: Pacing,
        fill: Callable[[LiveIndex, bool], bool],
        failed: Callable[[LiveIndex, DocstoreError], None],
    ) -> None:
        self._indexes = indexes
        self._fill = fill
        self._pacing = pacing
        self._failed = failed
        self._thread = Woken("docstore-index-flush", self._run)
        self.errors: dict[str, DocstoreError] = {}

    def wake(self) -> None:
        """Say that there may be something to write; returns at once."""
        self._thread.wake()

    def _run(self) -> None:
        while self._thread.may_go_on():
            computed_before = time.thread_time()
            is_filling, is_any_left = self.step(is_writing=self._pacing.is_writing)
            if is_filling or is_any_left:
                self._thread.go_on()
            rest = self._pacing.flushing_rest(time.thread_time() - computed_before)
            if self.errors:
                self._thread.rest_after_error()
            else:
                self._thread.went_well()
                self._thread.rest(rest if is_filling else max(rest, LOOK_SECONDS))

    def step(self, *, is_writing: bool) -> tuple[bool, bool]:
        """Fill a little and write what is due, while somebody writes one partition of each index.

        Returns whether there is more to fill, and whether anything is in memory only.
        """
        is_filling = is_any_left = False
        for index in list(self._indexes()):
            try:
                index.tend()
                is_filling |= self._fill(index, is_writing)
                if is_writing and not self._pacing.may_flush(index.flushing.weight):
                    is_any_left = True
                else:
                    is_any_left |= index.flush_due(is_writing=is_writing)
            except Closed:
                continue  # it was dropped, or the store is being closed
            except DocstoreError as error:
                self.errors[index.definition.name] = error
                self._failed(index, error)
                is_any_left = True
            else:
                self.errors.pop(index.definition.name, None)
        return is_filling, is_any_left

    def stop(self) -> None:
        """Stop after the file that is being written."""
        self._thread.stop()
