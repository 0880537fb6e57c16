"""Applying operations to a shard's state: a deterministic function of state and operation.

No clock, no randomness, no network inside: time, generated keys and merged patches are fixed before
an operation gets here, so replaying the same operations gives the same bytes. Conditions are
decided here, in log order. An operation whose condition fails, or that deletes what is not there,
changes nothing and takes no seq; nothing is remembered of it, whatever its op_id.
"""

from collections.abc import Mapping
from typing import NamedTuple

from docstore.shards.environment import Environment, Table, Transaction
from docstore.shards.recent_writes import Written
from docstore.shards.records import (
    HEAD,
    Answer,
    Operation,
    pack_answer,
    pack_document,
    pack_entry,
    pack_seq,
    revision_of,
    unpack_answer,
    unpack_entry,
    unpack_seq,
)
from indexing.errors import InvalidRequest, VersionConflict

OP_ID_BYTES_MAX = 64
_PUT, _DELETE = int(Operation.PUT), int(Operation.DELETE)
_ABSENT = 0, 0
"""The version and the seq of a document that is not there."""


class Write(NamedTuple):
    """One operation: put `body` under `key`, or delete the key when `body` is None.

    `if_version` 0 means the key must be absent, like `if_absent`. `if_seq` means that the write
    with that seq made the document: versions start again after a delete, seqs never do. `at` is
    microseconds since 1970.
    """

    key: bytes
    body: bytes | None
    at: int
    if_version: int | None = None
    if_absent: bool = False
    if_present: bool = False
    op_id: bytes = b""
    if_seq: int | None = None


Outcome = Answer | VersionConflict


class Applied(NamedTuple):
    """One outcome per write, the log entries they made, each with its document, the log's end."""

    outcomes: list[Outcome]
    written: list[Written]
    head: int


def apply(environment: Environment, transaction: Transaction, writes: list[Write]) -> Applied:
    """Apply writes in order inside one transaction.

    The batch is decided in memory and stored at the end: LMDB takes many values in one call, in
    key order, several times faster than one by one.
    """
    tables = environment.tables
    documents = transaction.cursor(db=tables["documents"])
    revisions = {
        key: revision_of(stored) for key, stored in documents.getmulti([w.key for w in writes])
    }
    head = unpack_seq(transaction.get(HEAD, db=tables["meta"]))
    outcomes: list[Outcome] = []
    written: list[Written] = []
    answers: dict[bytes, Answer] = {}
    for write in writes:
        key, body, at, if_version, if_absent, if_present, op_id, if_seq = write
        if op_id:
            answered = answers.get(op_id) or _answered(transaction, tables, op_id)
            # On another key it is another operation: to call that done would lose a write.
            if answered is not None and answered.key == key:
                outcomes.append(answered)
                continue
        version, seq = revisions.get(key, _ABSENT)
        if if_version is not None or if_absent or if_present or if_seq is not None:
            conflict = _conflict(write, version, seq)
            if conflict is not None:
                outcomes.append(conflict)
                continue
        if body is None and version == 0:
            outcomes.append(Answer(key, 0, head))
            continue
        head += 1
        if body is None:
            revisions[key] = _ABSENT
            written.append((head, _DELETE, 0, at, key, op_id, None))
            answer = Answer(key, 0, head, deleted=True)
        else:
            version += 1
            revisions[key] = version, head
            written.append((head, _PUT, version, at, key, op_id, body))
            answer = Answer(key, version, head, version == 1)
        if op_id:
            answers[op_id] = answer
        outcomes.append(answer)
    if written:
        _store(transaction, tables, written, answers)
        transaction.put(HEAD, pack_seq(head), db=tables["meta"])
    return Applied(outcomes, written, head)


def _answered(transaction: Transaction, tables: Mapping[str, Table], op_id: bytes) -> Answer | None:
    stored = transaction.get(op_id, db=tables["operations"])
    return None if stored is None else unpack_answer(stored)


def _store(
    transaction: Transaction,
    tables: Mapping[str, Table],
    written: list[Written],
    answers: dict[bytes, Answer],
) -> None:
    states = {
        key: None if body is None else pack_document(version, seq, body)
        for seq, _, version, _, key, _, body in written
    }
    put = [(key, state) for key, state in sorted(states.items()) if state is not None]
    transaction.cursor(db=tables["documents"]).putmulti(put)
    for key, state in states.items():
        if state is None:
            transaction.delete(key, db=tables["documents"])
    entries = [
        (pack_seq(seq), pack_entry(operation, version, at, key, op_id))
        for seq, operation, version, at, key, op_id, _ in written
    ]
    transaction.cursor(db=tables["log"]).putmulti(entries, append=True)
    for op_id, answer in answers.items():
        transaction.put(op_id, pack_answer(answer), db=tables["operations"])


def _conflict(write: Write, version: int, seq: int) -> VersionConflict | None:
    if write.if_version is not None and write.if_version != version:
        return VersionConflict(
            f"the document is at version {version}, not {write.if_version}"
            if version
            else f"the document does not exist, so it is not at version {write.if_version}",
            hint="read it again and decide whether the change still applies",
            current=version,
            seq=seq,
        )
    if write.if_seq is not None and write.if_seq != seq:
        return VersionConflict(
            f"the document, at version {version}, was made by write {seq}, not {write.if_seq}"
            if version
            else "the document does not exist",
            hint="read it again and decide whether the change still applies",
            current=version,
            seq=seq,
        )
    if write.if_absent and version:
        return VersionConflict(
            f"the document exists, at version {version}",
            hint="write without if_absent to replace it",
            current=version,
            seq=seq,
        )
    if write.if_present and not version:
        return VersionConflict(
            "the document does not exist",
            hint="write without if_present to create it",
            current=0,
            seq=0,
        )
    return None


def trim(environment: Environment, transaction: Transaction, last: int, most: int) -> int:
    """Forget log entries up to seq `last`, oldest first, at most so many; returns how many.

    What an op_id was answered is forgotten with its entry.
    """
    log = environment.tables["log"]
    operations = environment.tables["operations"]
    cursor = transaction.cursor(db=log)
    removed = 0
    while removed < most and cursor.first():
        entry = unpack_entry(cursor.key(), cursor.value())
        if entry.seq > last:
            break
        op_id = entry.op_id
        if op_id:
            transaction.delete(op_id, db=operations)
        cursor.delete()
        removed += 1
    return removed


def op_id_bytes(op_id: str | None) -> bytes:
    """The id of an operation as a write carries it; raises InvalidRequest for what is none."""
    if op_id is None:
        return b""
    try:
        encoded = op_id.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise InvalidRequest(f"{op_id!r} is no op_id", hint="use a UUID as text") from error
    if not encoded or len(encoded) > OP_ID_BYTES_MAX:
        raise InvalidRequest(
            f"an op_id has 1 to {OP_ID_BYTES_MAX} bytes, not {len(encoded)}",
            hint="use a UUID",
        )
    return encoded
