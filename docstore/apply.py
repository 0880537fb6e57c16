"""Applying operations to a shard's state: a deterministic function of state and operation.

No clock, no randomness, no network inside: time, generated keys and merged patches are fixed before
an operation gets here, so replaying the same operations gives the same bytes. Conditions are
decided here, in log order. An operation whose condition fails changes nothing and takes no seq.
"""

from dataclasses import dataclass

from docstore.environment import Environment, Transaction
from docstore.records import (
    HEAD,
    Answer,
    Operation,
    pack_answer,
    pack_document,
    pack_entry,
    pack_seq,
    unpack_answer,
    unpack_document,
    unpack_entry,
    unpack_seq,
)
from indexing.errors import VersionConflict


@dataclass(frozen=True, slots=True)
class Write:
    """One operation: put `body` under `key`, or delete the key when `body` is None.

    `if_version` 0 means the key must be absent, like `if_absent`. `at` is microseconds since 1970.
    """

    key: bytes
    body: bytes | None
    at: int
    if_version: int | None = None
    if_absent: bool = False
    if_present: bool = False
    op_id: bytes = b""


Outcome = Answer | VersionConflict


def apply(environment: Environment, transaction: Transaction, writes: list[Write]) -> list[Outcome]:
    """Apply writes in order inside one transaction; one outcome per write."""
    documents = environment.tables["documents"]
    log = environment.tables["log"]
    operations = environment.tables["operations"]
    get, put = transaction.get, transaction.put
    first = head = unpack_seq(get(HEAD, db=environment.tables["meta"]))
    outcomes: list[Outcome] = []
    for write in writes:
        if write.op_id:
            answered = get(write.op_id, db=operations)
            if answered is not None:
                outcomes.append(unpack_answer(answered))
                continue
        stored = get(write.key, db=documents)
        version = 0 if stored is None else unpack_document(stored).version
        conflict = _conflict(write, version)
        if conflict is not None:
            outcomes.append(conflict)
            continue
        if write.body is None and version == 0:
            outcomes.append(Answer(write.key, 0, head))
            continue
        head += 1
        if write.body is None:
            transaction.delete(write.key, db=documents)
            entry = pack_entry(Operation.DELETE, 0, write.at, write.key, write.op_id)
            answer = Answer(write.key, 0, head, deleted=True)
        else:
            put(write.key, pack_document(version + 1, head, write.body), db=documents)
            entry = pack_entry(Operation.PUT, version + 1, write.at, write.key, write.op_id)
            answer = Answer(write.key, version + 1, head, created=version == 0)
        put(pack_seq(head), entry, db=log, append=True)
        if write.op_id:
            put(write.op_id, pack_answer(answer), db=operations)
        outcomes.append(answer)
    if head != first:
        put(HEAD, pack_seq(head), db=environment.tables["meta"])
    return outcomes


def _conflict(write: Write, version: int) -> VersionConflict | None:
    if write.if_version is not None and write.if_version != version:
        return VersionConflict(
            f"the document is at version {version}, not {write.if_version}"
            if version
            else f"the document does not exist, so it is not at version {write.if_version}",
            hint="read it again and decide whether the change still applies",
            current=version,
        )
    if write.if_absent and version:
        return VersionConflict(
            f"the document exists, at version {version}",
            hint="write without if_absent to replace it",
            current=version,
        )
    if write.if_present and not version:
        return VersionConflict(
            "the document does not exist", hint="write without if_present to create it", current=0
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
        seq = unpack_seq(cursor.key())
        if seq > last:
            break
        op_id = unpack_entry(seq, cursor.value()).op_id
        if op_id:
            transaction.delete(op_id, db=operations)
        cursor.delete()
        removed += 1
    return removed
