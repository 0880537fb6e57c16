"""New shards made from old ones by a process of its own: beside the traffic, not in its way.

Two threads that both run Python mostly wait for each other, and copying and flattening documents is
Python. The other process runs the same code (`moving`) on the same files: it reads the old shards,
makes the new ones with their indexes, durable and all but up to date, and ends; this one follows
what is written since. It ends with its parent, however that ends; what it leaves then is named in
`moving.json`, and whoever opens the store waits for its end (`working_apart`) before removing it.
Where none can be started, or it fails, the shards are made here, as always.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

import orjson

from docstore.catalog import SHARDS_DIRECTORY, Definition
from docstore.map_changes.moving import Moving, Progress
from docstore.map_format import map_from_json, map_to_json
from docstore.partitioning import PartitionMap
from docstore.resources import Resources
from docstore.shards.open_shards import OpenShards
from docstore.working_apart import LOOK_SECONDS, end_with_parent, is_heard, started, working
from indexing.errors import Unavailable

DOCUMENTS_MIN = 20_000
"""An interpreter takes half a second to start: as long as copying and indexing so many."""
_NICE = 10
"""Where cores are short its share is a tenth of another's. Nicer by less, its two busy threads take
half of two cores and each write waits its turn at every step; by more, it takes twice as long."""


def make_apart(
    collection: Path, after: PartitionMap, is_wanted: Callable[[], bool], progress: Progress
) -> dict[int, int] | None:
    """Have another process make the shards of a map's last change; None when it did not.

    Of its sources the map tells the seqs at which copying begins; returned are, by source, those up
    to which the new shards have its log. Nobody may use these yet; `is_wanted` may end it. Raises
    Unavailable when the disk is full.
    """
    pipe = subprocess.PIPE
    process = started(__name__, str(collection), asked=pipe, answers=pipe, nice=_NICE)
    if process is None:
        return None
    asked, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    followed = None
    with process:  # closes its input at the end, at which it ends too
        try:
            with suppress(BrokenPipeError):
                asked.write(orjson.dumps(map_to_json(after)) + b"\n")
                asked.flush()
            followed = _heard(answers.fileno(), is_wanted, progress)
        finally:
            if followed is None:
                process.kill()
    return followed


def _heard(
    answers: int, is_wanted: Callable[[], bool], progress: Progress
) -> dict[int, int] | None:
    """What the process says last, when all it made is closed; before, it tells its progress."""
    heard = b""
    while is_wanted():
        if not is_heard(answers, LOOK_SECONDS):
            continue
        said = os.read(answers, 65536)
        if not said:
            return None
        *lines, heard = (heard + said).split(b"\n")
        for line in lines:
            match orjson.loads(line):
                case [str(phase), int(done), int(of)]:
                    progress(phase, done, of)
                case {"followed": followed}:
                    return dict(followed)
                case {"refused": message, "hint": hint}:
                    raise Unavailable(message, hint=hint, retryable=True)
    return None


def main(collection: Path, parent: int, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Make the shards of the last change of the map that is asked for."""
    line = asked.readline()
    with working(collection):
        if os.getppid() != parent or is_heard(asked, 0):
            return  # the parent is no more: whoever opens the store now removes what it listed
        end_with_parent(parent, asked)
        _make(collection, map_from_json(orjson.loads(line)), answers)


def _make(collection: Path, after: PartitionMap, answers: IO[bytes]) -> None:

    def say(told: object) -> None:
        answers.write(orjson.dumps(told) + b"\n")
        answers.flush()

    resources = Resources.begin()
    definition = Definition.load(collection)
    old, new = (
        OpenShards(
            collection / SHARDS_DIRECTORY,
            definition,
            resources,
            lambda _: 0,  # who else follows the logs is not known here
            read_only=read_only,
        )
        for read_only in (True, False)
    )
    moving = Moving(
        definition.partition_map, after, definition.key, old, lambda *told: say(told), pace=iter
    )
    try:
        moving.make(new)
        followed = moving.fill()
        new.close(refresh=False)
    except Unavailable as error:
        if error.retryable:  # here it would fail as well: the disk is full
            say({"refused": error.message, "hint": error.hint})
        raise
    old.close(refresh=False)
    resources.end()
    say({"followed": list(followed.items())})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
