"""The pages of an LMDB file, followed from one of its states before LMDB itself reads them.

LMDB trusts its file: where a page is not what another says, it may end the process or read beyond
the file. So whoever must go on follows the pages first. Each page has to bear its own number, be of
the kind that its place asks for, be in one place only, and hold nodes that fill it exactly; each
tree has to have as many pages and entries as is said of it, and a free page must not be in use.

The layout is that of LMDB's data version 1 on machines with 64-bit addresses; another is left to
LMDB. Absent: what the values are. LMDB keeps no checksums, so other bytes inside a value, or an
older version of a page that fits as well, are not seen here.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

MAGIC, VERSION = 0xBEEFC0DE, 1
_HEAD = 16
"""Bytes before a page's pointers: u64 number, u16, u16 kind, and u16 lower, u16 upper: between them
nothing is stored. In the first of some pages that one long value fills, u32 how many instead."""
_NODE = 8
"""Bytes before a node's key: two u16 of its value's length, the lower and the upper half in the
order of the machine, u16 flags, u16 length of the key. In a branch the first three tell a page."""
_TREE = 48
"""u32, u16 flags, u16 depth, and five u64: branch, leaf and long pages, entries, root."""
_STATE_BYTES = 152
"""A page's first bytes, then u32 MAGIC, u32 VERSION, two u64, the trees of free pages (of which the
first u32 is a page's size) and of tables, and u64 last page, u64 transaction."""
_KIND = 0x2F
_BRANCH, _LEAF, _LONG, _STATE = 1, 2, 4, 8
_LONG_VALUE, _SUBTREE = 1, 2
_NO_ROOT = 2**64 - 1
_KEY_MAX = 511
_FREE_KEY = 8
_LOW, _HIGH = (0, 1) if sys.byteorder == "little" else (1, 0)
PAGES_AT_ONCE = 2048
"""Pages whose nodes are looked at together: some 10 MB of numbers."""


