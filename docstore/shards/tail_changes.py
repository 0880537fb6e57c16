"""What the next entries of a shard's log make of its index.

Invariant: with all changes taken, the index is of one moment of the shard, that after the entry
`covered`: no document in it is missing, or older, because it was written again while the tail was
read. So the tail goes on, beyond where it was to end, up to what superseded any entry of it.
"""

from collections.abc import Callable, Iterator

from docstore.shards.records import Entry, Operation, Record, parsed
from docstore.shards.shard import Shard
from indexing.flatten import Flattener
from indexing.local_index import Change

TAIL_BATCH = 2000
"""Log entries read in one transaction."""


class NewColumns(Exception):
    """The documents hold fields that the index has no columns for: it must be rebuilt with them."""


class TailChanges:
    """The changes from `after` up to at least `head`; iterate it once.

    Raises NewColumns, and Corruption where the log does not hold them all.
    Entries up to `distrusted` may be in the index already, so their documents are never new to it.
    """

    def __init__(
        self,
        shard: Shard,
        after: int,
        head: int,
        distrusted: int,
        key_text: Callable[[bytes], str],
        flattener: Flattener,
    ) -> None:
        self._shard = shard
        self._after = after
        self._distrusted = distrusted
        self._key_text = key_text
        self._flattener = flattener
        self.covered = head
        """The last entry taken, once all are."""

    def __iter__(self) -> Iterator[Change]:
        """One change per entry that is not superseded."""
        after = self._after
        while after < self.covered:
            most = min(TAIL_BATCH, self.covered - after)
            batch = self._shard.next_written(after, most)
            self._shard.check_unbroken(after, batch)
            for entry, document in batch:
                if entry.seq > self.covered:
                    after = entry.seq
                    break  # not every seq need have an entry, so more than asked were read
                after = entry.seq
                if document is None and entry.operation is not Operation.DELETE:
                    # Deleted since, who knows when: at the last entry there is, or before.
                    self.covered = max(self.covered, self._shard.visible_head)
                elif document is not None and document.seq > self.covered:
                    self.covered = document.seq
                change = self._change(entry, document)
                if change is not None:
                    yield change
            if self._flattener.found:
                raise NewColumns

    def _change(self, entry: Entry, document: Record | None) -> Change | None:
        text = self._key_text(entry.key)
        if entry.operation is Operation.MOVED:
            # Of a document that a later entry changed, only what was there is taken away.
            line = None
            if document is not None and document.seq <= entry.seq:
                line = self._flattener.line(text, document.seq, parsed(document.body))
            return Change(text, line, is_new=False)
        if entry.operation is Operation.DELETE:
            return Change(text, None, is_new=False)
        if document is None or document.seq != entry.seq:
            return None  # the entry that made the document what it is follows
        line = self._flattener.line(text, entry.seq, parsed(document.body))
        return Change(text, line, entry.version == 1 and entry.seq > self._distrusted)
