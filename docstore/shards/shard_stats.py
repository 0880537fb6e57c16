"""What `stats` tells of each shard: looking leaves shards closed and indexes asleep.

Invariant: the figures are those of now, whether a shard is open or not. One that is not is looked
at for a moment and let go of; what was seen is kept, one entry per shard, until its file is written
again, which by this process it cannot be before it is open. Absent: what a shard did since it was
opened, which for others is nothing.
"""

from pathlib import Path
from typing import Any

from docstore.background import BackgroundRefresh
from docstore.files import bytes_in
from docstore.shards.local_follower import INDEX_DIRECTORY, LocalFollower
from docstore.shards.open_shards import OpenShards
from docstore.shards.shard import DOCUMENTS_FILE, Shard

Figures = dict[str, Any]


class ShardStats:
    """Looks at shards by number; any thread may ask."""

    def __init__(self, shards: OpenShards, background: BackgroundRefresh) -> None:
        self._shards = shards
        self._background = background
        self._closed: dict[int, tuple[tuple[int, int] | None, Figures]] = {}

    def of(self, number: int) -> Figures:
        """Documents, bytes, log and index of a shard; raises Corruption when it is missing."""
        shard = self._shards.if_open(number)
        if shard is not None:
            self._closed.pop(number, None)
            return self._seen(shard)
        written = _written(self._shards.directory / str(number) / DOCUMENTS_FILE)
        known = self._closed.get(number)
        if known is None or known[0] != written:
            known = self._closed[number] = written, self._shards.look(number, self._seen)
        return known[1]

    def _seen(self, shard: Shard) -> Figures:
        follower = self._shards.follower_if_open(shard.number)
        first, last = shard.log_range()
        commits, writes = shard.commit_counts
        error = None if follower is None else self._background.errors.get(follower)
        return {
            "partition": shard.number,
            "documents": shard.count(),
            "document_bytes": shard.environment.bytes_used(),
            "head": shard.head,
            "log_entries": last - first + 1 if last else 0,
            **(_unused(shard) if follower is None else _used(follower)),
            "commits": commits,
            "writes": writes,
            "error": None if error is None else str(error),
        }


def _used(follower: LocalFollower) -> Figures:
    return {
        "indexed": follower.checkpoint,
        "lag": follower.lag,
        "refreshes": follower.refreshes,
        "refresh_seconds": round(follower.refresh_seconds, 6),
        "index_bytes": follower.bytes_used(),
    }


def _unused(shard: Shard) -> Figures:
    """Of an index that was not opened: what its checkpoint says."""
    recorded = shard.index_checkpoint()
    indexed = 0 if recorded is None else recorded.seq
    generation = "0" if recorded is None else str(recorded.generation)
    return {
        "indexed": indexed,
        "lag": max(0, shard.head - indexed),
        "refreshes": 0,
        "refresh_seconds": 0.0,
        "index_bytes": bytes_in(shard.directory / INDEX_DIRECTORY / generation),
    }


def _written(path: Path) -> tuple[int, int] | None:
    """What changes with every write to a file."""
    try:
        found = path.stat()
    except OSError:
        return None  # who opens it says what is wrong
    return found.st_ino, found.st_mtime_ns
