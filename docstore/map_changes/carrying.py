"""What is written into a shard while it is made from others: documents, answers, MOVED entries.

Each function fills a transaction of the new shard. Invariants: a document keeps its bytes, and so
its version and seq; no document's seq is beyond its shard's head; an answer keeps the position it
gave. Writing the same again changes nothing but seqs of MOVED entries.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from docstore.shards.environment import Transaction
from docstore.shards.records import (
    BASE,
    HEAD,
    Answer,
    Entry,
    Operation,
    Record,
    pack_answer,
    pack_document,
    pack_entry,
    pack_seq,
    unpack_answer,
    unpack_seq,
)
from docstore.shards.shard import Shard

COPY_BATCH = 2_000
"""Documents or entries written in one durable transaction: a few megabytes, some milliseconds."""

T = TypeVar("T")
Touched = list[tuple[Entry, Record | None]]
"""Log entries of a source, each with its document as it is now."""
Answers = dict[bytes, Answer]
"""By op_id."""


def in_batches(found: Iterable[T], most: int) -> Iterator[list[T]]:
    """What comes, in lists of `most`, the last one shorter."""
    rest = iter(found)
    while batch := list(islice(rest, most)):
        yield batch


def begin(target: Shard, seq: int, transaction: Transaction) -> None:
    """Have the shard's log begin after a seq."""
    _set_head(target, seq, transaction)


def _set_head(target: Shard, seq: int, transaction: Transaction) -> None:
    """The log's end, which is also its base as long as nothing is written here."""
    for name in (HEAD, BASE):
        transaction.put(name, pack_seq(seq), db=target.environment.tables["meta"])


def put_documents(
    target: Shard, pairs: list[tuple[bytes, bytes]], transaction: Transaction
) -> None:
    """Documents with keys above all that are there, in order: pages fill one after another."""
    documents = target.environment.tables["documents"]
    transaction.cursor(db=documents).putmulti(pairs, append=True)


def touch(target: Shard, touched: Touched, answers: Answers, transaction: Transaction) -> None:
    """Make some documents what they are in the source, and say in the log that they were."""
    tables = target.environment.tables
    head = unpack_seq(transaction.get(HEAD, db=tables["meta"]))
    entries: list[tuple[bytes, bytes]] = []
    for entry, record in touched:
        head = max(head + 1, entry.seq, 0 if record is None else record.seq)
        version = 0 if record is None else record.version
        entries.append((pack_seq(head), pack_entry(Operation.MOVED, version, entry.at, entry.key)))
        if record is None:
            transaction.delete(entry.key, db=tables["documents"])
        else:
            transaction.put(entry.key, pack_document(*record), db=tables["documents"])
    transaction.cursor(db=tables["log"]).putmulti(entries, append=True)
    _set_head(target, head, transaction)
    put_answers(target, answers, transaction)


def put_answers(target: Shard, answers: Answers, transaction: Transaction) -> None:
    """What retries are answered."""
    for op_id, answer in answers.items():
        transaction.put(op_id, pack_answer(answer), db=target.environment.tables["operations"])


def answers_of(source: Shard, origin: tuple[int, int]) -> Iterator[Answers]:
    """All that retries are answered, in batches; what the source answered has it as its origin."""
    last: bytes | None = None
    while True:
        batch: Answers = {}
        with source.environment.read() as transaction:
            cursor = transaction.cursor(db=source.environment.tables["operations"])
            found = cursor.first() if last is None else cursor.set_range(last + b"\0")
            while found and len(batch) < COPY_BATCH:
                batch[cursor.key()] = _from(origin, cursor.value())
                found = cursor.next()
        if not batch:
            return
        last = max(batch)
        yield batch


def answers_to(source: Shard, touched: Touched, origin: tuple[int, int]) -> Answers:
    """What the retries of some entries' writes are answered."""
    found: Answers = {}
    for entry, _ in touched:
        if entry.op_id:
            stored = source.environment.get("operations", entry.op_id)
            if stored is not None:
                found[entry.op_id] = _from(origin, stored)
    return found


def _from(origin: tuple[int, int], stored: bytes) -> Answer:
    answer = unpack_answer(stored)
    return answer if answer.origin else answer._replace(origin=origin)
