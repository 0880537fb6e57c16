"""The index of a new shard, made by a process of its own: beside the traffic, not in its way.

Two threads that both run Python mostly wait for each other, and flattening documents is Python. The
other process runs the same code on the same files and ends; whoever then opens the shard finds its
index made and its checkpoint written. It ends with its parent, however that ends. Where none
can be started, or it fails, the index is made where the shard is opened, as always.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from docstore import keys
from docstore.catalog import Definition
from docstore.local_follower import LocalFollower
from docstore.shard import Shard
from indexing.open_indexes import OpenIndexes
from indexing.writers import WriterBudget

DOCUMENTS_MIN = 20_000
"""An interpreter takes half a second to start: as long as indexing so many."""
_LOOK_SECONDS = 0.1


def make_apart(directory: Path, is_wanted: Callable[[], bool]) -> bool:
    """Whether another process made the index of the shard in a directory; `is_wanted` may end it.

    The shard must be one that nobody uses yet.
    """
    if getattr(sys, "frozen", False) or not Path(sys.executable or "").name.startswith("python"):
        return False  # a program with an interpreter inside, which would start itself
    command = [sys.executable, "-P", "-m", __name__, str(directory)]
    try:
        process = subprocess.Popen(  # noqa: S603  this interpreter, this module, our directory
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except OSError:
        return False
    with process:  # closes its input at the end, at which it ends too
        while is_wanted():
            try:
                return process.wait(_LOOK_SECONDS) == 0
            except subprocess.TimeoutExpired:
                continue
        process.kill()
    return False


def main(directory: Path) -> None:
    """Make the index of a shard, from the documents in its directory."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    definition = Definition.load(directory.parent.parent)
    shard = Shard(directory, int(directory.name), draft=True)
    shard.log_floor = lambda: 0  # who else follows this log is not known here
    budget = WriterBudget()
    follower = LocalFollower(
        shard,
        definition.schema,
        partial(keys.key_text, definition.key),
        budget,
        OpenIndexes(),
        read_only=False,
    )
    follower.close(refresh=True)
    budget.close()
    shard.close()


def _end_with_parent() -> None:
    sys.stdin.read()  # until the parent closes it, or is no more
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
