"""Changing some fields of a document: read, merge, and put unless somebody was faster."""

from typing import Any, TypeVar

from docstore import keys, writing
from docstore.documents import DocumentCodec
from docstore.live_map import LiveMap
from docstore.merge_patch import merge_patch
from docstore.partitions import Partitions
from docstore.shards.apply import Write, op_id_bytes
from docstore.shards.shard import now_microseconds
from docstore.types import WriteResult
from indexing.errors import NotFound, VersionConflict

D = TypeVar("D")


def patch_one(
    live: LiveMap,
    codec: DocumentCodec[D],
    encoded: bytes,
    patch: dict[str, Any],
    if_version: int | None,
    op_id: str | None,
) -> WriteResult:
    """Merge a patch into the document under an encoded key; tried again after a concurrent change.

    With `if_version` the version is the caller's business: raises VersionConflict.
    """
    key = keys.decode(live.current.definition.key, encoded)

    def patched(partitions: Partitions) -> WriteResult:
        stored = partitions.record(encoded)
        if stored is None:
            raise NotFound(f"there is no document {key!r}", hint="put it first", key=key)
        merged = merge_patch(codec.as_json(stored.body), patch)
        # The key is passed along, so a patch that would change it is refused.
        _, _, body = codec.encode(merged, key)
        expected = stored.version if if_version is None else if_version
        # Of the same version may also be another document, made after this one was deleted.
        seq = stored.seq if stored.version == expected else None
        operation = op_id_bytes(op_id)
        write = Write(encoded, body, now_microseconds(), expected, op_id=operation, if_seq=seq)
        return writing.one(partitions, write)

    while True:
        try:
            return live.ask(patched)
        except VersionConflict:
            if if_version is not None:
                raise
