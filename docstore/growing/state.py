"""What one collection knows of its growing: its limits, what was seen of it, what came of it.

Safe to use from many threads: one looks, any may ask or set the limits.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docstore.growing import limits as limits_file
from docstore.growing.deciding import Action, Memory, Seen, decide
from docstore.growing.limits import AutoSplit
from indexing.errors import DocstoreError


class Growing:
    """The state of one collection's growing; `limits` None is never."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._changing = threading.Lock()
        self._memory = Memory()
        self._error: DocstoreError | None = None
        self.limits = limits_file.load(directory)

    def set(self, limits: AutoSplit | None) -> None:
        """Have other limits from now on, durably; what could not be done is tried again."""
        with self._changing:
            limits_file.save(self._directory, limits)
            self.limits = limits
            self._memory = Memory()

    def look(
        self, order: Sequence[int], seen: Mapping[int, Seen], made_with: int, now: float
    ) -> Action | None:
        """What is due, now that this was seen."""
        with self._changing:
            if self.limits is None:
                return None
            self._memory, action = decide(self.limits, self._memory, order, seen, made_with, now)
            return action

    def learn(self, fold: Callable[[Memory], Memory]) -> None:
        """Remember what came of an action."""
        with self._changing:
            self._memory = fold(self._memory)

    def looked(self, error: DocstoreError | None) -> None:
        """Remember what the last look raised."""
        self._error = error

    def stats(self) -> dict[str, Any]:
        """The limits, the partitions that cannot be split and why, and what failed last."""
        memory, limits, error = self._memory, self.limits, self._error
        return {
            "limits": None if limits is None else limits.as_dict(),
            "unsplittable": [
                {"partition": number, "why": refusal.why}
                for (number, _), refusal in sorted(memory.refusals.items())
            ],
            "error": memory.failure if error is None else str(error),
        }
