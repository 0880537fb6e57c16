"""Documents by key: written one by one or many at once, read, and scanned in key order.

A write goes to the shard that owns the key and is acknowledged when it is durable there; a read
asks that shard alone. Safe to use from many threads. Deliberately absent: every search.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from docstore import keys, writing
from docstore.documents import DocumentCodec
from docstore.live_map import LiveMap
from docstore.operations import Delete, Put, check_conditions, several, write_of
from docstore.partitions import Partitions
from docstore.patching import patch_one
from docstore.pinning import Pin
from docstore.scanning import scan
from docstore.shards.apply import Write
from docstore.shards.records import Record
from docstore.shards.shard import now_microseconds
from docstore.types import BatchResult, Document, Key, WriteResult

D = TypeVar("D")


class ByKey(Generic[D]):
    """The documents of a collection by their keys; `D` is what they are read as."""

    def __init__(self, live: LiveMap, codec: DocumentCodec[D]) -> None:
        self._live = live
        self._codec = codec
        self._spec = live.current.definition.key

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that make the key."""
        return self._spec.fields

    @property
    def key_is_typed(self) -> bool:
        """Whether keys are typed values or tuples of them; else they are strings."""
        return self._spec.typed

    def put(
        self,
        document: D | dict[str, Any],
        key: Key | None = None,
        *,
        if_version: int | None = None,
        if_absent: bool = False,
        if_present: bool = False,
        op_id: str | None = None,
        if_seq: int | None = None,
    ) -> WriteResult:
        """Store a document, replacing the one under its key; durable when it returns.

        The key is read from the document's key fields, or given, or generated (a UUIDv7 string).
        Raises InvalidDocument, VersionConflict when a condition fails, Unavailable. A retry with
        the same `op_id` writes nothing and returns the first answer, as long as the log holds it.
        `if_seq` is the seq of the write that must have made what is there: unlike a version, it
        never recurs.
        """
        asked = Put(document, key, if_version, if_absent, if_present, op_id, if_seq)
        write = write_of(asked, self._codec, self._encoded, now_microseconds())
        return self._live.ask(lambda partitions: writing.one(partitions, write))

    def delete(
        self,
        key: Key,
        *,
        if_version: int | None = None,
        if_present: bool = False,
        op_id: str | None = None,
        if_seq: int | None = None,
    ) -> WriteResult:
        """Remove a document; of a key that does not exist, does nothing (`deleted` is False).

        With an `op_id`, what was there is removed once, as by `put`; that nothing was there is not
        remembered: a retry removes what was put meanwhile. Raises VersionConflict when a condition
        fails; `if_present` makes absence one.
        """
        asked = Delete(key, if_version, if_present, op_id, if_seq)
        write = write_of(asked, self._codec, self._encoded, now_microseconds())
        return self._live.ask(lambda partitions: writing.one(partitions, write))

    def patch(
        self,
        key: Key,
        patch: dict[str, Any],
        *,
        if_version: int | None = None,
        op_id: str | None = None,
    ) -> WriteResult:
        """Change some fields by a JSON merge patch (RFC 7396): null removes a field.

        Raises NotFound, InvalidDocument when the result is not valid or its key would change, and
        VersionConflict. Without `if_version`, a concurrent change is read and patched again.
        """
        check_conditions(if_version)
        return patch_one(self._live, self._codec, self._encoded(key), patch, if_version, op_id)

    def put_many(
        self, documents: Iterable[D | dict[str, Any]], *, if_absent: bool = False
    ) -> BatchResult:
        """Store many documents: one durable transaction per shard, one result per document.

        A document that is refused is reported in its place and stops nothing else. Raises
        InvalidRequest for one document where several are wanted.
        """
        at = now_microseconds()

        def write_of(document: D | dict[str, Any]) -> Write:
            _, encoded, body = self._codec.encode(document)
            return Write(encoded, body, at, None, if_absent)

        return writing.many(self._live, several(documents, "put_many"), write_of)

    def delete_many(self, keys_to_delete: Iterable[Key]) -> BatchResult:
        """Remove many documents: one durable transaction per shard, one result per key."""
        return self.write_many(map(Delete, several(keys_to_delete, "delete_many")))

    def write_many(self, operations: Iterable[Put | Delete]) -> BatchResult:
        """Carry out writes of any kind, each with its own conditions, like one `put_many`."""
        at = now_microseconds()
        return writing.many(
            self._live,
            several(operations, "write_many"),
            lambda operation: write_of(operation, self._codec, self._encoded, at),
            lambda operation: operation.key,
        )

    def _encoded(self, key: Key) -> bytes:
        return keys.encode(self._spec, self._live.current.key_parts.key(key))

    def get(self, key: Key) -> D | None:
        """The document under a key, or None."""
        stored = self._record(self._encoded(key))
        return None if stored is None else self._codec.decode(stored.body)

    def fetch(self, key: Key) -> Document[D] | None:
        """The document under a key with its version, or None."""
        encoded = self._encoded(key)
        stored = self._record(encoded)
        return None if stored is None else self._document(encoded, stored)

    def stored(self, key: Key) -> Record | None:
        """The bytes under a key, their version and the seq of the write that made them, or None.

        The version starts again at 1 after a delete; with the seq it never recurs.
        """
        return self._record(self._encoded(key))

    def _document(self, encoded: bytes, stored: Record) -> Document[D]:
        key = keys.decode(self._spec, encoded)
        return Document(key, stored.version, self._codec.decode(stored.body))

    def get_many(self, wanted: Iterable[Key]) -> list[D | None]:
        """The documents under some keys, in their order, None where there is none."""
        encoded = [self._encoded(key) for key in several(wanted, "get_many")]
        self._live.traffic.reads.note_all(encoded)
        if (recording := self._live.recorder.into) is not None:
            recording.by_key(self._live.current.definition, "get", *encoded)
        found = self._live.ask(lambda partitions: partitions.read(encoded))
        return [None if stored is None else self._codec.decode(stored.body) for stored in found]

    def exists(self, key: Key) -> bool:
        """Whether there is a document under a key."""
        return self._record(self._encoded(key)) is not None

    def _record(self, encoded: bytes) -> Record | None:
        return self._live.record(encoded)

    def scan(
        self,
        start: Key | None = None,
        end: Key | None = None,
        *,
        prefix: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Document[D]]:
        """Documents in key order: start <= key < end, or all keys with a prefix.

        A compound key's leading parts are a prefix. A document written meanwhile may be in it.
        Raises InvalidRequest, InvalidDocument when called, not when first read.
        """
        if (recording := self._live.recorder.into) is not None:
            scanned = {"prefix": prefix, "start": start, "end": end, "limit": limit}
            recording.asked(self._live.current.definition, "scan", scanned)
        pin = self._live.pin()
        found = scan(pin.value, start, end, prefix, limit, reverse=reverse)
        return self._documents(pin, found)

    def _documents(
        self, pin: Pin[Partitions], found: Iterator[tuple[bytes, Record]]
    ) -> Iterator[Document[D]]:
        for encoded, stored in found:
            yield self._document(encoded, stored)
        pin.release()
