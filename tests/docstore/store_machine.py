"""What every state machine over a store does: reopen it, kill it, follow its changes, check it."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, rule

from docstore import Change, Collection, Position, Store
from tests.docstore.steps import copied, each_step


class StoreMachine(RuleBasedStateMachine):
    """A store in a directory of its own; what it holds is the business of those that extend it."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="docstore-test-"))
        self.data = self.root / "0"
        self.copies = 0

    def next_copy(self) -> Path:
        """Where the next crash leaves the files."""
        self.copies += 1
        return self.root / str(self.copies)

    def go_on_from(self, copy: Path) -> None:
        """As if the process had been killed when the copy was made."""
        self.store.close()
        shutil.rmtree(self.data)
        self.data = copy
        self.store = Store.open(copy)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.data)

    def crash_while(self, change: Callable[[], None], at: int) -> bool:
        """Make a change and die at one of its steps; whether it has so many."""
        copy, step = self.next_copy(), 0

        def copy_files() -> None:
            nonlocal step
            step += 1
            if step == at:
                copied(self.data, copy)

        with each_step(copy_files):
            change()
        if copy.exists():
            self.go_on_from(copy)
            return True
        return False

    def teardown(self) -> None:
        if hasattr(self, "store"):
            violations = list(self.store.check())
            self.store.close()
            assert violations == []
        shutil.rmtree(self.root)


class ChangesReader:
    """Reads on in a collection's changes, and sees that none is missed and none comes twice.

    `versions` are those of the documents that there are, as far as it has read.
    """

    def __init__(self) -> None:
        self.versions: dict[Any, int] = {}
        self._seen: dict[int, Position] = {}

    def read(self, collection: Collection[Any], limit: int | None = None) -> list[Change[Any]]:
        """The next changes: a document's versions one after another, from 1 on after a delete."""
        changes = list(collection.changes(self._seen.values(), limit))
        for change in changes:
            before = self._seen.get(change.position.partition)
            assert before is None or before.seq < change.position.seq
            self._seen[change.position.partition] = change.position
            if change.operation == "delete":
                assert self.versions.pop(change.key) > 0
            else:
                assert change.version == self.versions.get(change.key, 0) + 1
                self.versions[change.key] = change.version
        return changes
