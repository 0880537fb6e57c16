"""The log entries of a shard's ancestors: what was written before a split or merge made it.

Invariant: of each ancestor it holds all entries after a floor whose keys are the shard's, under the
ancestor's number and the seq they had there; it is written while the shard is made and never
after. Readers of changes ask for it; it goes when the shard's own log has lost its beginning, since
nobody can then read on from an ancestor.

On disk, big endian. ancestors: u32 partition -> u64 base, u64 floor. entries: u32 partition, u64
seq -> a log entry.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from docstore.shards.environment import Environment
from docstore.shards.records import Entry, pack_entry, unpack_entry, unreadable

INHERITED_FILE = "inherited.mdb"
TABLES = ("ancestors", "entries")
_NUMBER = struct.Struct(">I")
_SEQ = struct.Struct(">Q")
_FLOOR = struct.Struct(">QQ")
READ_BATCH = 256


class Held(NamedTuple):
    """What is held of an ancestor: its log began after `base`; entries up to `floor` are gone."""

    base: int
    floor: int


class Inherited:
    """One shard's file of them; any thread may read."""

    def __init__(self, directory: Path, *, read_only: bool = False, draft: bool = False) -> None:
        self._environment = Environment(
            directory / INHERITED_FILE, read_only=read_only, tables=TABLES, draft=draft
        )
        self._tables = self._environment.tables

    def begin(self, ancestor: int, held: Held) -> None:
        """Say what is held of an ancestor: where several say it, the least of it."""
        known = self.held(ancestor) or held
        packed = _FLOOR.pack(min(known.base, held.base), max(known.floor, held.floor))
        self._environment.write(
            lambda transaction: transaction.put(
                _NUMBER.pack(ancestor), packed, db=self._tables["ancestors"]
            )
        )

    def add(self, ancestor: int, entries: Sequence[Entry]) -> None:
        """Hold some entries of an ancestor; adding them again changes nothing."""
        number = _NUMBER.pack(ancestor)
        pairs = [
            (
                number + _SEQ.pack(each.seq),
                pack_entry(each.operation, each.version, each.at, each.key, each.op_id),
            )
            for each in entries
        ]
        self._environment.write(
            lambda transaction: transaction.cursor(db=self._tables["entries"]).putmulti(pairs)
        )

    def held(self, ancestor: int) -> Held | None:
        """What is held of an ancestor; None for one that is none."""
        stored = self._environment.get("ancestors", _NUMBER.pack(ancestor))
        if stored is None:
            return None
        try:
            return Held(*_FLOOR.unpack(stored))
        except struct.error as error:
            raise unreadable("ancestor's floor", f"{len(stored)} bytes") from error

    def count(self) -> int:
        """How many entries are held."""
        with self._environment.read() as transaction:
            return self._environment.entries(transaction, "entries")

    def entries(self, ancestor: int, after: int) -> Iterator[Entry]:
        """An ancestor's entries after a seq, in order; no transaction is open between batches."""
        number = _NUMBER.pack(ancestor)
        while True:
            batch: list[Entry] = []
            with self._environment.read() as transaction:
                cursor = transaction.cursor(db=self._tables["entries"])
                found = cursor.set_range(number + _SEQ.pack(after + 1))
                while found and len(batch) < READ_BATCH and cursor.key()[:4] == number:
                    batch.append(unpack_entry(cursor.key()[4:], cursor.value()))
                    found = cursor.next()
            yield from batch
            if len(batch) < READ_BATCH:
                return
            after = batch[-1].seq

    def settle(self) -> None:
        """Make durable what was added to a draft."""
        self._environment.settle()

    def close(self) -> None:
        """Close the file."""
        self._environment.close()
