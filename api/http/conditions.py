"""Conditional requests: what If-Match, If-None-Match and Idempotency-Key ask; pure.

An entity tag is a document's version, the seq of the write that made it so, and what tells its
collection from others of its name: `"3-17-5f0c2a9d"`. A version starts again after a delete and a
seq after a drop; together they never recur. Whoever keeps nothing else may send a version alone,
or version and seq. If-Match compares strongly, If-None-Match weakly, as RFC 9110 has it.
"""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request

from docstore import InvalidRequest, VersionConflict
from docstore.keys import OPERATION_KEYS
from docstore.shards.apply import OP_ID_BYTES_MAX

Revision = tuple[int, int | None]
"""A version and a seq; without one, any document of that version."""
MARK_CHARACTERS = 8
"""Of a collection's identity: enough to tell it from those that had its name before."""

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"[ \t,]*{_TAG.pattern}(?:[ \t]*,[ \t]*(?:{_TAG.pattern})?)*[ \t]*")
_OWN = re.compile(r'"(\d{1,18})(?:-(\d{1,18})(?:-([0-9a-f]{1,64}))?)?"', re.ASCII)


def etag(version: int, seq: int, mark: str) -> str:
    """The entity tag of what a write made in the collection with that mark."""
    return f'"{version}-{seq}-{mark}"' if mark else f'"{version}-{seq}"'


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold for a write to be made. `revisions` are those of which one must be there."""

    if_present: bool = False
    if_absent: bool = False
    op_id: str | None = None
    revisions: tuple[Revision, ...] | None = None

    @property
    def is_choice(self) -> bool:
        """Whether the document that is there decides which revision is expected."""
        return self.revisions is not None and len(self.revisions) != 1

    def expected(self, found: tuple[int, int] = (0, 0)) -> tuple[int | None, int | None]:
        """The version and seq to expect, given those found; raises VersionConflict for none.

        Whether they are still there is decided when the write is made, in its turn.
        """
        if self.revisions is None:
            return None, None
        for version, seq in self.revisions:
            if version == found[0] and seq in (None, found[1]):
                return version, seq
        if self.revisions:
            return self.revisions[0]
        raise VersionConflict(
            "If-Match names nothing that this collection can hold",
            hint="send the ETag of a document of this collection as it was given, without W/",
            current=found[0],
            seq=found[1],
        )


def conditions_of(request: Request, mark: str) -> Conditions:
    """The conditions of a write; raises InvalidRequest for a header that says something else."""
    headers = request.headers
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    op_id = headers.get("idempotency-key")
    if match is None and none_match is None and op_id is None:
        return _NONE
    if match is not None and none_match is not None:
        raise InvalidRequest(
            "If-Match and If-None-Match contradict each other", hint="send one of them"
        )
    if none_match not in (None, "*"):
        raise InvalidRequest(
            "If-None-Match of a write can only be *",
            hint="If-None-Match: * writes only what is not there yet",
            path="if-none-match",
        )
    return Conditions(
        match == "*",
        none_match == "*",
        None if op_id is None else _op_id(op_id),
        None if match in (None, "*") else _revisions(_listed(request, "if-match"), mark),
    )


def op_id_of(request: Request) -> str | None:
    """The operation that a request of many writes is; raises InvalidRequest for a condition."""
    asked = conditions_of(request, "")
    if asked.if_present or asked.if_absent or asked.revisions is not None:
        raise InvalidRequest(
            "the headers ask a condition, and there are many documents",
            hint="documents:write takes a condition for each line",
        )
    return asked.op_id


def operation_of(op_id: str, number: int) -> str:
    """The op_id of one line of a request: the same whenever the request is sent again."""
    return uuid.uuid5(OPERATION_KEYS, f"{op_id} {number}").hex


def is_not_modified(request: Request, version: int, seq: int, mark: str) -> bool:
    """Whether a reader has this document already; raises VersionConflict if it wants another."""
    headers = request.headers
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match not in (None, "*"):
        wanted = _revisions(_listed(request, "if-match"), mark)
        if (version, None) not in wanted and (version, seq) not in wanted:
            raise VersionConflict(
                f"the document, at version {version}, is none that If-Match names",
                hint="read it without If-Match",
                current=version,
                seq=seq,
            )
    if none_match is None:
        return False
    names = [tag.removeprefix("W/") for tag in _TAG.findall(none_match)]
    return none_match == "*" or etag(version, seq, mark) in names


def _listed(request: Request, header: str) -> list[str]:
    """The entity tags of a header, however many lines it has."""
    text = ", ".join(request.headers.getlist(header))
    if not _TAGS.fullmatch(text):
        raise InvalidRequest(
            f"{header} is no list of entity tags",
            hint='send an ETag as this server gave it, in its quotes, or a version, like "3"',
            path=header,
        )
    return _TAG.findall(text)


def _revisions(tags: Iterable[str], mark: str) -> tuple[Revision, ...]:
    """What the tags name that a collection with this mark can hold; weak ones never match."""
    found = [_OWN.fullmatch(tag) for tag in tags]
    return tuple(
        (int(each[1]), None if each[2] is None else int(each[2]))
        for each in found
        if each is not None and each[3] in (None, mark)
    )


def _op_id(text: str) -> str:
    # RFC 8941 strings come in quotes; plain tokens are what most clients send.
    plain = text.strip().strip('"')
    if not plain or not plain.isprintable() or len(plain.encode()) > OP_ID_BYTES_MAX:
        raise InvalidRequest(
            f"the Idempotency-Key has not 1 to {OP_ID_BYTES_MAX} printable characters",
            hint="use a UUID",
            path="idempotency-key",
        )
    return plain


_NONE = Conditions()
