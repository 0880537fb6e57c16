"""What of one index partition is in memory: changes not yet on disk, and the blocks in use.

Invariants: disk, then `_leaving` (being written), then `pending`, later ones replacing earlier ones
document by document, is the partition's state; loaded blocks show exactly that state but for the
documents of `_unshown`, all of them pending, which are shown before blocks are searched: what they
replace is read from disk, and who follows the logs must not wait for that. Blocks are read when
first asked for and dropped when they are many. Not safe by itself: the index's lock is
held around every call but `IndexPartition.apply` between `leave` and `left`.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from docstore.global_index.block import Block, Loose, Row, Slice
from docstore.global_index.extracting import Extractor
from docstore.global_index.index_partition import IndexPartition
from docstore.global_index.partition_changes import Changes
from docstore.global_index.postings import Sharing
from docstore.global_index.wanted import Held, Wanted

BLOCK_ROWS = 50_000
"""Postings that a block is cut at, but for a single term's: about 0.1 s to read."""

Rows = Mapping[bytes, bytes]


class Resident:
    """The memory of one partition."""

    def __init__(self, partition: IndexPartition, of: Extractor, clock: Iterator[int]) -> None:
        self.partition = partition
        self._of = of
        self._clock = clock
        self.pending: dict[bytes, Rows] = {}
        self.since = 0.0
        self.bytes = 0
        """Taken since what is `pending` began: what replaces another is counted beside it."""
        self._bytes_leaving = 0
        self._leaving: dict[bytes, Rows] = {}
        self._unshown: dict[bytes, Rows | None] = {}
        """What such documents are in the blocks; None: what they are on disk."""
        self._lowers: list[bytes] = [b""]
        self._blocks: list[Block | None] = [None]

    @property
    def rows_held(self) -> int:
        """Postings in blocks."""
        return sum(len(block) for block in self._blocks if block is not None)

    def take(self, changes: Mapping[bytes, Rows]) -> None:
        """Make documents what they are now."""
        if any(block is not None for block in self._blocks):
            for key in changes:
                if key not in self._unshown:
                    self._unshown[key] = self._changed(key)
        if changes and not self.pending:
            self.since = time.monotonic()
        self.pending.update(changes)
        self.bytes += sum(map(_bytes_of, changes.values()))

    def show(self) -> None:
        """Have the loaded blocks show all that was taken."""
        if not self._unshown:
            return
        stored = self.partition.terms_of([k for k, rows in self._unshown.items() if rows is None])
        for key, rows in self._unshown.items():
            for term in stored.get(key, ()) if rows is None else rows:
                block = self._block_of(term)
                if block is not None:
                    block.kill(term, key)
            for term, row in self.pending[key].items():
                block = self._block_of(term)
                if block is not None:
                    block.put(term, key, row)
        self._unshown = {}

    def _block_of(self, term: bytes) -> Block | None:
        return self._blocks[bisect_right(self._lowers, term) - 1]

    def worn(self, *, is_last: bool = False) -> list[Block]:
        """Blocks to be made anew, of which much has changed; the last time also if little has.

        One that nobody has read since it was last made so is forgotten instead.
        """
        self.show()
        found = []
        for at, block in enumerate(self._blocks):
            if block is None or not (block.is_worn or (is_last and block.is_changed)):
                continue
            if not block.is_read:
                self._blocks[at] = None
            elif not block.is_renewed:
                found.append(block)
        return found

    def replace(self, old: Block, new: Block) -> None:
        """Use another block from now on, unless the old one was dropped."""
        if old in self._blocks:
            self._blocks[self._blocks.index(old)] = new

    def leave(self) -> Changes:
        """What is to be written to disk now; `left` or `kept` follows."""
        self.show()  # what it replaces there is known until then
        self._leaving, self.pending = self.pending, {}
        self._bytes_leaving, self.bytes = self.bytes, 0
        return self._leaving

    def left(self) -> None:
        """It is on disk."""
        self._leaving = {}

    def kept(self) -> None:
        """It could not be written and stays here."""
        self.pending = {**self._leaving, **self.pending}
        self.bytes += self._bytes_leaving
        self._leaving = {}

    def rows_of(self, keys: Sequence[bytes]) -> dict[bytes, Rows]:
        """What documents are here now."""
        found = {key: rows for key in keys if (rows := self._changed(key)) is not None}
        stored = self.partition.held([key for key in keys if key not in found])
        return {key: found[key] if key in found else stored.get(key, {}) for key in keys}

    def _changed(self, key: bytes) -> Rows | None:
        """What a document is that is not on disk so yet."""
        rows = self.pending.get(key)
        return self._leaving.get(key) if rows is None else rows

    def on_disk(self, name: bytes, after: bytes, most: int) -> tuple[list[Row], bytes | None]:
        """Postings under a name that no later change replaces, and where to go on, if there is
        more."""
        rows, place = self.partition.under(name, after, most)
        return [row for row in rows if self._changed(row[1]) is None], place

    def find(
        self,
        ranges: Sequence[tuple[bytes, bytes]],
        tests: Sequence[tuple[str, Held]],
        mine: Sequence[bytes],
    ) -> list[Slice | Loose]:
        """The postings here within ranges of terms, and under some terms of this partition."""
        self.show()
        found: list[Slice | Loose] = []
        for term in mine:
            found += self._loaded(term).find(Wanted((term,)), tests)
        for lower, upper in ranges:
            at = lower
            while at < upper:
                block = self._loaded(at)
                found += block.find(Wanted((), ((lower, upper),)), tests)
                if block.upper is None:
                    break
                at = block.upper
        return found

    def _loaded(self, term: bytes) -> Block:
        """The block that holds a term, from disk if it must be."""
        at = bisect_right(self._lowers, term) - 1
        block = self._blocks[at]
        if block is None:
            block = self._load(at, term)
        block.used = next(self._clock)
        return block

    def _load(self, at: int, term: bytes) -> Block:
        lower = self._lowers[at]
        if term > lower and self.partition.sizes()[1] > BLOCK_ROWS:
            # So much that reading from the block's beginning could take long: begin here.
            at += 1
            lower = term
            self._lowers.insert(at, lower)
            self._blocks.insert(at, None)
        end = self._lowers[at + 1] if at + 1 < len(self._lowers) else None
        rows, cut = self.partition.rows(lower, end, BLOCK_ROWS)
        if cut is not None:
            self._lowers.insert(at + 1, cut)
            self._blocks.insert(at + 1, None)
            end = cut
        block = Block(lower, end, self._overlaid(rows, lower, end), self._of)
        self._blocks[at] = block
        return block

    def _overlaid(self, rows: list[Row], lower: bytes, upper: bytes | None) -> list[Row]:
        changed = {**self._leaving, **self.pending}
        if changed:
            rows = [row for row in rows if row[1] not in changed]
            rows += [
                (term, key, row)
                for key, found in changed.items()
                for term, row in found.items()
                if lower <= term and (upper is None or term < upper)
            ]
        rows.sort()
        return rows

    def least_used(self) -> tuple[int, int] | None:
        """When the block was asked for that was not asked for longest, and its place."""
        used = [(block.used, at) for at, block in enumerate(self._blocks) if block is not None]
        return min(used, default=None)

    def drop(self, at: int) -> None:
        """Forget a block; it is read again when it is asked for."""
        self._blocks[at] = None

    def drop_blocks(self) -> None:
        """Forget all blocks."""
        self._lowers, self._blocks, self._unshown = [b""], [None], {}


def _bytes_of(rows: Rows) -> int:
    """Those of one document; what its postings share is one object."""
    found = 0
    for row in rows.values():
        found += len(row)
    return found + (len(row.shared) if rows and isinstance(row, Sharing) else 0)
