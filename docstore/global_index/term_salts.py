"""Where the postings of a salted term lie: pure functions of the term, a document's key and a fan.

Invariants:
1. A document's posting under a term has one place: that of its key's salt, as for partition keys
   (`salting`), evenly spaced from the term's own. A term that is not salted has its own place only.
2. Under each fan the postings of a term have a name of their own, so those of another fan, half
   made or half removed, are met by nobody who reads. Names are on disk and never change meaning.
3. A name sorts behind its term and before every other one: no whole term begins another.
"""

from dataclasses import dataclass
from typing import Any

from docstore.map_changes.salting import is_fan, place_of, salt_of
from indexing.errors import Corruption

_MARK = b"\xfe"
"""No document's key and no field's value begins with it: it is above them all, and below 0xff."""
_TOKENS = 1 << 32


@dataclass(frozen=True, slots=True)
class TermSalt:
    """A stored term whose postings are read at `fan` places.

    Under `other`, if there is one, postings of it may be too: they are being made or removed.
    """

    term: bytes
    fan: int
    other: int | None = None

    @property
    def fans(self) -> tuple[int, ...]:
        """The fans under which there may be postings."""
        return (self.fan,) if self.other is None else (self.fan, self.other)

    @property
    def name(self) -> bytes:
        """Under what its postings are kept that are read."""
        return named(self.term, self.fan)

    @property
    def unread(self) -> bytes | None:
        """Under what its postings are kept that nobody reads."""
        return None if self.other is None else named(self.term, self.other)

    def to_json(self) -> dict[str, Any]:
        """`{"term", "fan", "other"}`, the term in hexadecimal."""
        return {"term": self.term.hex(), "fan": self.fan, "other": self.other}

    @classmethod
    def from_json(cls, form: Any) -> "TermSalt":
        """Read `to_json` back; raises ValueError, KeyError or TypeError on anything else."""
        salt = cls(bytes.fromhex(form["term"]), form["fan"], form["other"])
        if not is_fan(salt.fan) or not (salt.other is None or is_fan(salt.other)):
            raise Corruption(f"a stored term has the fan {salt.fan!r}", hint="restore indexes.json")
        return salt


def named(term: bytes, fan: int) -> bytes:
    """Under what a stored term's postings are kept at a fan: the term itself when it is not
    salted."""
    return term if fan == 1 else term + _MARK + bytes([fan.bit_length() - 1])


def place_in(token: int, key: bytes, fan: int, partitions: int) -> int:
    """The index partition of a document's posting, given the token of the term's own place."""
    return (place_of(token, salt_of(key, fan)) * partitions) >> 32


def places_in(token: int, fan: int, partitions: int) -> tuple[int, ...]:
    """The index partitions that can hold a term's postings, in order."""
    return tuple(sorted({(place_of(token, salt) * partitions) >> 32 for salt in range(fan)}))


def middle_of(place: int, partitions: int) -> int:
    """A token of an index partition: of one whose terms are a range, not a slice of tokens."""
    return (2 * place + 1) * _TOKENS // (2 * partitions)


def fan_max(partitions: int) -> int:
    """The largest fan over so many index partitions: more places would meet on the same ones."""
    return 1 << (partitions.bit_length() - 1)


def without(
    ranges: tuple[tuple[bytes, bytes], ...], names: tuple[bytes, ...]
) -> tuple[tuple[bytes, bytes], ...]:
    """Half-open ranges without some names, of which each is cut out."""
    for name in names:
        cut: list[tuple[bytes, bytes]] = []
        for lower, upper in ranges:
            if lower <= name < upper:
                cut += [(lower, name), (name + b"\0", upper)]
            else:
                cut.append((lower, upper))
        ranges = tuple(pair for pair in cut if pair[0] < pair[1])
    return ranges
