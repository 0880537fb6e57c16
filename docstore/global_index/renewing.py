"""Making a block anew without its dead and fresh postings, while it is searched and changed.

A merge takes tens of milliseconds, which neither readers nor who follows the logs should wait for:
so the old block remembers what changes meanwhile (`late`), and the new one takes that up. Not safe
by itself but for `made`, which reads what never changes: the index's lock is held around the rest.
"""

from collections import Counter
from contextlib import AbstractContextManager

import numpy as np

from docstore.global_index.block import Block, Late, several_of
from docstore.global_index.merging import Merge
from docstore.global_index.postings import payloads
from docstore.global_index.resident import Resident


class Renewal:
    """A block as it was when this was made, of which a new one can be made beside its use."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self._late: list[Late] = []
        block.late = self._late
        self._used = block.used
        self._alive = block.alive.copy()
        self._fresh = [
            (term, key, row) for term, rows in block.fresh.items() for key, row in rows.items()
        ]
        self._columns = dict(block.columns)

    def made(self) -> Block:
        """The new block, without what changed meanwhile; nothing of the old one is changed."""
        old, fresh = self.block, sorted(self._fresh)
        merge = Merge(self._alive, [old.place_of(term, key) for term, key, _ in fresh])
        living = np.concatenate(([0], np.cumsum(self._alive)))[old.starts]
        counts = Counter(dict(zip(old.terms, np.diff(living).tolist(), strict=True)))
        counts.update([term for term, _, _ in fresh])
        rows = [row for _, _, row in fresh]
        carried = payloads(rows)
        columns = {
            path: column.merged(merge, old.of.compared(path, carried))
            for path, column in self._columns.items()
        }
        block = Block(old.lower, old.upper, (), old.of)
        block.fill(
            +counts,
            merge.values(old.keys, [key for _, key, _ in fresh]),
            merge.values(old.packed, rows),
            merge.array(old.several, several_of(rows)),
            columns,
        )
        return block

    def finish(self, block: Block) -> Block:
        """The new block with what changed meanwhile, to be used from now on."""
        block.used, block.used_before = self.block.used, self._used
        for term, key, row in self._late:
            if row is None:
                block.kill(term, key)
            else:
                block.put(term, key, row)
        return block

    def end(self) -> None:
        """The old one need not remember what changes any more."""
        self.block.late = None


def renew(
    resident: Resident, lock: AbstractContextManager[object], *, is_last: bool = False
) -> None:
    """Make blocks of a partition anew of which much has changed, holding the lock only shortly.

    The last time also of which little has.
    """
    with lock:
        renewals = [Renewal(block) for block in resident.worn(is_last=is_last)]
    try:
        for each in renewals:
            made = each.made()
            with lock:
                resident.replace(each.block, each.finish(made))
    finally:
        for each in renewals:
            each.end()
