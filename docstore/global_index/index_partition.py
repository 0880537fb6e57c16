"""One partition of a global index on disk: postings, what each document has here, checkpoints.

Invariant: a partition is a follower of its own. Postings, the terms of each document, how many
documents each term has, and the checkpoints of all shards change in one transaction, so that at
every moment, also after a crash, the partition holds exactly the state that its checkpoints name,
or a later state of documents whose entries follow. Applying a change again changes nothing.

On disk, big endian. postings: term and the document's key -> see `postings`. documents: key -> see
`document_terms`. terms: term -> u64 documents. meta: `form` u8 2 (1 where no postings share
anything); `ready` once it was compared; for each shard `s` u32 -> u64 seq, and u64 newest where
that is known; while it is filled `f` u32 -> the last key taken.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from docstore import files
from docstore.global_index.document_terms import shared_in, terms_in
from docstore.global_index.partition_changes import (
    Changes,
    Checkpoint,
    checkpoints_in,
    documents_with,
    drop_checkpoints,
    move_checkpoints,
    store_changes,
)
from docstore.global_index.postings import (
    POSTINGS_FILE,
    SHARED,
    Posting,
    located,
    sharing,
    suffix_of,
    unpacked,
)
from docstore.shards.environment import Environment, Table, Transaction
from indexing.errors import Closed, Corruption, Unavailable

TABLES = ("documents", "meta", "postings", "terms")
_FORM, _READY = b"form", b"ready"
_PLAIN, _FORMAT = b"\x01", b"\x02"
READ_BATCH = 2000
"""Postings or documents read in one transaction by who walks all of them."""
COUNTED_MAX = 200
"""Terms of a range whose documents are counted; the rest is estimated from them."""


class IndexPartition:
    """The postings of one slice of the terms; any thread may read, one applies.

    The file is opened, and made, when it is first asked for.
    """

    def __init__(
        self, directory: Path, *, read_only: bool, only: files.Identity | None = None
    ) -> None:
        """`only` a file that another process has open, which has followed its pages: it opens at
        once, and no other one is opened or made."""
        self._directory = directory
        self._path = directory / POSTINGS_FILE
        self._read_only = read_only
        self._only = only
        self._opening = threading.Lock()
        self._opened: Environment | None = None
        self._identity: files.Identity | None = None
        self._is_closed = False

    @property
    def _environment(self) -> Environment:
        opened = self._opened
        return self._open() if opened is None else opened

    @property
    def _tables(self) -> Mapping[str, Table]:
        return self._environment.tables

    def _open(self) -> Environment:
        """The file, opened now; what fails is tried again by whoever asks next."""
        with self._opening:
            if self._is_closed:
                raise Closed("the index was closed", hint="ask again")
            if self._opened is None:
                if not self._read_only and self._only is None:
                    with files.usable(self._directory):
                        self._directory.mkdir(parents=True, exist_ok=True)
                identity = self._found()
                opened = Environment(
                    self._path,
                    read_only=self._read_only,
                    tables=TABLES,
                    followed_max=None if self._only is None else 0,
                    holds=f"the partition {self._directory.name} of the index "
                    f"{self._directory.parent.name!r}",
                    remedy="it is filled again from the documents",
                )
                try:
                    self._found()  # it could have been deleted, and made by opening it
                    self._check_format(opened)
                except BaseException:
                    opened.close()
                    raise
                self._identity = identity or files.identity(self._path)  # if it was made just now
                self._opened = opened
            return self._opened

    def _found(self) -> files.Identity | None:
        """What file is there; raises Unavailable when it is not the only one that may be."""
        found = files.identity(self._path)
        if self._only not in (None, found):
            raise Unavailable(
                f"the file of {self._directory} is another one now",
                hint="close the store that has deleted it open, then open it again",
            )
        return found

    def _check_format(self, opened: Environment) -> None:
        found = opened.get("meta", _FORM)
        if found in (None, _PLAIN) and not self._read_only:
            meta = opened.tables["meta"]
            opened.write(lambda transaction: transaction.put(_FORM, _FORMAT, db=meta))
        elif found not in (None, _PLAIN, _FORMAT):
            raise Corruption(
                f"an index partition has the form {found!r}",
                hint="open the store for writing with this version: it fills the index again",
                file=POSTINGS_FILE,
            )

    @property
    def identity(self) -> files.Identity | None:
        """The file that is open here; None while none is."""
        return None if self._opened is None else self._identity

    def follow_file(self) -> bool:
        """Read-only: let go of a file that was replaced since; whether it was."""
        if self._opened is None or files.identity(self._path) == self._identity:
            return False
        with self._opening:
            replaced, self._opened = self._opened, None
            if replaced is not None:
                replaced.close()
        return True

    def checkpoints(self) -> tuple[dict[int, Checkpoint], bool]:
        """How far each shard's log is applied, and whether the partition was found right.

        A shard that is missing was never begun.
        """
        with self._environment.read() as transaction:
            stored = dict(transaction.cursor(db=self._tables["meta"]))
        return checkpoints_in(stored), _READY in stored

    def apply(self, changes: Changes, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Make documents what they are now and move checkpoints, in one durable transaction."""

        def body(transaction: Transaction) -> None:
            store_changes(transaction, self._tables, changes)
            move_checkpoints(transaction, self._tables, checkpoints)

        self._environment.write(body)

    def promote(self) -> None:
        """Note that the partition was compared and found right."""
        meta = self._tables["meta"]
        self._environment.write(lambda transaction: transaction.put(_READY, b"1", db=meta))

    def forget(self, shards: Iterable[int]) -> None:
        """Drop the checkpoints of shards that are no more."""
        self._environment.write(
            lambda transaction: drop_checkpoints(transaction, self._tables, shards)
        )

    def rows(
        self, lower: bytes, upper: bytes | None, most: int
    ) -> tuple[list[tuple[bytes, bytes, bytes]], bytes | None]:
        """Postings with lower <= term < upper as (term, key, row), in order of place.

        From `most` on they end with a whole term; the next term is returned then, else None.
        """
        found: list[tuple[bytes, bytes, bytes]] = []
        with self._environment.read() as transaction:
            whole = self._whole(transaction)
            cursor = transaction.cursor(db=self._tables["postings"])
            if not cursor.set_range(lower or b"\0"):
                return found, None
            last = b""
            for place, row in cursor.iternext():
                if upper is not None and place >= upper:
                    break
                term, key = located(place, row)
                if term != last:
                    if len(found) >= most:
                        return found, term
                    last = term
                found.append((term, key, whole(key, row)))
        return found, None

    def under(
        self, term: bytes, after: bytes, most: int
    ) -> tuple[list[tuple[bytes, bytes, bytes]], bytes | None]:
        """Up to so many postings of one term as (term, key, row), behind a place, b"" for none.

        Also the place to go on behind, None at the end.
        """
        found: list[tuple[bytes, bytes, bytes]] = []
        with self._environment.read() as transaction:
            whole = self._whole(transaction)
            cursor = transaction.cursor(db=self._tables["postings"])
            more = cursor.set_range(after or term)
            if more and cursor.key() == after:
                more = cursor.next()
            for place, row in cursor.iternext() if more else ():
                its, key = located(place, row)
                if its != term:
                    return found, None
                found.append((term, key, whole(key, row)))
                if len(found) >= most:
                    return found, place
        return found, None

    def _whole(self, transaction: Transaction) -> Callable[[bytes, bytes], bytes]:
        """What gives postings of some keys, read in this transaction, what they share."""
        documents = self._tables["documents"]
        known: dict[bytes, bytes] = {}

        def whole(key: bytes, row: bytes) -> bytes:
            if not row[0] & SHARED:
                return row
            if key not in known:
                known[key] = shared_in(transaction.get(key, db=documents) or b"")
                if not known[key]:
                    raise Corruption(
                        "postings of an index share what is not there",
                        hint="it is filled again from the documents",
                        file=POSTINGS_FILE,
                    )
            return sharing(row, known[key])

        return whole

    def held(self, keys: Sequence[bytes]) -> dict[bytes, dict[bytes, bytes]]:
        """The postings that documents have here, of those that have any."""
        with self._environment.read() as transaction:
            stored = dict(transaction.cursor(db=self._tables["documents"]).getmulti(keys))
            places = {
                term + suffix_of(key): (term, key)
                for key, value in stored.items()
                for term in terms_in(value)
            }
            whole = self._whole(transaction)
            found: dict[bytes, dict[bytes, bytes]] = {key: {} for key in stored}
            cursor = transaction.cursor(db=self._tables["postings"])
            for place, row in cursor.getmulti(sorted(places)):
                term, key = places[place]
                found[key][term] = whole(key, row)
        return found

    def frequency(self, term: bytes) -> int:
        """How many documents have a term here."""
        stored = self._environment.get("terms", term)
        return 0 if stored is None else documents_with(stored)

    def frequency_between(self, lower: bytes, upper: bytes) -> int:
        """About how many postings have lower <= term < upper: exact when they are few terms."""
        with self._environment.read() as transaction:
            cursor = transaction.cursor(db=self._tables["terms"])
            if not cursor.set_range(lower or b"\0"):
                return 0
            found = list(islice(cursor.iternext(), COUNTED_MAX))
            inside = [documents_with(stored) for term, stored in found if term < upper]
            if len(inside) < COUNTED_MAX:
                return sum(inside)
            # Too many terms to look at: half of what is here, but no less than what was seen.
            return max(sum(inside), self._environment.entries(transaction, "postings") // 2)

    def sizes(self) -> tuple[int, int, int]:
        """Documents, postings and terms here; costs the same whatever there is."""
        with self._environment.read() as transaction:
            documents, postings, terms = (
                self._environment.entries(transaction, table)
                for table in ("documents", "postings", "terms")
            )
        return documents, postings, terms

    def bytes_used(self) -> int:
        """The bytes of its file that hold something."""
        return self._environment.bytes_used()

    def terms_of(self, keys: Sequence[bytes]) -> dict[bytes, list[bytes]]:
        """The terms that documents have here, of those that have any."""
        with self._environment.read() as transaction:
            found = transaction.cursor(db=self._tables["documents"]).getmulti(keys)
        return {key: list(terms_in(stored)) for key, stored in found}

    def posting(self, term: bytes, key: bytes) -> Posting | None:
        """What a document has under a stored term."""
        with self._environment.read() as transaction:
            row = transaction.get(term + suffix_of(key), db=self._tables["postings"])
            return None if row is None else unpacked(term, key, self._whole(transaction)(key, row))

    def documents(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """Every document here and its terms, in key order."""
        for key, value in self._walk("documents"):
            yield key, list(terms_in(value))

    def entries(self) -> Iterator[Posting]:
        """Every posting, in order of term and key, without what some share."""
        for place, row in self._walk("postings"):
            term, key = located(place, row)
            yield unpacked(term, key, row)

    def counted(self) -> Iterator[tuple[bytes, int]]:
        """Every term and how many documents are said to have it."""
        for term, stored in self._walk("terms"):
            yield term, documents_with(stored)

    def _walk(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        last = b""
        while True:
            with self._environment.read() as transaction:
                cursor = transaction.cursor(db=self._tables[table])
                more = cursor.set_range(last) if last else cursor.first()
                if more and cursor.key() == last:
                    more = cursor.next()
                batch = list(islice(cursor.iternext(), READ_BATCH)) if more else []
            yield from batch
            if len(batch) < READ_BATCH:
                return
            last = batch[-1][0]

    def close(self) -> None:
        """Close the file, for good."""
        with self._opening:
            self._is_closed = True
            if self._opened is not None:
                self._opened.close()