class DamagedPage(Exception):
    """A page is not what it must be. Never leaves this room."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"page {number} {what}")
        self.number = number


class Tree(NamedTuple):
    """What is said of a tree where it is named."""

    name: str
    depth: int
    branches: int
    leaves: int
    long_pages: int
    entries: int
    root: int


class State(NamedTuple):
    """What one of the two first pages says: a whole state of the file, written by `transaction`."""

    transaction: int
    page_bytes: int
    last: int
    free: Tree
    main: Tree


class _Nodes(NamedTuple):
    """Nodes of some pages: which page, where in the file, and what their heads say."""

    page: Numbers
    at: Numbers
    low: Numbers
    flags: Numbers
    key_bytes: Numbers


def states(data: Bytes) -> list[State]:
    """The two states, or none where the layout is another; raises DamagedPage."""
    data = np.asarray(data)
    page_bytes = 0
    found = []
    for number in (0, 1):
        at = number * page_bytes
        if at + _STATE_BYTES > len(data):
            raise DamagedPage(number, "is missing")
        head = _still(data[at : at + _STATE_BYTES])
        magic, version = (int(each) for each in head[16:24].view(np.uint32))
        if int(head[:8].view(np.uint64)[0]) != number or not int(head[10:12].view(np.uint16)[0]) & (
            _STATE
        ):
            raise DamagedPage(number, "does not begin a file")
        if magic != MAGIC:
            raise DamagedPage(number, "does not begin a file of LMDB")
        if version != VERSION:
            return []
        page_bytes = page_bytes or int(head[40:44].view(np.uint32)[0])
        last, transaction = (int(each) for each in head[136:152].view(np.uint64))
        is_size = 512 <= page_bytes <= 65536 and page_bytes & (page_bytes - 1) == 0
        if not is_size or int(head[40:44].view(np.uint32)[0]) != page_bytes or last < 1:
            raise DamagedPage(number, "does not say how the file is divided")
        free, main = _tree("free pages", head[40:88]), _tree("tables", head[88:136])
        found.append(State(transaction, page_bytes, last, free, main))
    return found


def _still(data: Bytes) -> Bytes:
    """A copy of what another process may be writing: of one moment, as it was there twice."""
    found = data.copy()
    while not np.array_equal(again := data.copy(), found):
        found = again
    return found


def _tree(name: str, data: Bytes) -> Tree:
    depth = int(data[6:8].view(np.uint16)[0])
    branches, leaves, long_pages, entries, root = map(int, data[8:_TREE].copy().view(np.uint64))
    return Tree(name, depth, branches, leaves, long_pages, entries, root)


class Pages:
    """A file as one of its states leaves it. Reads no more of it than is asked for."""

    def __init__(self, data: Bytes, state: State) -> None:
        self._state = state
        size = state.page_bytes
        self._count = min(len(data) // size, state.last + 1)
        self._data: Bytes = np.asarray(data)[: self._count * size]
        self._words: npt.NDArray[np.uint16] = self._data.view(np.uint16)
        self._heads = self._words.reshape(self._count, size // 2)
        self._numbers: npt.NDArray[np.uint64] = self._data.view(np.uint64)
        self._is_taken = np.zeros(state.last + 1, np.bool_)
        self._is_taken[:2] = True

    def check(self, pages_max: int | None) -> None:
        """Follow what says where the tables are, and tables of so many pages; raises DamagedPage.

        Free pages at the end of a file may never have been written.
        """
        tables = [
            _tree(f"table {self._key(at)}", value)
            for at, value in self._values(self._state.main, _SUBTREE)
        ]
        self._take_free()
        if not self._is_taken[self._count :].all():
            raise DamagedPage(self._count, "is missing: the file is cut off")
        for tree in tables:
            pages = tree.branches + tree.leaves + tree.long_pages
            if pages_max is None or pages <= pages_max:
                for _ in self._values(tree, 0):
                    pass

    def _take_free(self) -> None:
        """Take the pages that are free, which are listed as values: how many, and which."""
        free: list[npt.NDArray[np.uint64]] = []
        page = 0
        for at, value in self._values(self._state.free, -1):
            page = at // self._state.page_bytes
            listed = value[: len(value) // 8 * 8].view(np.uint64)
            if not len(listed) or int(listed[0]) >= len(listed):
                raise DamagedPage(page, "lists more free pages than it holds")
            free.append(listed[1 : int(listed[0]) + 1])
        if free:
            self._take(np.concatenate(free).astype(np.int64), page)

    def _take(self, pages: Numbers, named_in: int) -> None:
        """Take pages, of which each may be taken once."""
        outside = (pages < 2) | (pages > self._state.last)
        if outside.any():
            raise DamagedPage(named_in, "names a page that the file cannot have")
        twice = self._is_taken[pages]
        self._is_taken[pages] = True
        if twice.any():
            raise DamagedPage(int(pages[twice][0]), "is in two places")
        if len(pages) > 1 and (len(np.unique(pages)) < len(pages)):
            raise DamagedPage(named_in, "names a page twice")

    def _values(self, tree: Tree, kind: int) -> Iterator[tuple[int, Bytes]]:
        """Follow a tree: where each value of a kind (-1 for any) is named, and its bytes.

        Raises DamagedPage.
        """
        if tree.root == _NO_ROOT:
            return
        if not 1 <= tree.depth <= 32:
            raise DamagedPage(0, f"says that the {tree.name} are {tree.depth} deep")
        level: Numbers = np.array([min(tree.root, 2**62)], np.int64)
        branches = named_in = 0
        for _ in range(tree.depth - 1):
            self._take(level, named_in)
            branches += len(level)
            named_in = int(level[0])
            level = np.concatenate([self._below(each) for each in _parts(level)])
        self._take(level, named_in)
        entries = long_pages = 0
        for part in _parts(level):
            nodes = self._nodes(part, _LEAF)
            entries += len(nodes.at)
            values, taken = self._found(nodes, kind)
            long_pages += taken
            yield from values
        said = (tree.branches, tree.leaves, tree.long_pages, tree.entries)
        if said != (branches, len(level), long_pages, entries):
            raise DamagedPage(tree.root, f"leads to other pages than are said of the {tree.name}")

    def _below(self, pages: Numbers) -> Numbers:
        nodes = self._nodes(pages, _BRANCH)
        return nodes.low | nodes.flags << 32

    def _nodes(self, pages: Numbers, kind: int) -> _Nodes:
        """The nodes of pages of one kind, each of them found to be whole."""
        size = self._state.page_bytes
        self._check_heads(pages, kind)
        heads = self._heads[pages, 6:8].astype(np.int64)
        lower, upper = heads[:, 0], heads[:, 1]
        wrong = (lower <= _HEAD) | (lower & 1 == 1) | (lower > upper) | (upper > size)
        _refuse(pages, wrong, "does not say what it holds")
        counts = (lower - _HEAD) // 2
        order = np.repeat(np.arange(len(pages)), counts)
        place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        page = pages[order]
        inside = self._heads[page, _HEAD // 2 + place].astype(np.int64)
        wrong = (inside < upper[order]) | (inside + _NODE > size) | (inside & 1 == 1)
        _refuse(page, wrong, "points beside what it holds")
        at = page * size + inside
        word = at // 2
        low, high = (self._words[word + each].astype(np.int64) for each in (_LOW, _HIGH))
        flags, key_bytes = (self._words[word + each].astype(np.int64) for each in (2, 3))
        low |= high << 16
        value_bytes: Numbers | int = 0
        if kind == _LEAF:
            _refuse(page, (flags > _SUBTREE) | (key_bytes == 0), "holds what no table holds")
            value_bytes = np.where(flags == _LONG_VALUE, 8, low)
        filled = _NODE + key_bytes + value_bytes
        wrong = (key_bytes > _KEY_MAX) | (inside + filled > size)
        _refuse(page, wrong, "holds more than fits")
        total = np.bincount(order, filled + (filled & 1), len(pages)).astype(np.int64)
        _refuse(pages, total != size - upper, "is not filled as it says")
        return _Nodes(page, at, low, flags, key_bytes)

    def _check_heads(self, pages: Numbers, kind: int) -> None:
        beyond = pages >= self._count
        _refuse(pages, beyond, "is missing: the file is cut off")
        numbers = self._numbers[pages * (self._state.page_bytes // 8)]
        _refuse(pages, numbers != pages.astype(np.uint64), "is another page")
        _refuse(pages, (self._heads[pages, 5] & _KIND) != kind, "is of another kind")

    def _found(self, nodes: _Nodes, kind: int) -> tuple[list[tuple[int, Bytes]], int]:
        """The values of a kind, and how many pages the long ones of all fill."""
        is_long = nodes.flags == _LONG_VALUE
        long_pages = self._long(nodes, is_long) if is_long.any() else 0
        found = []
        wanted = np.ones(len(is_long), np.bool_) if kind < 0 else nodes.flags == kind
        if kind:
            for each in np.flatnonzero(wanted):
                at, length = int(nodes.at[each]), int(nodes.low[each])
                begins = at + _NODE + int(nodes.key_bytes[each])
                if is_long[each]:
                    page = int(self._data[begins : begins + 8].copy().view(np.uint64)[0])
                    begins = page * self._state.page_bytes + _HEAD
                elif kind == _SUBTREE and length != _TREE:
                    raise DamagedPage(int(nodes.page[each]), "does not name a table")
                found.append((at, self._data[begins : begins + length].copy()))
        return found, long_pages

    def _long(self, nodes: _Nodes, is_long: npt.NDArray[np.bool_]) -> int:
        """Take the pages that long values fill; how many."""
        size = self._state.page_bytes
        page, length = nodes.page[is_long], nodes.low[is_long]
        begins = nodes.at[is_long] + _NODE + nodes.key_bytes[is_long]
        stored = self._data[begins[:, None] + np.arange(8)]
        first = stored.view(np.uint64)[:, 0]
        _refuse(page, first > np.uint64(self._state.last), "names a page that the file cannot have")
        firsts = first.astype(np.int64)
        self._check_heads(firsts, _LONG)
        lengths = self._heads[firsts, 6:8].astype(np.int64)
        counts = lengths[:, _LOW] | lengths[:, _HIGH] << 16
        wrong = (counts * size < _HEAD + length) | (firsts + counts > self._count)
        _refuse(firsts, wrong, "does not hold the long value that it begins")
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._take(np.repeat(firsts, counts) + within, int(page[0]))
        return int(counts.sum())

    def _key(self, at: int) -> str:
        length = int(self._words[at // 2 + 3])
        return bytes(self._data[at + _NODE : at + _NODE + length]).decode("utf-8", "replace")


def _parts(pages: Numbers) -> Iterator[Numbers]:
    for first in range(0, len(pages), PAGES_AT_ONCE):
        yield pages[first : first + PAGES_AT_ONCE]


def _refuse(pages: Numbers, is_wrong: npt.NDArray[np.bool_], what: str) -> None:
    if is_wrong.any():
        raise DamagedPage(int(pages[is_wrong][0]), what)
